"""The audit: silent on every built-in consultation, and loud on each breach planted into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from consult.events import Audited, Event, MoodChange, Query, Stopped, StopReason, Told, Utterance
from consult.knowledge.model import FindingKind, Knowledge
from consult.persona import Mood, Persona
from consult.scenario import Fact, Release, Scenario, State
from consult.score.audit import CALM, audit
from consult.sim.session import Setup, play

NAME = "indigestion_at_the_wheel"
START = Mood()


@pytest.fixture(scope="module")
def case(scenarios: dict[str, Scenario]) -> Scenario:
    return scenarios[NAME]


@pytest.fixture(scope="module")
def events(setup_of: Callable[..., Setup]) -> tuple[Event, ...]:
    return play(setup_of(NAME, "neutral")).events


def _counts(a: Audited) -> dict[str, int]:
    return {k: v for k in ("leaks", "unreleased", "inventions", "role_breaks") if (v := getattr(a, k))}


def _opening(events: Sequence[Event]) -> Utterance:
    return next(e for e in events if isinstance(e, Utterance))


def _answer(events: Sequence[Event]) -> Utterance:
    """The last answer to a question."""
    return [e for e in events if isinstance(e, Utterance) and e.query is not None][-1]


def _doctored(events: Sequence[Event], seq: int, **changes: object) -> list[Event]:
    return [e.model_copy(update=changes) if e.seq == seq else e for e in events]


def _fact(case: Scenario, k: Knowledge, release: Release, told: Sequence[Event]) -> Fact:
    """A plain present fact of that release which nobody has told."""
    out = {t.finding for e in told if isinstance(e, Utterance) for t in e.told}
    return next(
        f for f in case.facts
        if f.release is release and f.state is State.PRESENT and f.finding not in out
        and k.finding[f.finding].kind is FindingKind.BINARY
    )  # fmt: skip


@pytest.mark.parametrize("spec", ["reference", "curt"])
def test_built_in_patients_keep_the_law(
    setup_of: Callable[..., Setup], scenarios: dict[str, Scenario], personas: dict[str, Persona], spec: str
) -> None:
    broken = []
    for i, name in enumerate(scenarios):
        for j, persona in enumerate(personas):
            if (i + j) % 2 and spec == "curt":
                continue  # half of them will do
            marks = play(setup_of(name, persona, agents={"inquirer": spec})).events
            assert isinstance(marks[-1], Audited)
            broken += [(name, persona, marks[-1])] if not marks[-1].clean else []
    assert broken == []


def test_the_recorded_audit_can_be_made_again(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, personas: dict[str, Persona]
) -> None:
    again = audit(events[:-1], case, general, personas["neutral"].temper.start)
    assert isinstance(events[-1], Audited)
    assert again == events[-1].model_copy(update={"seq": 0, "turn": 0})


def test_a_leak_is_found_where_it_was_planted(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    at = _answer(events)
    name = general.condition[case.gold.condition].name
    found = audit(_doctored(events, at.seq, text=f"{at.text} I fear it is {name}."), case, general, START)
    assert found.leaks == 1
    assert found.evidence == (at.seq,)
    assert not found.clean


def test_an_unreleased_fact_in_words_alone(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    at = _answer(events)
    fact = _fact(case, general, Release.DIRECT, events)
    text = f"{at.text} {general.finding[fact.finding].present}."
    found = audit(_doctored(events, at.seq, text=text), case, general, START)
    assert _counts(found) == {"unreleased": 1}
    assert found.evidence == (at.seq,)


def test_an_unreleased_fact_on_the_list_alone(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    at = _answer(events)
    fact = _fact(case, general, Release.DIRECT, events)
    told = (*at.told, Told(fact=fact.id, finding=fact.finding, state="present", rule="direct"))
    assert _counts(audit(_doctored(events, at.seq, told=told), case, general, START)) == {"unreleased": 1}


def test_what_was_told_before_may_be_told_again(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    first, at = _opening(events), _answer(events)
    text = f"{at.text} {general.finding['heartburn'].present}."
    assert "heartburn" in {t.finding for t in first.told}
    assert audit(_doctored(events, at.seq, text=text, told=(*at.told, first.told[0])), case, general, START).clean


def test_more_than_the_opening_facts_at_the_opening(
    events: tuple[Event, ...], case: Scenario, general: Knowledge
) -> None:
    first = _opening(events)
    fact = next(f for f in case.facts if f.release is Release.VOLUNTEERED and not f.values)
    told = (*first.told, Told(fact=fact.id, finding=fact.finding, state="present"))
    assert audit(_doctored(events, first.seq, told=told), case, general, START).unreleased == 1


def test_a_sensitive_fact_told_without_trust(
    case: Scenario, scenarios: dict[str, Scenario], general: Knowledge
) -> None:
    holder, fact = next(
        (s, f) for s in scenarios.values() for f in s.facts if f.release is Release.SENSITIVE and f.trust > 0
    )
    told = Told(fact=fact.id, finding=fact.finding, state=fact.state.value, values=fact.values)  # type: ignore[arg-type]
    said = Utterance(text="Well.", told=(told,), query=Query(findings=(fact.finding,)), seq=1)

    def trusting(trust: float) -> Audited:
        mood = MoodChange(cause="empathy", trust=trust, irritation=0, anxiety=0)
        return audit([mood, said], holder, general, Mood(trust=0.5))

    assert trusting(fact.trust).clean
    assert trusting(fact.trust - 0.01).unreleased == 1


def test_an_invention_in_words_or_on_the_list(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    at = _answer(events)
    text = f"{at.text} {general.finding['ear_pain'].present}."
    assert _counts(audit(_doctored(events, at.seq, text=text), case, general, START)) == {"inventions": 1}
    for name in ("ear_pain", "no_such_finding"):
        told = (*at.told, Told(fact=name, finding=name, state="present"))
        assert _counts(audit(_doctored(events, at.seq, told=told), case, general, START)) == {"inventions": 1}


def test_a_fact_turned_round_is_an_invention(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    first = _opening(events)
    turned = tuple(t.model_copy(update={"state": "absent"}) for t in first.told[:1]) + first.told[1:]
    assert audit(_doctored(events, first.seq, told=turned), case, general, START).inventions >= 1


def test_another_value_is_an_invention(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    fact = next(f for f in case.facts if f.values and f.release is not Release.ORDER_ONLY)
    other = next(v for v in general.finding[fact.finding].value_ids if v not in fact.values)
    told = Told(fact=fact.id, finding=fact.finding, state="present", values=(other,))
    said = Utterance(text="Well.", told=(told,), query=Query(findings=(fact.finding,)), seq=0)
    assert _counts(audit([said], case, general, START)) == {"inventions": 1}


@pytest.mark.parametrize(
    "words", ["The vignette does not say.", "As an AI, I cannot say.", "How can I help you today?"]
)
def test_a_role_break(events: tuple[Event, ...], case: Scenario, general: Knowledge, words: str) -> None:
    at = _answer(events)
    found = audit(_doctored(events, at.seq, text=f"{at.text} {words}"), case, general, START)
    assert _counts(found) == {"role_breaks": 1}
    assert found.evidence == (at.seq,)


@pytest.mark.parametrize(("irritation", "early"), [(CALM - 0.01, True), (CALM, False), (0.9, False)])
def test_leaving_is_early_unless_there_was_reason(
    case: Scenario, general: Knowledge, irritation: float, *, early: bool
) -> None:
    mood = MoodChange(cause="repeat", trust=0.2, irritation=irritation, anxiety=0.2)
    gone = Stopped(reason=StopReason.PATIENT_LEFT, seq=1)
    found = audit([mood, gone], case, general, START)
    assert (found.early_end, found.evidence) == (early, (1,) if early else ())
    assert audit([mood, gone.model_copy(update={"reason": StopReason.TURN_LIMIT})], case, general, START).clean


def test_several_breaches_are_all_counted(events: tuple[Event, ...], case: Scenario, general: Knowledge) -> None:
    first, at = _opening(events), _answer(events)
    both = _doctored(
        events, at.seq, text=f"{at.text} The vignette does not say. {general.finding['ear_pain'].present}."
    )
    both = _doctored(both, first.seq, text=f"{first.text} As an AI, I am unsure.")
    found = audit(both, case, general, START)
    assert _counts(found) == {"inventions": 1, "role_breaks": 2}
    assert found.evidence == (first.seq, at.seq)
