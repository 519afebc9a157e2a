"""Personas: specs and their axes, grades, literacy, recall, who speaks for whom, the last word, fairness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from patient_world import HEART, PERSONAS, SCENARIOS, K, said_in, view_of

from consult.agents.base import Ending, PatientReply
from consult.agents.patient.reference import ReferencePatient
from consult.agents.patient.speaker import ADULT, SPEAKS_FROM, spoken_by
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import Audited, Stopped, StopReason, Utterance
from consult.hospital import load_hospital
from consult.knowledge.model import Source
from consult.language.extractor import extract
from consult.language.manner import _jargon as terms_of
from consult.language.manner import jargon, understood
from consult.language.realiser import OWN_TOPICS, spoken
from consult.language.resolver import resolve
from consult.language.voice import about_patient
from consult.persona import NEUTRAL, Mood, Wording, load_persona
from consult.scenario import Fact, Release, Scenario, Speaker, State
from consult.sim.session import Setup, play
from consult.terms import Sex

TEMPERAMENTS = sorted(set(PERSONAS) - {NEUTRAL})
NEVER = (Release.UNKNOWN, Release.ORDER_ONLY)


def _fields(case: Scenario) -> dict[str, Any]:
    return {k: getattr(case, k) for k in Scenario.model_fields}


# --- specs ---------------------------------------------------------------------------------------------------------


def test_axes_go_with_any_temperament_and_stand_in_the_id() -> None:
    p = load_persona("choleric@0.5+literacy=low+recall=0.7+register=colloquial+speaker=carer")
    assert p.id == "choleric@0.5+literacy=low+recall=0.7+register=colloquial+speaker=carer"
    assert (p.health_literacy, p.recall, p.speech, p.speaker) == ("low", 0.7, "colloquial", "carer")
    assert p.traits == load_persona("choleric@0.5").traits


@pytest.mark.parametrize(
    ("spec", "shortest"),
    [
        ("choleric@1", "choleric"),
        ("choleric@0.50", "choleric@0.5"),
        ("neutral@0.3", "neutral"),
        ("neutral+literacy=medium", "neutral"),
        ("neutral+recall=1", "neutral"),
        ("neutral+register=plain", "neutral"),
        ("neutral+speaker=self+literacy=high", "neutral+literacy=high+speaker=self"),
        ("sanguine+recall=0.70", "sanguine+recall=0.7"),
    ],
)
def test_the_id_is_the_spec_in_its_shortest_form(spec: str, shortest: str) -> None:
    assert load_persona(spec).id == shortest
    assert load_persona(shortest) == load_persona(spec)


@given(
    st.sampled_from(TEMPERAMENTS), st.integers(0, 20), st.permutations(["literacy=low", "recall=0.4", "speaker=carer"])
)
def test_the_order_of_axes_makes_no_difference(name: str, grade: int, axes: list[str]) -> None:
    spec = f"{name}@{grade / 20:g}"
    assert load_persona("+".join([spec, *axes])) == load_persona("+".join([spec, *sorted(axes)]))


BROKEN = [
    ("choleric@", "grade"), ("choleric@2", "grade"), ("choleric@nan", "grade"), ("choleric@x", "grade"),
    ("choleric@-0.1+literacy=low", "grade"), ("choleric+mood=high", "is no axis"), ("choleric+low", "is no axis"),
    ("choleric+", "is no axis"), ("choleric+literacy=", "low, medium, high"), ("choleric+literacy=some", "low, medium, high"),
    ("neutral+recall=2", "0 to 1"), ("neutral+recall=nan", "0 to 1"), ("neutral+recall", "0 to 1"),
    ("neutral+register=posh", "plain, formal, colloquial"), ("neutral+speaker=dog", "self, parent, carer"),
    ("neutral+recall=0.5+recall=0.6", "twice"), ("no_such+literacy=low", "there is no"), ("+literacy=low", "there is no"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "words"), BROKEN)
def test_a_broken_spec_is_told_in_one_line(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as e:
        load_persona(spec)
    assert str(e.value).startswith("--persona: ")
    assert "(mend: " in str(e.value)
    done = CliRunner().invoke(cli, ["run", HEART, "--persona", spec, "--no-save", "--quiet"], prog_name="consult")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1


def test_a_file_may_set_axes_and_the_spec_counts_over_it(tmp_path: Path) -> None:
    text = (
        "id: gran\nname: Gran\ndescription: Old.\nhealth_literacy: low\nrecall: 0.5\nspeech: formal\n"
        "facets: {symptom_description: a, asking_questions: b, communication_style: c, attitude_to_treatment: d,"
        " emotional_involvement: e}\n"
    )
    path = tmp_path / "gran+x.yaml"
    path.write_text(text, "utf-8")
    assert load_persona(str(path)).id == "gran+literacy=low+recall=0.5+register=formal"
    path = tmp_path / "gran.yaml"
    path.write_text(text, "utf-8")
    p = load_persona(f"{path}@0.5+literacy=medium+recall=0.9")
    assert (p.health_literacy, p.recall, p.speech) == ("medium", 0.9, "formal")
    assert p.id == "gran@0.5+literacy=medium+recall=0.9+register=formal"


def test_axes_travel_into_the_transcript_and_a_batch_takes_several() -> None:
    args = [
        "batch",
        "--scenarios",
        HEART,
        "--personas",
        "neutral+literacy=low,choleric@0.5+recall=0.5",
        "--dry-run",
        "--json",
    ]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 0, done.output
    assert "neutral+literacy=low" in done.stdout
    assert "choleric@0.5+recall=0.5" in done.stdout
    setup = Setup(SCENARIOS[HEART], load_persona("phlegmatic+register=formal"), load_hospital(), K)
    assert play(setup).header.persona == "phlegmatic+register=formal"


# --- grades --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPERAMENTS)
def test_a_grade_draws_numbers_and_words_towards_neutral(name: str) -> None:
    neutral, full = PERSONAS[NEUTRAL], PERSONAS[name]
    for grade in (0.0, 0.25, 0.5, 0.75, 1.0):
        p = load_persona(f"{name}@{grade:g}")
        for trait in type(p.traits).model_fields:
            a, b = getattr(neutral.traits, trait), getattr(full.traits, trait)
            assert getattr(p.traits, trait) == pytest.approx(a + (b - a) * grade, abs=1e-6)
        for bank in Wording.model_fields:
            phrases, own = getattr(p.wording, bank), set(getattr(full.wording, bank))
            others = set(getattr(neutral.wording, bank)) - own
            share = 1 - len(others & set(phrases)) / len(phrases)
            assert (
                abs(share - grade) <= 0.1 + 0.2 * (len(own) > 16) or len(own & set(getattr(neutral.wording, bank))) > 1
            )
            assert len(phrases) >= 16


# --- literacy ------------------------------------------------------------------------------------------------------


def _clinical() -> tuple[str, str]:
    """A finding, and a question that names it in a doctor's word only."""
    for f in (f for f in K.findings if f.source is Source.HISTORY):
        text = f"Do you have any {f.clinical}?"
        if f.clinical and f.parent is None and jargon(text, terms_of(K)) and resolve(text, K).findings == (f.id,):
            return f.id, text
    raise AssertionError("no clinical word is a finding's only name")


