"""A human doctor at the table: the graph stops for them, goes on, and can be left in the middle and taken up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from consult import Setup, play
from consult.actions import Ask, Conclude, Diagnosis, Order, Refer, Words
from consult.batch.forking import fork_of
from consult.errors import DataError, UsageError
from consult.events import (
    Audited,
    Changed,
    Concluded,
    Ordered,
    Question,
    Referred,
    Scored,
    Stopped,
    StopReason,
    Utterance,
)
from consult.players import DOCTOR, PATIENT, player
from consult.settings import Limits
from consult.sim.sitting import Sitting
from consult.terms import Department, Urgency

ACTIONS = (
    Ask(text="I am sorry to hear that. Do you have any pain in your chest?"),
    Order(order="ecg"),
    Ask(text="Does it spread anywhere?"),
)
END = Conclude(
    differential=(Diagnosis(condition="acute_coronary_syndrome", probability=0.9),), urgency=Urgency.EMERGENCY,
    explanation="It may be your heart.", safety_net="Call an ambulance if it gets worse.",
)  # fmt: skip


def test_a_whole_consultation_by_hand(setup_of: Callable[..., Setup]) -> None:
    sitting = Sitting(setup_of())
    events = list(sitting.begin())
    assert isinstance(events[1], Utterance)
    assert not sitting.over
    for action in (*ACTIONS, END):
        assert not sitting.over
        events += list(sitting.act(action))
    assert sitting.over
    assert tuple(events) == sitting.events
    assert [e.seq for e in events] == list(range(len(events)))
    assert [e.text for e in events if isinstance(e, Question)] == [a.text for a in ACTIONS if isinstance(a, Ask)]
    assert any(isinstance(e, Ordered) for e in events)
    assert any(isinstance(e, Concluded) for e in events)
    assert any(isinstance(e, Scored) and e.name == "diagnosis.top1" and e.value == 1 for e in events)
    assert sitting.header.agents["inquirer"] == "human"


def test_it_is_what_the_graph_plays(setup_of: Callable[..., Setup]) -> None:
    """The same words of a doctor give the same consultation, whether they come by hand or not."""
    setup = setup_of(agents={"inquirer": "checklist"}, limits=Limits(max_turns=3))
    whole = play(setup).events
    sitting = Sitting(setup)
    list(sitting.begin())
    for event in whole:
        if isinstance(event, Question):
            list(sitting.act(Ask(text=event.text, rationale=event.rationale)))
        elif isinstance(event, Concluded):
            fields = event.model_dump(exclude={"seq", "turn", "actor", "type"})
            list(sitting.act(Conclude.model_validate(fields)))
    assert sitting.over
    said = [e.model_dump(exclude={"seq"}) for e in sitting.events if e.type != "belief"]
    expected = [e.model_dump(exclude={"seq"}) for e in whole if e.type != "belief"]
    kinds = ("mood", "utterance", "question", "triage", "record", "stop", "verdict")
    strip = lambda rows: [r for r in rows if r["type"] in kinds and r["type"] != "record"]  # noqa: E731
    assert strip(said) == strip(expected)


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_left_at_any_turn_and_taken_up_it_ends_the_same(
    setup_of: Callable[..., Setup], left: int, caplog: pytest.LogCaptureFixture
) -> None:
    setup = setup_of(persona="choleric")
    through = Sitting(setup)
    list(through.begin())
    for action in (*ACTIONS, END):
        list(through.act(action))
    first = Sitting(setup)
    list(first.begin())
    for action in ACTIONS[:left]:
        list(first.act(action))
    kept = first.kept()
    again = Sitting(setup)
    assert again.take_up(kept) == first.events
    assert caplog.messages == []  # langgraph logs types that it was not told of
    assert not again.over
    for action in (*ACTIONS[left:], END):
        list(again.act(action))
    assert again.over
    assert again.transcript == through.transcript


def test_limits_and_a_referral_end_it(setup_of: Callable[..., Setup]) -> None:
    sitting = Sitting(setup_of(limits=Limits(max_turns=1)))
    list(sitting.begin())
    list(sitting.act(ACTIONS[0]))
    events = list(sitting.act(ACTIONS[2]))
    assert [e.reason for e in events if isinstance(e, Stopped)] == [StopReason.TURN_LIMIT]
    assert sitting.over
    sitting = Sitting(setup_of())
    list(sitting.begin())
    place = Department(primary="internal_medicine", secondary="cardiology")
    events = list(sitting.act(Refer(department=place, urgency=Urgency.EMERGENCY)))
    assert any(isinstance(e, Referred) for e in events)
    assert sitting.over


def test_what_is_kept_of_something_else_is_refused(setup_of: Callable[..., Setup]) -> None:
    sitting = Sitting(setup_of())
    list(sitting.begin())
    kept = sitting.kept()
    with pytest.raises(DataError, match="has changed since"):
        Sitting(replace(sitting.setup, seed=5)).take_up(kept)
    for broken in ("", "[]", "{}", kept[:-40], json.dumps({"cell": "x", "state": {"kind": "msgpack", "data": "!"}})):
        with pytest.raises(DataError):
            Sitting(setup_of()).take_up(broken)


def test_without_a_human_it_is_what_the_graph_plays(setup_of: Callable[..., Setup]) -> None:
    sitting = Sitting(setup_of(), "")
    assert tuple(sitting.begin()) == play(setup_of()).events
    assert sitting.transcript == play(setup_of())


@pytest.mark.parametrize("seat", [DOCTOR, PATIENT])
def test_taken_over_at_any_turn_kept_and_handed_back(setup_of: Callable[..., Setup], seat: str) -> None:
    """The header says that both played; the events say from where; what is kept in the middle goes on the same."""
    setup = setup_of(persona="choleric")
    words: Ask | Words = ACTIONS[0] if seat == DOCTOR else Words("I have pain in my chest.")
    for turn in (1, 4):
        sitting = Sitting(setup, "")
        list(sitting.start())
        assert sitting.seated(seat) == (), "before the first words nobody takes over"
        while sitting.turn != seat or sum(isinstance(e, Question) for e in sitting.events) < turn:
            list(sitting.step())
        (taken,) = sitting.seated(seat)
        assert (taken.what, taken.before, taken.now) == (seat, "reference", "human")
        again = Sitting(setup, "")
        assert again.take_up(sitting.kept()) == sitting.events
        for one in (sitting, again):
            list(one.act(words))
            (back,) = one.seated("")
            assert (back.before, back.now) == ("human", "reference")
            list(one._on())
        assert sitting.over
        assert again.transcript == sitting.transcript
        t = sitting.transcript
        assert t.header.agents[seat] == "reference+human"
        assert t.id != play(setup).id
        assert [e.seq for e in t.events] == list(range(len(t.events)))
        own = Question if seat == DOCTOR else Utterance
        mine = [e for e in t.events if isinstance(e, own) and player(t.header.agents, t.events, seat, e.seq) == "human"]
        assert len(mine) == 1
        (found,) = [e for e in t.events if isinstance(e, Audited)]
        assert found.clean or seat == PATIENT, "the agent's words are audited in the mood that it was in"
        after = [e.seq for e in t.events if e.seq > back.seq]
        assert not set(found.evidence) & set(after)


def test_a_fork_goes_on_with_whoever_acted_next(setup_of: Callable[..., Setup]) -> None:
    sitting = Sitting(setup_of(), "")
    list(sitting.start())
    while sitting.turn != DOCTOR:
        list(sitting.step())
    sitting.seated(DOCTOR)
    list(sitting.act(ACTIONS[0]))
    sitting.seated("")
    list(sitting._on())
    t = sitting.transcript
    with pytest.raises(UsageError, match="a human was the doctor"):
        fork_of(t, 0)
    child = play(fork_of(t, 1))
    assert child.header.agents == play(setup_of()).header.agents
    assert child.events == t.events
    other = play(fork_of(t, 0, {"inquirer": "curt"}))
    assert [(e.before, e.now) for e in other.events if isinstance(e, Changed)] == [
        ("reference", "human"),
        ("human", "curt"),
    ]


def test_a_turn_that_was_given_up_changes_nothing(setup_of: Callable[..., Setup]) -> None:
    sitting = Sitting(setup_of(), "")
    list(sitting.start())
    list(sitting.step())
    kept, before = sitting.kept(), sitting.events
    given_up = sitting.step()
    next(given_up)
    sitting.take_up(kept)
    list(given_up)
    assert sitting.events == before
    list(sitting._on())
    assert sitting.transcript == play(setup_of())
