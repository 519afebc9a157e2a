"""The simulated patient: tells what the law admits and no more, tells it to whoever asks well, and has moods."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patient_world import PERSONAS, SCENARIOS, K, said_in, view_of

from consult.agents.base import PatientReply, PatientView
from consult.agents.patient import reference
from consult.agents.patient.policy import Policy
from consult.agents.patient.reference import ATTEMPTS, ReferencePatient
from consult.disclosure import admits, at_opening, is_direct
from consult.events import Concluded, Guarded, MoodChange, Query, Told
from consult.hospital import Hospital
from consult.knowledge.model import FindingKind, Knowledge
from consult.language.guard import breaches
from consult.language.realiser import Saying
from consult.language.voice import about_patient
from consult.persona import Mood, Persona
from consult.scenario import Fact, Release, Scenario, Speaker, State
from consult.sim.session import Setup, play

UNIT = st.floats(0, 1)
UNASKED = ("opening", "volunteered", "on_topic")
"""Rules of what is told beside what was asked for."""
NEVER = (Release.UNKNOWN, Release.ORDER_ONLY)


# --- the law -------------------------------------------------------------------------------------------------------


def _query(draw: Callable[..., Any], k: Knowledge, scenario: Scenario) -> Query:
    near = [f.finding for f in scenario.facts]
    names = st.sampled_from(near) | st.sampled_from([f.id for f in k.findings])
    return Query(
        findings=tuple(draw(st.lists(names, max_size=4, unique=True))),
        topics=tuple(draw(st.lists(st.sampled_from(sorted({f.topic for f in k.findings})), max_size=2, unique=True))),
        open=draw(st.booleans()),
        asks_nothing=draw(st.integers(0, 9)) == 0,
    )


@settings(max_examples=300)
@given(st.data())
def test_nothing_is_told_that_the_law_does_not_admit(data: st.DataObject) -> None:
    general, scenarios, personas = K, SCENARIOS, PERSONAS
    scenario = scenarios[data.draw(st.sampled_from(sorted(scenarios)))]
    persona = personas[data.draw(st.sampled_from(sorted(personas)))]
    query = _query(data.draw, general, scenario)
    mood = Mood(trust=data.draw(UNIT), irritation=data.draw(UNIT), anxiety=data.draw(UNIT))
    told = frozenset(data.draw(st.sets(st.sampled_from([f.finding for f in scenario.facts]))))
    recall = persona.model_copy(update={"recall": data.draw(UNIT)})
    policy = Policy(scenario, general, recall, mood, told, frozenset(), random.Random(data.draw(st.integers(0, 99))))
    plan = policy.answer(query)
    assert len({t.finding for t in plan.told}) == len(plan.told)
    for t in plan.told:
        fact = scenario.by_finding.get(t.finding)
        if t.state not in ("present", "absent"):
            continue
        if fact is None:
            f = general.finding[t.finding]
            fits = f.min_age <= scenario.patient.age <= f.max_age and f.sex in (None, scenario.patient.sex)
            assert t.state == "absent"
            assert scenario.closed_world or not fits
            continue
        assert (t.state, t.values, t.fact) == (fact.state.value, fact.values, fact.id), "told as it is"
        assert fact.release not in NEVER
        assert fact.release is not Release.SENSITIVE or mood.trust >= fact.trust
        assert admits(
            fact,
            query,
            trust=mood.trust,
            facts=scenario.by_finding,
            topic_of=general.topic_of,
            parent_of=general.parent_of,
            covered_by=general.covered_by,
        )
        assert not query.asks_nothing


@pytest.mark.parametrize(
    ("release", "state", "opened", "spoken_of", "asked"),
    [
        # whether it is told to: an open question, its topic, itself (with trust)
        (Release.OPENING, State.PRESENT, True, True, True),
        (Release.VOLUNTEERED, State.PRESENT, True, True, True),
        (Release.ON_TOPIC, State.PRESENT, False, True, True),
        (Release.ON_TOPIC, State.ABSENT, False, False, True),
        (Release.DIRECT, State.PRESENT, False, False, True),
        (Release.SENSITIVE, State.PRESENT, False, False, True),
        (Release.UNKNOWN, State.UNKNOWN, False, False, False),
        (Release.ORDER_ONLY, State.PRESENT, False, False, False),
    ],
)
def test_the_table_of_release_rules(
    general: Knowledge, release: Release, state: State, *, opened: bool, spoken_of: bool, asked: bool
) -> None:
    order = "ecg" if release is Release.ORDER_ONLY else None
    fact = Fact(finding="chest_pain", state=state, release=release, order=order)

    def told(trust: float = 1.0, **query: Any) -> bool:
        law = {
            "facts": {"chest_pain": fact},
            "topic_of": general.topic_of,
            "parent_of": general.parent_of,
            "covered_by": general.covered_by,
        }
        return bool(admits(fact, Query(**query), trust=trust, **law))  # type: ignore[arg-type]

    assert told(open=True) is opened
    assert told(topics=("chest",)) is spoken_of
    assert told(findings=("chest_pain",)) is asked
    assert told(findings=("chest_pain.radiation",)) is asked, "who asks for an attribute asks for what it belongs to"
    if release is Release.SENSITIVE:
        assert not told(trust=fact.trust - 0.01, findings=("chest_pain",))
        assert told(trust=fact.trust, findings=("chest_pain",))


LUMP, PUS = Fact(finding="lump", release=Release.SENSITIVE, trust=0.6), Fact(finding="lump.pus")


def test_a_detail_of_what_is_sensitive_is_as_sensitive(general: Knowledge) -> None:
    facts = {f.finding: f for f in (LUMP, PUS)}
    for fact, trust, rule in ((PUS, 0.59, ""), (PUS, 0.6, "sensitive"), (LUMP, 0.59, ""), (LUMP, 0.6, "sensitive")):
        asked = Query(findings=("lump.pus",))
        law = {
            "facts": facts,
            "topic_of": general.topic_of,
            "parent_of": general.parent_of,
            "covered_by": general.covered_by,
        }
        assert admits(fact, asked, trust=trust, **law) == rule  # type: ignore[arg-type]


def test_a_detail_told_at_the_opening_tells_what_it_belongs_to(general: Knowledge) -> None:
    lump = LUMP.model_copy(update={"release": Release.DIRECT})
    pus = PUS.model_copy(update={"release": Release.OPENING})
    assert at_opening((lump, pus), general.parent_of) == {"lump": "implied", "lump.pus": "opening"}
    assert at_opening((lump, PUS), general.parent_of) == {}


def test_an_absent_detail_says_the_thing_first_and_a_withheld_one_does_not(general: Knowledge) -> None:
    """Nobody who hears "no pus" must be left to guess whether there is a lump; of a secret nothing is said at all."""
    base = SCENARIOS["standing_room_only"]
    query = Query(findings=("lump.pus",))
    lump = LUMP.model_copy(update={"release": Release.DIRECT})
    absent = PUS.model_copy(update={"state": State.ABSENT})
    secret = PUS.model_copy(update={"release": Release.SENSITIVE})

    def told(*facts: Fact, trust: float = 0.2, before: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
        case = base.model_copy(update={"facts": facts})
        vars(case).pop("by_finding", None)
        mood = Mood(trust=trust, irritation=0, anxiety=0)
        policy = Policy(case, general, PERSONAS["neutral"], mood, before, frozenset(), random.Random(0))
        return [(t.finding, t.state) for t in policy.answer(query).told]

    assert told(lump, absent) == [("lump", "present"), ("lump.pus", "absent")]
    assert told(lump, absent, before=frozenset({"lump"})) == [("lump.pus", "absent")]
    assert told(lump, secret) == [("lump.pus", "withheld")]
    assert told(LUMP, PUS) == [("lump", "withheld")]
    assert told(LUMP, PUS, trust=0.7) == [("lump", "present"), ("lump.pus", "present")]


def test_asking_for_a_finding_does_not_ask_for_its_attributes(general: Knowledge) -> None:
    assert not is_direct("chest_pain.radiation", Query(findings=("chest_pain",)), general.parent_of)
    assert is_direct("chest_pain", Query(findings=("chest_pain.radiation",)), general.parent_of)


# --- fairness ------------------------------------------------------------------------------------------------------


def _obtainable(scenario: Scenario) -> list[Fact]:
    return [f for f in scenario.facts if f.release not in NEVER]


def test_every_obtainable_fact_is_told_to_a_courteous_doctor_under_every_persona(
    general: Knowledge, scenarios: dict[str, Scenario], personas: dict[str, Persona]
) -> None:
    missing, checked = [], 0
    for place, (name, scenario) in enumerate(scenarios.items()):
        for persona in list(personas)[place % 3 :: 3]:  # the others with the next two
            for fact in _obtainable(scenario):
                question = f"I'm sorry you are going through this. {general.finding[fact.finding].questions[0]}"
                mood = Mood(trust=1, irritation=0.1, anxiety=0.3)
                said = said_in(ReferencePatient().reply(view_of(name, persona, question, mood=mood)))
                hit = [t for t in said.told if t.finding == fact.finding and t.state == fact.state.value]
                checked += 1
                if not hit or hit[0].values != fact.values:
                    missing.append((name, persona, fact.id, said.text))
    assert missing == []
    assert checked > 500


def test_a_child_s_facts_are_told_to_who_asks_the_parent_about_it() -> None:
    checked = 0
    for name, scenario in SCENARIOS.items():
        if scenario.patient.speaker is Speaker.SELF:
            continue
        for fact in _obtainable(scenario):
            question = about_patient(K.finding[fact.finding].questions[0], scenario.patient.sex)
            said = said_in(ReferencePatient().reply(view_of(name, "neutral", question, mood=Mood(trust=1))))
            assert fact.id in {t.fact for t in said.told if t.state == fact.state.value}, question
            checked += 1
    assert checked > 20


def test_who_is_asked_for_an_attribute_says_what_it_belongs_to() -> None:
    """ "No, not at rest" alone would leave unsaid that there is breathlessness at all."""
    fact = SCENARIOS["barking_at_night"].by_finding
    assert fact["breathlessness"].state is State.PRESENT
    question = "Is he short of breath even at rest?"
    first = said_in(ReferencePatient().reply(view_of("barking_at_night", "neutral", question)))
    assert [(t.finding, t.state, t.rule) for t in first.told if t.rule not in UNASKED] == [
        ("breathlessness", "present", "direct"),
        ("breathlessness.rest", "absent", "direct"),
    ]
    assert "He is short of breath." in first.text
    assert not first.text.startswith("Yes")
    told = first.told
    again = said_in(ReferencePatient().reply(view_of("barking_at_night", "neutral", question, told=told)))
    assert [t.finding for t in again.told if t.rule not in UNASKED] == ["breathlessness.rest"]


def test_a_sensitive_fact_is_kept_from_whoever_is_not_trusted(
    general: Knowledge, scenarios: dict[str, Scenario]
) -> None:
    kept = 0
    for name, scenario in scenarios.items():
        for fact in scenario.facts:
            if fact.release is Release.SENSITIVE and fact.trust > 0.1:
                question = general.finding[fact.finding].questions[0]
                said = said_in(ReferencePatient().reply(view_of(name, "neutral", question, mood=Mood(trust=0))))
                assert [t.state for t in said.told] == ["withheld"]
                assert "reluctant" in said.flags
                kept += 1
    assert kept


def test_what_cannot_be_known_is_not_known(general: Knowledge, scenarios: dict[str, Scenario]) -> None:
    for name, scenario in scenarios.items():
        for fact in scenario.facts:
            questions = general.finding[fact.finding].questions
            if fact.release in NEVER and questions:
                said = said_in(ReferencePatient().reply(view_of(name, "neutral", questions[0], mood=Mood(trust=1))))
                assert [t.state for t in said.told if t.finding == fact.finding] == ["unknown"]


def test_nothing_recorded_is_never_made_up(general: Knowledge, scenarios: dict[str, Scenario]) -> None:
    scenario = scenarios["indigestion_at_the_wheel"]
    assert not scenario.closed_world
    for f in general.findings:
        if f.id not in scenario.by_finding and f.questions and f.parent is None and f.kind is FindingKind.BINARY:
            said = said_in(ReferencePatient().reply(view_of(scenario.id, "neutral", f.questions[0])))
            if f.source != "history":
                expected = "unknown"
            else:
                fits = f.min_age <= scenario.patient.age <= f.max_age and f.sex in (None, scenario.patient.sex)
                expected = "not_noticed" if fits else "absent"
            assert [t.state for t in said.told if t.rule not in UNASKED] == [expected]


@pytest.mark.parametrize(
    ("scenario", "question", "told", "rest"),
    [
        ("pea_under_the_lid", "Do you have any long-term illnesses?", ["past.hypertension"], "nothing_else"),
        ("pea_under_the_lid", "What operations have you had?", [], "unrecorded"),
        ("rash_after_lunch", "What illnesses have you had in the past?", ["past.asthma", "past.atopy"], "nothing_else"),
    ],
)
def test_who_is_asked_for_illnesses_or_operations_names_those_there_are(
    scenario: str, question: str, told: list[str], rest: str
) -> None:
    said = said_in(ReferencePatient().reply(view_of(scenario, "phlegmatic", question)))
    assert sorted(t.finding for t in said.told if t.state == "present" and t.finding.startswith("past")) == told
    assert [(t.state, t.rule) for t in said.told if t.state != "present"] == [("not_noticed", rest)]


def test_illnesses_that_do_not_come_to_mind_are_not_denied() -> None:
    question = "Do you have any long-term illnesses?"
    first = ReferencePatient().reply(view_of("pea_under_the_lid", "neutral+recall=0", question))
    assert [t.state for t in said_in(first).told] == ["unknown"]
    again = ReferencePatient().reply(view_of("pea_under_the_lid", "neutral+recall=0", question, memory=first.memory))
    assert "past.hypertension" in {t.finding for t in said_in(again).told}


def test_what_slips_the_mind_comes_back_when_asked_again(personas: dict[str, Persona]) -> None:
    forgetful = personas["neutral"].model_copy(update={"recall": 0.0})
    view = view_of("indigestion_at_the_wheel", question="Do you feel sick?", persona="neutral")
    view = replace(view, persona=forgetful)
    first = ReferencePatient().reply(view)
    assert [t.state for t in said_in(first).told] == ["unknown"]
    again = ReferencePatient().reply(replace(view, memory=first.memory, turn=2))
    assert [t.state for t in said_in(again).told] == ["present"]


def test_the_opening_tells_the_opening_facts_and_nothing_else(
    scenarios: dict[str, Scenario], personas: dict[str, Persona]
) -> None:
    for name, scenario in scenarios.items():
        expected = {f.finding for f in scenario.facts if f.release is Release.OPENING}
        expected |= {
            p for f in expected if (p := K.finding[f].parent) and scenario.by_finding[f].state is State.PRESENT
        }
        for persona in personas:
            reply = ReferencePatient().open(view_of(name, persona))
            assert {t.finding for t in said_in(reply).told} == expected
            assert not any(isinstance(e, Guarded) for e in reply.events)


def test_the_same_seed_says_the_same_words_and_another_others() -> None:
    question = "I'm sorry to hear that. Tell me more about what has been going on."
    view = view_of("indigestion_at_the_wheel", "sanguine", question)
    assert ReferencePatient().reply(view) == ReferencePatient().reply(view)
    assert len({said_in(ReferencePatient().reply(replace(view, seed=s))).text for s in range(9)}) > 3


def test_temperament_changes_how_much_comes_unasked() -> None:
    question = "Tell me more about what has been going on."

    def told(persona: str) -> float:
        replies = [ReferencePatient().reply(view_of("worst_monday", persona, question, seed=s)) for s in range(30)]
        return sum(len(said_in(r).told) for r in replies) / 30

    assert told("sanguine") > told("neutral") > told("phlegmatic")


def test_tone_never_changes_what_is_true(scenarios: dict[str, Scenario]) -> None:
    tones = set()
    for persona in ("sanguine", "melancholic", "phlegmatic"):
        for seed in range(20):
            view = view_of("indigestion_at_the_wheel", persona, "Do you feel sick?", seed=seed)
            (told,) = [t for t in said_in(ReferencePatient().reply(view)).told if t.finding == "nausea"]
            assert told.state == "present"
            tones.add(told.tone)
    assert tones == {"plain", "played_down", "dramatised"}


# --- moods ---------------------------------------------------------------------------------------------------------


def _talk(view: PatientView, questions: list[str]) -> list[PatientReply]:
    """Replies to one question after another, until the patient leaves."""
    out: list[PatientReply] = []
    told: list[Told] = []
    for turn, question in enumerate(questions, 1):
        view = replace(view, question=question, turn=turn, told=tuple(told))
        reply = ReferencePatient().reply(view)
        out.append(reply)
        if reply.leaves:
            break
        told += said_in(reply).told
        view = replace(view, mood=reply.mood, memory=reply.memory)
    return out


RUDE = "Any dyspnoea? Any haemoptysis? Any syncope? Any pyrexia?"


def test_a_choleric_patient_leaves_a_rude_doctor() -> None:
    replies = _talk(view_of("indigestion_at_the_wheel", "choleric"), [RUDE] * 30)
    assert replies[-1].leaves
    assert len(replies) < 20
    assert said_in(replies[-1]).told == ()
    assert "leaves" in said_in(replies[-1]).flags


def test_a_neutral_patient_bears_with_the_same_doctor() -> None:
    assert not any(r.leaves for r in _talk(view_of("indigestion_at_the_wheel", "neutral"), [RUDE] * 14))


def test_a_choleric_patient_stays_thirty_questions_with_a_courteous_doctor(general: Knowledge) -> None:
    plain = [f.questions[0] for f in general.findings if f.questions and f.source == "history"]
    courteous = [f"I understand how hard this is for you. I'm asking because it helps me. {q}" for q in plain[:30]]
    replies = _talk(view_of("indigestion_at_the_wheel", "choleric"), courteous)
    assert len(replies) == 30
    assert not replies[-1].leaves
    assert replies[-1].mood.trust > 0.6


def test_a_mood_that_only_an_irritated_patient_has_closes_the_mouth() -> None:
    question = "Tell me more about what has been going on."
    calm = [
        said_in(ReferencePatient().reply(view_of("worst_monday", "sanguine", question, seed=s))).told for s in range(20)
    ]
    cross = Mood(trust=0.2, irritation=0.95, anxiety=0.3)
    closed = [
        said_in(ReferencePatient().reply(view_of("worst_monday", "sanguine", question, seed=s, mood=cross))).told
        for s in range(20)
    ]
    assert sum(map(len, closed)) < sum(map(len, calm)) / 2


def test_what_is_not_understood_is_said_so_and_irritates() -> None:
    reply = ReferencePatient().reply(view_of("indigestion_at_the_wheel", "neutral", "Wherefore the quuxness of zorb?"))
    assert "not_understood" in said_in(reply).flags
    assert "misunderstood" in [e.cause for e in reply.events if isinstance(e, MoodChange)]


# --- the guard -----------------------------------------------------------------------------------------------------


def _kinds(text: str, scenario: Scenario, k: Knowledge, *told: Told, asked: tuple[str, ...] = ()) -> set[str]:
    return {f.breach for f in breaches(text, asked, told, (), scenario, k)}


def test_the_guard_finds_what_was_planted(general: Knowledge, scenarios: dict[str, Scenario]) -> None:
    s = scenarios["indigestion_at_the_wheel"]
    gold = general.condition[s.gold.condition]
    for name in (gold.name, *gold.synonyms):
        assert "leak" in _kinds(f"I think it is {name}.", s, general), name
    direct = next(f for f in s.facts if f.release is Release.DIRECT and f.state is State.PRESENT and not f.values
                  and general.finding[f.finding].kind is FindingKind.BINARY)  # fmt: skip
    sentence = general.finding[direct.finding].present + "."
    assert _kinds(sentence, s, general) == {"unreleased"}
    now = Told(fact=direct.id, finding=direct.finding, state="present", rule="direct")
    assert _kinds(sentence, s, general, now) == set()
    assert "ear_pain" not in s.by_finding
    assert _kinds(general.finding["ear_pain"].present + ".", s, general) == {"invention"}
    opposite = general.finding[direct.finding].absent + "."
    assert _kinds(opposite, s, general, now) == {"contradiction"}
    assert _kinds(f"{sentence} {opposite}", s, general, now) == {"contradiction"}, "and so is saying both"


@pytest.mark.parametrize("text", [
    "The vignette does not say.", "As an AI, I cannot feel pain.", "How can I help you today?", "The patient denies fever.",
    "My differential diagnosis is open.", "That is not mentioned in my notes.", "Your symptoms suggest nothing.",
])  # fmt: skip
def test_the_guard_hears_whoever_falls_out_of_the_role(
    general: Knowledge, scenarios: dict[str, Scenario], text: str
) -> None:
    assert "role_break" in _kinds(text, scenarios["indigestion_at_the_wheel"], general)


def test_every_line_of_the_templates_passes_the_guard(
    general: Knowledge, scenarios: dict[str, Scenario], personas: dict[str, Persona]
) -> None:
    for place, scenario in enumerate(scenarios.values()):
        persona = list(personas.values())[place % len(personas)]  # the others with the next ones
        for bank in type(persona.wording).model_fields:
            for text in getattr(persona.wording, bank):
                assert _kinds(text, scenario, general) == set(), (persona.id, bank, text)


def test_a_bad_wording_is_retried_and_then_replaced_and_both_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A realiser that always leaks never gets a word in."""
    monkeypatch.setattr(reference, "realise", lambda *a, **k: "The vignette says I have a sore throat.")
    reply = ReferencePatient().reply(view_of("indigestion_at_the_wheel", "neutral", "Do you feel sick?"))
    stopped = [e for e in reply.events if isinstance(e, Guarded)]
    assert [(e.attempt, e.action) for e in stopped if e.breach == "role_break"] == [
        *((n, "retried") for n in range(1, ATTEMPTS)),
        (ATTEMPTS, "replaced"),
    ]
    assert {e.breach for e in stopped} == {"role_break", "invention"}
    assert "vignette" not in said_in(reply).text
    assert "throat" not in said_in(reply).text
    assert said_in(reply).told == (), "what was not said is not on record as told"