def test_low_literacy_does_not_understand_clinical_words_and_asks() -> None:
    f_id, text = _clinical()
    low = ReferencePatient().reply(view_of(HEART, "neutral+literacy=low", text))
    assert said_in(low).flags == ("unclear_word",)
    assert said_in(low).text in PERSONAS[NEUTRAL].wording.unclear_word
    assert said_in(low).query is not None
    assert said_in(low).query.findings == ()  # type: ignore[union-attr]
    for level in ("medium", "high"):
        said = said_in(ReferencePatient().reply(view_of(HEART, f"neutral+literacy={level}", text)))
        assert f_id in {t.finding for t in said.told}
    trust = {
        level: ReferencePatient().reply(view_of(HEART, f"neutral+literacy={level}", text)).mood.trust
        for level in ("low", "medium", "high")
    }
    assert trust["low"] < trust["medium"] < trust["high"]


def test_what_is_said_in_plain_words_too_is_understood() -> None:
    f_id, text = _clinical()
    both = f"{text[:-1]}, I mean {K.finding[f_id].plain}?"
    assert understood(both, resolve(both, K), K, "low").findings == resolve(both, K).findings
    plain = K.finding["fever"].questions[0]
    assert understood(plain, resolve(plain, K), K, "low") == resolve(plain, K)


def test_half_a_question_is_answered_and_no_bare_word_answers_the_other_half() -> None:
    f_id, text = _clinical()
    stacked = f"{text[:-1]} or a cough?"
    said = said_in(ReferencePatient().reply(view_of("barking_at_night", "phlegmatic+literacy=low", stacked)))
    assert {t.finding for t in said.told} >= {"cough"}
    assert f_id not in {t.finding for t in said.told}
    assert "unclear_word" in said.flags
    read = {r.finding: r.state for r in extract(said.text, K, (f_id, "cough"))}
    assert read.get(f_id) not in ("present", "absent")
    assert read["cough"] == "present"


