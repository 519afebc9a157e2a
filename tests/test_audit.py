"""The audit: silent on every built-in consultation, and loud on each breach planted into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from consult.events import Audited, Event, MoodChange, Query, Question, Stopped, StopReason, Told, Utterance
from consult.knowledge.model import FindingKind, Knowledge
from consult.persona import Persona
from consult.scenario import Fact, Release, Scenario, State
from consult.score.audit import audit
from consult.sim.session import Setup, play

NAME = "indigestion_at_the_wheel"


@pytest.fixture(scope="module")
def case(scenarios: dict[str, Scenario]) -> Scenario:
    return scenarios[NAME]


@pytest.fixture(scope="module")
def events(setup_of: Callable[..., Setup]) -> tuple[Event, ...]:
    return play(setup_of(NAME, "neutral")).events


@pytest.fixture(scope="module")
def neutral(personas: dict[str, Persona]) -> Persona:
    return personas["neutral"]


def _counts(a: Audited) -> dict[str, int]:
    return {k: v for k in ("leaks", "unreleased", "inventions", "role_breaks") if (v := getattr(a, k))}


def _opening(events: Sequence[Event]) -> Utterance:
    return next(e for e in events if isinstance(e, Utterance))


def _answer(events: Sequence[Event]) -> Utterance:
    """The last answer to a question."""
    return [e for e in events if isinstance(e, Utterance) and e.query is not None and not e.query.asks_nothing][-1]


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
    events: tuple[Event, ...], case: Scenario, general: Knowledge, personas: dict[str, Persona], neutral: Persona
) -> None:
    again = audit(events[:-1], case, general, personas["neutral"])
    assert isinstance(events[-1], Audited)
    assert again == events[-1].model_copy(update={"seq": 0, "turn": 0})


def test_a_leak_is_found_where_it_was_planted(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    at = _answer(events)
    name = general.condition[case.gold.condition].name
    found = audit(_doctored(events, at.seq, text=f"{at.text} I fear it is {name}."), case, general, neutral)
    assert found.leaks == 1
    assert found.evidence == (at.seq,)
    assert not found.clean


def test_an_unreleased_fact_in_words_alone(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    at = _answer(events)
    fact = _fact(case, general, Release.DIRECT, events)
    text = f"{at.text} {general.finding[fact.finding].present}."
    found = audit(_doctored(events, at.seq, text=text), case, general, neutral)
    assert _counts(found) == {"unreleased": 1}
    assert found.evidence == (at.seq,)


def test_an_unreleased_fact_on_the_list_alone(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    at = _answer(events)
    fact = _fact(case, general, Release.DIRECT, events)
    told = (*at.told, Told(fact=fact.id, finding=fact.finding, state="present", rule="direct"))
    silent = audit(_doctored(events, at.seq, told=told), case, general, neutral)
    assert _counts(silent) == {"inventions": 1}, "recorded as told, and never said"
    text = f"{at.text} {general.finding[fact.finding].present}."
    assert _counts(audit(_doctored(events, at.seq, told=told, text=text), case, general, neutral)) == {"unreleased": 1}


def test_what_was_told_before_may_be_told_again(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    first, at = _opening(events), _answer(events)
    text = f"{at.text} {general.finding['heartburn'].present}."
    assert "heartburn" in {t.finding for t in first.told}
    assert audit(_doctored(events, at.seq, text=text, told=(*at.told, first.told[0])), case, general, neutral).clean


def test_more_than_the_opening_facts_at_the_opening(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    first = _opening(events)
    fact = next(f for f in case.facts if f.release is Release.VOLUNTEERED and not f.values)
    told = (*first.told, Told(fact=fact.id, finding=fact.finding, state="present"))
    text = f"{first.text} {general.finding[fact.finding].present}."
    assert audit(_doctored(events, first.seq, told=told, text=text), case, general, neutral).unreleased == 1


def test_a_sensitive_fact_told_without_trust(
    scenarios: dict[str, Scenario], general: Knowledge, neutral: Persona
) -> None:
    """Whatever mood the patient claims: the audit moves it again by how the question was put."""
    holder, fact = next(
        (s, f) for s in scenarios.values() for f in s.facts
        if f.release is Release.SENSITIVE and f.state is State.PRESENT and s.patient.speaker == "self"
        and general.finding[f.finding].kind is FindingKind.BINARY and f.trust > neutral.temper.start.trust
    )  # fmt: skip
    finding = general.finding[fact.finding]
    told = Told(fact=fact.id, finding=fact.finding, state="present", rule="sensitive")
    said = Utterance(text=f"{finding.present}.", told=(told,), query=Query(findings=(fact.finding,)), seq=2)
    claimed = MoodChange(cause="empathy", trust=1, irritation=0, anxiety=0, seq=1)

    def asked(*before: str) -> Audited:
        questions = [Question(text=text) for text in (*before, finding.questions[0])]
        return audit([*questions, claimed, said], holder, general, neutral)

    assert asked().unreleased == 1
    kind = "I'm sorry to hear that. That must be hard for you."
    assert asked(*[kind] * 5).clean


def test_an_invention_in_words_or_on_the_list(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    at = _answer(events)
    text = f"{at.text} {general.finding['ear_pain'].present}."
    assert _counts(audit(_doctored(events, at.seq, text=text), case, general, neutral)) == {"inventions": 1}
    for name in ("ear_pain", "no_such_finding"):
        told = (*at.told, Told(fact=name, finding=name, state="present"))
        assert _counts(audit(_doctored(events, at.seq, told=told), case, general, neutral)) == {"inventions": 1}


def test_a_fact_turned_round_is_an_invention(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    first = _opening(events)
    turned = tuple(t.model_copy(update={"state": "absent"}) for t in first.told[:1]) + first.told[1:]
    assert audit(_doctored(events, first.seq, told=turned), case, general, neutral).inventions >= 1


def test_another_value_is_an_invention(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    fact = next(f for f in case.facts if f.values and f.release is not Release.ORDER_ONLY)
    other = next(v for v in general.finding[fact.finding].value_ids if v not in fact.values)
    told = Told(fact=fact.id, finding=fact.finding, state="present", values=(other,))
    said = Utterance(text="Well.", told=(told,), query=Query(findings=(fact.finding,)), seq=0)
    assert _counts(audit([said], case, general, neutral)) == {"inventions": 1}


@pytest.mark.parametrize(
    "words", ["The vignette does not say.", "As an AI, I cannot say.", "How can I help you today?"]
)
def test_a_role_break(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, words: str, neutral: Persona
) -> None:
    at = _answer(events)
    found = audit(_doctored(events, at.seq, text=f"{at.text} {words}"), case, general, neutral)
    assert _counts(found) == {"role_breaks": 1}
    assert found.evidence == (at.seq,)


def test_leaving_is_early_unless_there_was_reason(
    case: Scenario, general: Knowledge, personas: dict[str, Persona]
) -> None:
    rude = [Question(text="Do you have a fever?", seq=i) for i in range(20)]
    claimed = MoodChange(cause="repeat", trust=0, irritation=1, anxiety=1, seq=98)
    gone = Stopped(reason=StopReason.PATIENT_LEFT, seq=99)
    choleric = personas["choleric"]
    early = audit([*rude[:1], claimed, gone], case, general, choleric)
    assert (early.early_end, early.evidence) == (True, (99,))
    assert not audit([*rude, gone], case, general, choleric).early_end
    assert audit([gone.model_copy(update={"reason": StopReason.TURN_LIMIT})], case, general, choleric).clean


def test_several_breaches_are_all_counted(
    events: tuple[Event, ...], case: Scenario, general: Knowledge, neutral: Persona
) -> None:
    first, at = _opening(events), _answer(events)
    both = _doctored(
        events, at.seq, text=f"{at.text} The vignette does not say. {general.finding['ear_pain'].present}."
    )
    both = _doctored(both, first.seq, text=f"{first.text} As an AI, I am unsure.")
    found = audit(both, case, general, neutral)
    assert _counts(found) == {"inventions": 1, "role_breaks": 2}
    assert found.evidence == (first.seq, at.seq)