def test_a_second_wording_that_is_sound_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = reference.realise
    tries: list[Saying] = []

    def first_bad(saying: Saying, *rest: Any) -> str:
        tries.append(saying)
        return "As an AI, I feel sick." if len(tries) == 1 else sound(saying, *rest)

    monkeypatch.setattr(reference, "realise", first_bad)
    reply = ReferencePatient().reply(view_of("indigestion_at_the_wheel", "neutral", "Do you feel sick?"))
    assert [(e.breach, e.action) for e in reply.events if isinstance(e, Guarded)] == [("role_break", "retried")]
    assert "sick" in said_in(reply).text
    assert "AI" not in said_in(reply).text
    assert [t.finding for t in said_in(reply).told if t.rule == "direct"] == ["nausea"]


def test_a_cue_that_was_not_said_is_no_cue(personas: dict[str, Persona], monkeypatch: pytest.MonkeyPatch) -> None:
    sound = reference.realise
    melancholic = view_of("indigestion_at_the_wheel", "melancholic", "Do you feel sick?")
    seed = next(s for s in range(99) if said_in(ReferencePatient().reply(replace(melancholic, seed=s))).cue)
    monkeypatch.setattr(reference, "realise", lambda s, *r: sound(s, *r) + (" As an AI, I worry." if s.extras else ""))
    reply = ReferencePatient().reply(replace(melancholic, seed=seed))
    assert (said_in(reply).cue, reply.memory["cue"]) == ("", "")
    assert not {"emotion", "seek_reassurance"} & set(said_in(reply).flags)