def test_a_patient_of_low_literacy_passes_the_audit_with_a_doctor_who_talks_latin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, text = _clinical()
    from consult.actions import Ask, Conclude
    from consult.agents.base import InquirerView
    from consult.sim import session

    class Latin:
        def act(self, view: InquirerView) -> Any:
            return Ask(text=text) if view.questions_left else Conclude(differential=())

    sound = session.context
    monkeypatch.setattr(session, "context", lambda s: replace(sound(s), inquirer=Latin()))
    for spec in ("neutral+literacy=low", "melancholic+literacy=low+recall=0.3+register=formal"):
        events = play(Setup(SCENARIOS[HEART], load_persona(spec), load_hospital(), K)).events
        assert isinstance(events[-1], Audited)
        assert events[-1].clean


# --- recall --------------------------------------------------------------------------------------------------------


def test_a_second_ask_always_brings_it() -> None:
    forgot = 0
    for name, scenario in list(SCENARIOS.items())[::3]:
        for fact in scenario.facts:
            if fact.release in NEVER or fact.release is Release.OPENING:
                continue
            q = K.finding[fact.finding].questions[0]
            if scenario.patient.speaker is not Speaker.SELF:
                q = about_patient(q, scenario.patient.sex)
            view = view_of(name, "neutral+recall=0", q, mood=Mood(trust=1))
            first = ReferencePatient().reply(view)
            if any(t.rule == "recall" for t in said_in(first).told):
                forgot += 1
                assert extract(said_in(first).text, K, (fact.finding,))[-1].state == "unknown"
            again = ReferencePatient().reply(replace(view, mood=first.mood, memory=first.memory, turn=2))
            states = {t.finding: t.state for t in said_in(again).told}
            assert states.get(fact.finding) == fact.state.value, (name, fact.id, said_in(again).text)
    assert forgot > 100


def test_recall_is_graded() -> None:
    def told(recall: float) -> int:
        views = (
            view_of(HEART, f"neutral+recall={recall}", K.finding[f.finding].questions[0], seed=s)
            for s in range(24) for f in SCENARIOS[HEART].facts if f.release is Release.DIRECT
        )  # fmt: skip
        return sum(t.state in ("present", "absent") for v in views for t in said_in(ReferencePatient().reply(v)).told)

    counts = [told(r) for r in (0.1, 0.4, 0.7, 1)]
    assert counts == sorted(counts)
    assert len(set(counts)) == 4


# --- who speaks ----------------------------------------------------------------------------------------------------


def test_a_carer_speaks_in_the_third_person_and_does_not_know_what_only_the_patient_can_tell() -> None:
    case = SCENARIOS["panicky_new_mother"]
    carer = spoken_by(case, "carer", K)
    assert carer.patient.speaker is Speaker.CARER
    assert case.patient.speaker is Speaker.SELF, "the scenario itself is as it was"
    for before, now in zip(case.facts, carer.facts, strict=True):
        f = K.finding[before.finding]
        inner = f.topic in OWN_TOPICS or f.sensitive or before.release is Release.SENSITIVE
        if before.release in NEVER:
            assert now == before
        elif inner:
            assert (now.state, now.release, now.text) == (State.UNKNOWN, Release.UNKNOWN, "")
        else:
            assert (now.state, now.values, now.release) == (before.state, before.values, before.release)
    said = said_in(ReferencePatient().open(view_of(carer, "neutral")))
    assert "She is short of breath." in said.text
    assert " I am" not in said.text


def test_a_carer_s_consultation_is_fair_and_says_who_speaks() -> None:
    for name in ("sanguine", "phlegmatic"):
        setup = Setup(SCENARIOS[HEART], load_persona(f"{name}+speaker=carer"), load_hospital(), K)
        done = play(setup)
        assert done.header.names["speaker"] == "carer"
        assert isinstance(done.events[-1], Audited)
        assert done.events[-1].clean
        assert (
            done.header.provenance.scenario
            == Setup(setup.scenario, PERSONAS[name], setup.hospital, K).provenance.scenario
        )


