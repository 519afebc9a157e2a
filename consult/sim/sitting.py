"""A consultation that a human plays or watches: the graph stops before each turn, and can be left and taken up there.

Owns where the graph stops, who has the seat, and what is kept of it meanwhile. The stop is langgraph's own, in front of
the node, so no line of a node runs twice; the human's action comes in with the context, which is no part of a checkpoint.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final, cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from consult import actions, events, terms
from consult.actions import Ask, Conclude, Hint, Order, Refer, Words
from consult.agents import base
from consult.agents.base import InquirerView
from consult.agents.inquirers.hint import hint
from consult.agents.patient.spoken import SpokenPatient
from consult.errors import DataError
from consult.events import EVENT, EVENTS, Changed, Event, Header
from consult.llm.base import OnText
from consult.players import DOCTOR, HUMAN, PATIENT, SEATS, both
from consult.sim.graph import graph, recursion_limit
from consult.sim.nodes import inquirer_view, numbered
from consult.sim.session import Setup, beginning, context, ended, header, waited
from consult.sim.state import Context, State
from consult.store.transcript import Transcript

_BEFORE: Final = {DOCTOR: "triage", PATIENT: "inquirer"}
"""For whose turn it is: the node that leads to theirs."""
_TURN: Final = {"inquirer": DOCTOR, "patient": PATIENT, "opening": PATIENT}
"""The nodes before which the graph stops, and whose turn each of them is."""


Action = Ask | Order | Conclude | Refer | Words | Hint


@dataclass(frozen=True, slots=True)
class _Given:
    """A doctor that does what it has been told."""

    action: Ask | Order | Conclude | Refer | None

    def act(self, view: InquirerView) -> Any:
        """The human's action."""
        return self.action