def test_a_leaking_opening_is_replaced_by_the_templates(scenarios: dict[str, Scenario]) -> None:
    s = scenarios["indigestion_at_the_wheel"]
    leaky = s.model_copy(update={"opening": "The script says it is my heart."})
    reply = ReferencePatient().open(replace(view_of(s.id), scenario=leaky))
    assert [e.breach for e in reply.events if isinstance(e, Guarded)] == ["role_break"]
    assert "script" not in said_in(reply).text


def test_what_is_explained_to_a_carer_speaks_of_the_patient(general: Knowledge, hospital: Hospital) -> None:
    events = play(Setup(SCENARIOS["dropping_the_cups"], PERSONAS["neutral"], hospital, general)).events
    (end,) = [e for e in events if isinstance(e, Concluded)]
    assert general.condition["stroke"].explanation.startswith("A vessel in your brain")
    assert "A vessel in his brain is blocked" in end.explanation


def test_a_scenario_may_say_a_fact_in_words_of_its_own() -> None:
    """Knowledge says "I might be pregnant", for those who might be; who is eight months gone does not."""
    for persona in PERSONAS:
        question = "Could you be pregnant?"
        said = said_in(ReferencePatient().reply(view_of("painting_the_nursery", persona, question, mood=Mood(trust=1))))
        assert "risk.pregnancy" in {t.finding for t in said.told if t.state == "present"}
        assert "might be" not in said.text