def test_phrases_know_whom_they_are_about() -> None:
    """What stands in braces is the patient's: "I" said by the patient, "she" said by a parent."""
    assert spoken("Will {I} get through it? {I'm} so {my} own.", None) == "Will I get through it? I'm so my own."
    assert spoken("{I don't} mind it. Put {me} first.", Sex.MALE) == "He doesn't mind it. Put him first."
    assert spoken("What {I have}, and what {I'll} do.", Sex.FEMALE) == "What she has, and what she will do."
    baby = view_of("baby_pulls_up_legs", "melancholic")
    last = {
        said_in(ReferencePatient().close(replace(baby, seed=s), Ending(StopReason.CONCLUDED, PLAIN, grave=True))).text
        for s in range(60)
    }
    assert any("will she get through it?" in t for t in last)
    assert not any("will I get" in t or "{" in t for t in last)
    for p in PERSONAS.values():
        for bank in Wording.model_fields:
            for phrase in (*p.bank(bank), *p.bank(bank, grave=True)):
                assert phrase.count("{") == phrase.count("}")


def test_a_carer_asked_for_their_own_worry_does_not_say_that_they_do_not_know() -> None:
    carer = spoken_by(SCENARIOS[HEART], "carer", K)
    said = said_in(ReferencePatient().reply(view_of(carer, "choleric", K.finding["ice.concern"].questions[0])))
    assert said.text.startswith("I can't say, nothing in particular.")


def test_who_cannot_speak_is_told_before_anything_runs() -> None:
    baby = next(s for s in SCENARIOS.values() if s.patient.age < SPEAKS_FROM)
    adult = next(s for s in SCENARIOS.values() if s.patient.age >= ADULT)
    for case, who in ((baby, "self"), (adult, "parent")):
        with pytest.raises(UsageError, match=case.id):
            spoken_by(case, who, K)
        with pytest.raises(UsageError, match="mend"):
            _ = Setup(case, load_persona(f"neutral+speaker={who}"), load_hospital(), K).cell
        args = ["run", case.id, "--persona", f"neutral+speaker={who}", "--no-save"]
        done = CliRunner().invoke(cli, args, prog_name="consult")
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    own = baby.patient.speaker.value
    assert spoken_by(baby, own, K) is baby
    assert spoken_by(baby, "carer", K).patient.speaker is Speaker.CARER


def test_free_words_change_sides_with_the_speaker() -> None:
    case = SCENARIOS[HEART]
    own = Fact(finding="medication", text="my father's heart pills", release=Release.DIRECT)
    case = Scenario(**(_fields(case) | {"facts": (*(f for f in case.facts if f.finding != "medication"), own)}))
    assert spoken_by(case, "carer", K).by_finding["medication"].text == "his father's heart pills"
    child = case.patient.model_copy(update={"age": 10, "speaker": Speaker.PARENT})
    theirs = own.model_copy(update={"text": "his inhaler"})
    told = Scenario(**(_fields(case) | {"patient": child, "facts": (*case.facts[:-1], theirs)}))
    assert spoken_by(told, "self", K).by_finding["medication"].text == "my inhaler"


# --- the last word -------------------------------------------------------------------------------------------------

PLAIN = "I think this is an infection that passes by itself within a week, so rest and drink a lot."


def _last(persona: str, ending: Ending, **changes: Any) -> Utterance:
    return said_in(ReferencePatient().close(view_of(HEART, persona, **changes), ending))


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_the_last_word_goes_by_what_was_explained_and_by_the_mood(name: str) -> None:
    words = PERSONAS[name].wording
    good = _last(name, Ending(StopReason.CONCLUDED, PLAIN))
    assert good.text.startswith(words.thanks)
    assert _last(name, Ending(StopReason.CONCLUDED, PLAIN, grave=True)).text in words.sobered
    for text in ("", "Influenza."):
        assert _last(name, Ending(StopReason.CONCLUDED, text)).text in words.unsettled
    wary = Mood(trust=0.05, irritation=0.2, anxiety=0.5)
    assert _last(name, Ending(StopReason.CONCLUDED, PLAIN), mood=wary).text in words.unsettled
    cross = Mood(trust=0.6, irritation=1, anxiety=0.5)
    assert _last(name, Ending(StopReason.CONCLUDED, PLAIN), mood=cross).text in words.unsettled


def test_attitude_to_treatment_is_said_as_often_as_the_trait_has_it() -> None:
    end = Ending(StopReason.CONCLUDED, PLAIN)
    shares = {n: sum("treatment" in _last(n, end, seed=s).flags for s in range(40)) / 40 for n in PERSONAS}
    for name, share in shares.items():
        assert share == pytest.approx(PERSONAS[name].traits.speak_up, abs=0.2)