class Sitting:
    """One consultation, from turn to turn; a human may have a seat in it."""

    def __init__(self, setup: Setup, seat: str = DOCTOR) -> None:
        """`setup` with anybody in the seat (inquirer, patient; empty: agents play both): a human takes it.

        Raises ConsultError if it cannot be played.
        """
        self.seat = seat
        self.setup = replace(setup, agents={**setup.agents, seat: HUMAN}) if seat else setup
        self._agents = {**setup.line_up, **{role: _agent_for(setup, role) for role in SEATS}}
        self._context = context(replace(setup, agents=self._agents, resolver=self.setup.understood_by))
        stops = list(_TURN)
        self._graph = graph().copy({"checkpointer": InMemorySaver(serde=_serde()), "interrupt_before_nodes": stops})
        self._times = count()
        self._anew()

    def _anew(self) -> None:
        """Another thread of checkpoints: a turn that was given up writes into the one before."""
        thread = {"thread_id": f"{self.setup.cell}-{next(self._times)}"}
        self._config: Any = {"configurable": thread, "recursion_limit": recursion_limit(self.setup.limits)}

    @property
    def header(self) -> Header:
        """The first line of its transcript: who played each role so far, `AGENT+human` where both did."""
        own = len(self.setup.past.whole) if self.setup.past is not None else 0
        events = self._values.get("events", ())[own:]
        mixed = {str(e.what): both(self._agents[e.what]) for e in events if isinstance(e, Changed)}
        as_played = replace(self.setup, agents={**self.setup.agents, **mixed}, resolver=self.setup.understood_by)
        return header(as_played)

    @property
    def events(self) -> tuple[Event, ...]:
        """What has happened so far."""
        happened: tuple[Event, ...] = EVENTS.validate_python(tuple(self._values.get("events", ())))
        return happened

    @property
    def turn(self) -> str:
        """Whose turn it is: inquirer or patient; empty when it is over."""
        pending = self._graph.get_state(self._config).next
        return _TURN[pending[0]] if pending else ""

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        return bool(self._values) and not self.turn

    @property
    def transcript(self) -> Transcript:
        """The consultation so far."""
        return ended(self.header, self.events, waited(self._context))

    def begin(self) -> Iterator[Event]:
        """The events up to the human's first turn, those of a fork's past first."""
        yield from self.start()
        yield from self._on()

    def act(self, action: Action) -> Iterator[Event]:
        """The events from the human's action to their next turn, or to the end."""
        yield from self.step(action)
        yield from self._on()

    def _on(self) -> Iterator[Event]:
        while self.turn not in ("", self.seat):
            yield from self.step()

    def start(self) -> Iterator[Event]:
        """The events of a fork's past; behind them it is somebody's turn."""
        self._anew()
        yield from self.setup.past.whole if self.setup.past is not None else ()
        yield from self._run(beginning(self.setup, self._context), self._context)

    def heard_by(self, hear: OnText) -> None:
        """From the next turn on `hear` is told the words of a doctor that is a model while they come."""
        if self._context.talk is not None:
            self._context.talk.hear = hear

    def step(self, action: Action | None = None) -> Iterator[Event]:
        """The events of the one turn that it is now: the human's, who does `action`, or an agent's."""
        if isinstance(action, Hint):
            return self._hint()
        c = self._context
        if self.seat == PATIENT:  # with no last word of their own
            c = replace(c, patient=SpokenPatient(*action) if isinstance(action, Words) else SpokenPatient(""))
        elif action is not None and not isinstance(action, Words):
            c = replace(c, inquirer=_Given(action))
        return self._run(None, c)

    def seated(self, seat: str) -> tuple[Event, ...]:
        """The human takes a seat, and hands back the one they had; empty: hands back only. The events that say so.

        Before the first words are said nobody can: the seat is the setup's.
        """
        if seat == self.seat or not self._values["events"]:
            return ()
        told = [Changed(what=cast("Any", self.seat), before=HUMAN, now=self._agents[self.seat])] if self.seat else []
        told += [Changed(what=cast("Any", seat), before=self._agents[seat], now=HUMAN)] if seat else []
        self.seat = seat
        return self._noted(told)

    def _hint(self) -> Iterator[Event]:
        """A hint is no step of the graph, and it is still the doctor's turn."""
        yield from self._noted([hint(inquirer_view(cast("State", self._values), self._context))])

    def _noted(self, said: list[Any]) -> tuple[Event, ...]:
        """Written down beside the graph: it is the same one's turn as before."""
        events = tuple(numbered(said, cast("State", self._values)))
        self._graph.update_state(self._config, {"events": list(events)}, as_node=_BEFORE[self.turn])
        return events

    def _run(self, given: Any, c: Context) -> Iterator[Event]:
        config = self._config  # of this turn, even if it is given up meanwhile
        for step in self._graph.stream(given, config, context=c, stream_mode="updates"):
            for update in step.values():
                if isinstance(update, Mapping):
                    for event in update.get("events", ()):
                        yield EVENT.validate_python(event)
        state = self._graph.get_state(config)
        if state.next and state.values.get("stop") and config is self._config:
            yield from self._run(None, c)  # the recipient or triage failed: nobody has a turn

    @property
    def _values(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self._graph.get_state(self._config).values)

    # Left and taken up

    def kept(self) -> str:
        """All that is needed to take it up again, as JSON."""
        kind, data = _serde().dumps_typed(self._values)
        state = {"kind": kind, "data": base64.b64encode(data).decode("ascii")}
        talk = self._context.talk
        took = talk.kept() if talk is not None else {}
        return json.dumps({"cell": self.setup.cell, "seat": self.seat, "turn": self.turn, "state": state, "took": took})

    def take_up(self, kept: str) -> tuple[Event, ...]:
        """Goes back to where it was left; the events up to there. Raises DataError if it cannot."""
        try:
            data = json.loads(kept)
            cell, seat, turn, state = data["cell"], data["seat"], data["turn"], data["state"]
            values = _serde().loads_typed((state["kind"], base64.b64decode(state["data"])))
            before = _BEFORE[turn]
            if self._context.talk is not None:
                self._context.talk.take_up(data.get("took", {}))
        except (ValueError, KeyError, TypeError) as e:
            raise DataError(f"cannot be read: {type(e).__name__}", mend="remove it, and start again") from None
        if cell != self.setup.cell:
            raise DataError("the case, the persona or consult itself has changed since", mend="start again")
        self._anew()
        self._graph.update_state(self._config, values, as_node=before)
        self.seat = seat
        return self.events


def _agent_for(setup: Setup, role: str) -> str:
    """Who plays a role where the human does not; where the human was there before anybody, the reference."""
    if setup.line_up[role] != HUMAN:
        return setup.line_up[role]
    past = setup.past.whole if setup.past is not None else ()
    agents = [e.before for e in past if isinstance(e, Changed) and e.what == role and e.before != HUMAN]
    return (agents or ["reference"])[-1]


def _serde() -> JsonPlusSerializer:
    """Langgraph's serialiser, told which of our types a file may bring back; it takes no others."""
    known = [
        (value.__module__, name) for module in (actions, base, events, terms) for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__.startswith(module.__name__)
    ]  # fmt: skip
    return JsonPlusSerializer(allowed_msgpack_modules=known)
