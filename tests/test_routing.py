"""Where the graph goes next: pure functions of the state, and never more steps than the limit foresees."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.actions import Ask, Order
from consult.agents.base import InquirerView
from consult.events import Ordered, Question, Stopped, StopReason
from consult.settings import Limits
from consult.sim import session
from consult.sim.graph import graph, recursion_limit
from consult.sim.routing import ASK, END, ORDER, after_inquirer, after_patient
from consult.sim.session import Setup
from consult.sim.state import Context, State, initial

STATES = st.fixed_dictionaries(
    {
        "turn": st.integers(0, 40),
        "next": st.sampled_from([ASK, ORDER, END, ""]),
        "stop": st.none() | st.sampled_from([r.value for r in StopReason]),
        "events": st.lists(st.fixed_dictionaries({"type": st.just("question")}), max_size=2),
    }
)


@given(STATES)
def test_an_end_leads_to_the_last_word_or_straight_to_the_assessor(data: dict[str, Any]) -> None:
    state, before = cast("State", data), deepcopy(data)
    went = after_inquirer(state), after_patient(state)
    assert went[1] == ("recipient" if data["stop"] is None else "assessor")
    if data["next"] == END:
        assert went[0] == "closing"
    elif data["stop"] is not None:
        assert went[0] == "assessor"
    else:
        assert went[0] == {ASK: "patient", ORDER: "examiner"}.get(data["next"], "assessor")
    assert data == before, "routing changes nothing"
    assert (after_inquirer(state), after_patient(state)) == went


def test_routes_are_edges_of_the_graph() -> None:
    edges = {(e.source, e.target) for e in graph().get_graph().edges}
    assert {("inquirer", t) for t in ("patient", "examiner", "closing", "assessor")} <= edges
    assert ("closing", "assessor") in edges
    assert {(s, t) for s in ("opening", "patient") for t in ("recipient", "assessor")} <= edges
    assert {s for s, t in edges if t == "__end__"} == {"assessor"}


class Greedy:
    """Orders all it may, then asks more than it may: the longest line-up there is."""

    def act(self, view: InquirerView) -> Any:
        return Order(order="ecg") if view.orders_left else Ask(text="Do you have a fever?")


@pytest.mark.parametrize(("turns", "orders"), [(0, 0), (0, 3), (1, 0), (14, 5), (60, 20)])
def test_the_longest_consultation_stays_within_the_recursion_limit(
    setup_of: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, turns: int, orders: int
) -> None:
    limits = Limits(turns, orders)
    setup = setup_of(limits=limits)
    sound = session.context

    def greedy(s: Setup) -> Context:
        return replace(sound(s), inquirer=Greedy())

    monkeypatch.setattr(session, "context", greedy)
    steps = list(
        graph().stream(
            initial(greedy(setup)), {"recursion_limit": 10_000}, context=greedy(setup), stream_mode="updates"
        )
    )
    assert len(steps) <= recursion_limit(limits)
    events = session.play(setup).events
    assert sum(isinstance(e, Question) for e in events) == turns
    assert sum(isinstance(e, Ordered) for e in events) == orders
    assert [e.reason for e in events if isinstance(e, Stopped)] == [StopReason.TURN_LIMIT]