@pytest.mark.parametrize("inquirer", ["reference", "curt"])
def test_every_conclusion_has_a_last_word_and_then_the_end(inquirer: str) -> None:
    events = play(Setup(SCENARIOS[HEART], PERSONAS[NEUTRAL], load_hospital(), K, {"inquirer": inquirer})).events
    at = next(i for i, e in enumerate(events) if isinstance(e, Stopped))
    last = events[at - 1]
    assert isinstance(last, Utterance)
    assert last.told == ()
    assert last.text in (
        PERSONAS[NEUTRAL].wording.sobered if inquirer == "reference" else PERSONAS[NEUTRAL].wording.unsettled
    )


# --- fairness ------------------------------------------------------------------------------------------------------

KIND = "I understand how hard this is for you. I'm asking because it helps me to find the cause."


@pytest.mark.parametrize(
    "spec", [*sorted(PERSONAS), "choleric@0.5", "phlegmatic@0.5", "melancholic+recall=0.5+literacy=low"]
)
def test_a_good_inquirer_obtains_every_fact_in_one_consultation(spec: str) -> None:
    """From the mood each persona brings along: everything is asked, what was held back is asked again in the end."""
    held = asked = 0
    for name, scenario in list(SCENARIOS.items())[1::3]:  # benchmarks/personas.py does all
        view = view_of(name, spec)
        first = ReferencePatient().open(view)
        told, state, turn = list(said_in(first).told), first, 0
        wanted = [f for f in scenario.facts if f.release not in NEVER]
        for _ in range(3):
            have = {t.finding for t in told if t.state in ("present", "absent")}
            for fact in sorted(
                (f for f in wanted if f.finding not in have), key=lambda f: f.release is Release.SENSITIVE
            ):
                q = K.finding[fact.finding].questions[0]
                if scenario.patient.speaker is not Speaker.SELF and K.finding[fact.finding].topic not in OWN_TOPICS:
                    q = about_patient(q, scenario.patient.sex)
                turn += 1
                view = replace(
                    view, question=f"{KIND} {q}", turn=turn, told=tuple(told), mood=state.mood, memory=state.memory
                )
                state = ReferencePatient().reply(view)
                assert not state.leaves
                told += said_in(state).told
                held += any(t.state == "withheld" or t.rule == "recall" for t in said_in(state).told)
        have = {t.finding for t in told if t.state in ("present", "absent")}
        assert [f.finding for f in wanted if f.finding not in have] == [], name
        asked += len(wanted)
    assert asked > 300
    if "recall" in spec:
        assert held


def test_mood_decides_whether_a_sensitive_fact_is_told() -> None:
    """The same patient: to a doctor who is rude throughout it is not told, to a kind one it is."""
    rude = "Are you listening? Any fever? Any cough? Any rash?"
    checked = 0
    for name, scenario in SCENARIOS.items():
        for fact in scenario.facts:
            if fact.release is not Release.SENSITIVE or scenario.patient.speaker is not Speaker.SELF:
                continue
            if K.parent_of(fact.finding):  # of a detail, what it belongs to is kept back
                continue
            for manner_of, want in ((rude, "withheld"), (KIND, fact.state.value)):
                view = view_of(name)
                state: PatientReply = ReferencePatient().open(view)
                for turn in range(1, 11):
                    last = turn == 10
                    q = K.finding[fact.finding].questions[0] if last else "Do you sleep well?"
                    view = replace(view, question=f"{manner_of} {q}", turn=turn, mood=state.mood, memory=state.memory)
                    state = ReferencePatient().reply(view)
                got = [t.state for t in said_in(state).told if t.finding == fact.finding]
                assert got == [want], (name, fact.id, manner_of)
                checked += 1
    assert checked >= 2


def _facts_told(setup: Setup) -> int:
    events = play(setup).events
    return len(
        {t.finding for e in events if isinstance(e, Utterance) for t in e.told if t.state in ("present", "absent")}
    )


@pytest.mark.parametrize("name", ["choleric", "phlegmatic"])
def test_a_curt_doctor_is_told_less(name: str) -> None:
    def total(inquirer: str) -> int:
        make: Callable[[Scenario], Setup] = lambda s: Setup(  # noqa: E731
            s, PERSONAS[name], load_hospital(), K, {"inquirer": inquirer}
        )
        return sum(_facts_told(make(s)) for s in list(SCENARIOS.values())[:13])

    assert total("reference") > 1.08 * total("curt")
