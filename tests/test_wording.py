"""How the reference inquirer talks: every skill, nothing twice; and that the curt one has the questions and no skill."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from consult.agents.inquirers import wording
from consult.events import Concluded, Event, Question, Utterance
from consult.knowledge.model import Knowledge
from consult.language.acts import SpeechAct, acts
from consult.language.manner import is_stacked, unexplained
from consult.language.resolver import resolve
from consult.language.voice import about_patient, second_person, told_of
from consult.settings import Limits
from consult.sim.session import Setup, play
from consult.terms import Sex

CASES = ("scaly_elbows", "indigestion_at_the_wheel", "barking_at_night")
SKILLS = set(SpeechAct) - {SpeechAct.TREATMENTS, SpeechAct.WATCH, SpeechAct.RETURN}
Played = tuple[Event, ...]


@pytest.fixture(scope="module")
def talks(setup_of: Callable[..., Setup]) -> dict[tuple[str, str, str], Played]:
    """Consultations by scenario, persona and inquirer."""
    return {
        (name, who, spec): play(setup_of(name, who, agents={"inquirer": spec})).events
        for name in CASES
        for who in ("melancholic", "phlegmatic")
        for spec in ("reference", "curt")
    }


def questions(events: Played) -> list[str]:
    return [e.text for e in events if isinstance(e, Question)]


def end(events: Played) -> Concluded:
    return next(e for e in events if isinstance(e, Concluded))


def of(talks: dict[tuple[str, str, str], Played], spec: str) -> list[Played]:
    return [events for key, events in talks.items() if key[2] == spec]


def test_the_reference_has_every_skill(talks: dict[tuple[str, str, str], Played], general: Knowledge) -> None:
    for events in of(talks, "reference"):
        said, last = questions(events), end(events)
        told = f"{last.explanation} {last.safety_net}"
        done = set().union(*map(acts, (*said, told)))
        wanted = {SpeechAct.EMPATHY, SpeechAct.SIGNPOST, SpeechAct.SUMMARY, SpeechAct.SHARED, SpeechAct.BASIS}
        assert done >= wanted | {SpeechAct.CONCERN}
        assert acts(last.safety_net) >= {SpeechAct.WATCH, SpeechAct.RETURN}
        assert resolve(said[0], general).open, "the first question leaves room"
        assert [t for t in said if is_stacked(t, resolve(t, general))] == []
        assert [t for t in (*said, told) if unexplained(t, general)] == []


def test_every_cue_is_answered(talks: dict[tuple[str, str, str], Played]) -> None:
    cues = 0
    for events in of(talks, "reference"):
        open_ = ""
        for e in events:
            if isinstance(e, Utterance):
                open_ = e.cue
            elif isinstance(e, (Question, Concluded)):
                words = e.text if isinstance(e, Question) else e.explanation
                kind = {SpeechAct.EMPATHY, SpeechAct.EXPLANATION}
                assert not open_ or kind & acts(words) or (open_ == "outcome" and isinstance(e, Concluded)), words
                cues, open_ = cues + bool(open_), ""
    assert cues > 5


def test_the_curt_one_has_none(talks: dict[tuple[str, str, str], Played], general: Knowledge) -> None:
    bare = {f.questions[0] for f in general.findings if f.questions} | set(wording.BACKGROUND.values())
    for (name, _, spec), events in talks.items():
        if spec == "curt":
            asked = bare if name != "barking_at_night" else bare | {about_patient(q, "male") for q in bare}  # type: ignore[arg-type]
            assert set(questions(events)) <= asked, "questions and nothing but questions"
            last = end(events)
            assert not SKILLS & set().union(*map(acts, (*questions(events), last.explanation, last.safety_net)))
            assert last.safety_net == ""


def test_the_curt_one_is_told_less(talks: dict[tuple[str, str, str], Played]) -> None:
    def told(name: str, who: str, spec: str) -> int:
        said = [t for e in talks[name, who, spec] if isinstance(e, Utterance) for t in e.told]
        return len({t.finding for t in said if t.state in ("present", "absent")})

    for who in ("melancholic", "phlegmatic"):
        kind, curt = (sum(told(name, who, spec) for name in CASES) for spec in ("reference", "curt"))
        assert curt < kind, who


def test_both_ask_for_the_same_where_the_reference_is_not_courteous(
    setup_of: Callable[..., Setup], general: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its open question and the patient's own view, the reference's questions are the curt one's."""
    monkeypatch.setattr("consult.agents.inquirers.reference.ReferenceInquirer._courtesy", lambda *_, **__: None)
    monkeypatch.setattr("consult.agents.inquirers.reference.ReferenceInquirer._own_view", lambda *_: None)
    monkeypatch.setattr("consult.agents.patient.policy.readiness", lambda *_: 0.0)  # the same answers to both
    monkeypatch.setattr("consult.agents.patient.policy.Policy._volunteered", lambda *_: [])

    def asked(spec: str) -> list[tuple[str, ...]]:
        texts = questions(play(setup_of("scaly_elbows", agents={"inquirer": spec})).events)
        return [resolve(t, general).findings for t in texts]

    assert asked("reference") == asked("curt")
    assert len(asked("curt")) > 5


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_said_twice(setup_of: Callable[..., Setup], seed: int) -> None:
    banks = (wording.EMPATHY, wording.NEXT, wording.SUMMARY, wording.SAFETY, wording.FIRST)
    said = questions(play(setup_of("indigestion_at_the_wheel", "melancholic", seed=seed)).events)
    heads = [p.partition("{")[0] for bank in banks for p in bank]
    found = [h for h in heads for t in said if h in t]
    assert len(found) == len(set(found)) > 3


def test_it_talks_otherwise_under_another_seed_and_alike_under_the_same(setup_of: Callable[..., Setup]) -> None:
    firsts, ends = [], []
    for seed in (*range(8), 0):
        events = play(setup_of("scaly_elbows", seed=seed)).events
        firsts.append(questions(events)[0])
        ends.append(end(events).explanation)
    assert len(set(firsts)) >= 4
    assert len(set(ends)) >= 4
    assert (firsts[0], ends[0]) == (firsts[-1], ends[-1])


def test_a_summary_says_back_what_was_told(setup_of: Callable[..., Setup]) -> None:
    said = questions(play(setup_of("scaly_elbows", "phlegmatic")).events)
    (summary,) = [t for t in said if SpeechAct.SUMMARY in acts(t)]
    assert "you have a rash" in summary
    assert "a few months" in summary
    assert " my " not in summary
    child = questions(play(setup_of("barking_at_night")).events)
    assert any("he has" in t for t in child if SpeechAct.SUMMARY in acts(t))


def test_whoever_ends_early_sums_up_in_the_end(setup_of: Callable[..., Setup]) -> None:
    last = end(play(setup_of("scaly_elbows", limits=Limits(3, 1))).events)
    assert SpeechAct.SUMMARY in acts(last.explanation)


def test_every_phrase_does_what_its_bank_is_for() -> None:
    wanted = {
        wording.EMPATHY: SpeechAct.EMPATHY, wording.HEARD: SpeechAct.EMPATHY, wording.OPEN: SpeechAct.EMPATHY,
        wording.FIRST: SpeechAct.SIGNPOST, wording.NEXT: SpeechAct.SIGNPOST, wording.SAFETY: SpeechAct.EXPLANATION,
        wording.SUMMARY: SpeechAct.SUMMARY, wording.RECAP: SpeechAct.SUMMARY, wording.BEFORE_END: SpeechAct.SIGNPOST,
        wording.AGREED: SpeechAct.SHARED, wording.AGREED_NOW: SpeechAct.SHARED,
    }  # fmt: skip
    for bank, act in wanted.items():
        assert [p for p in bank if act not in acts(p)] == []
    for phrase in (*wording.OUTCOME, *wording.DELICATE):
        assert {SpeechAct.EMPATHY, SpeechAct.EXPLANATION} & acts(phrase), phrase


@pytest.mark.parametrize(("said", "back"), [
    ("I have pain in my leg", "you have pain in your leg"), ("I'm tired", "you're tired"), ("I am sick", "you are sick"),
    ("My rash hurts me", "your rash hurts you"), ("It bothers me a lot", "it bothers you a lot"),
    ("I've lost weight", "you've lost weight"), ("I wasn't there", "you weren't there"), ("In summer I itch", "in summer you itch"),
])  # fmt: skip
def test_statements_are_said_back(said: str, back: str) -> None:
    assert second_person(said) == back


VERBS = "are become bleed breathe bruise cough feel get have keep lose pass see shake shiver vomit wake were"


def test_what_is_explained_to_a_carer_is_told_of_the_patient(general: Knowledge) -> None:
    """No "you" that means the patient, and every verb joined to "she" in the third person, in all explanations."""
    bare = re.compile(
        rf"\bshe (?:(?!cannot|can\b|they|which)[^.])*?(?:, (?:or )?|(?:or|and) )(?:{VERBS.replace(' ', '|')})\b"
    )
    joined = re.compile(r"\bshe (?:evers|thens|stills|alsos)\b")
    for c in general.conditions:
        for text in (c.explanation, c.safety_net):
            said = told_of(text, Sex.FEMALE)
            to_parent = re.search(r"your (?:child|baby)", text, re.IGNORECASE)
            assert to_parent or not re.search(r"\byou(?:r|rself)?\b", said, re.IGNORECASE), said
            assert not joined.search(said), said
            assert to_parent or not bare.search(said), said


def test_several_verbs_of_one_you_are_all_turned() -> None:
    text = "Call an ambulance if you are short of breath, cough up blood or still cough. Weigh yourself every day."
    turned = "Call an ambulance if he is short of breath, he coughs up blood or he still coughs. Weigh him every day."
    assert told_of(text, Sex.MALE) == turned
    assert (
        told_of("Your child is ill. Come back if you worry.", Sex.MALE) == "Your child is ill. Come back if you worry."
    )
    assert told_of("Come if you cannot hold or pass urine.", Sex.MALE) == "Come if he cannot hold or pass urine."


def test_what_is_asked_of_everybody_is_understood_of_both(general: Knowledge) -> None:
    for names, text in wording.BACKGROUND.items():
        for put in (text, about_patient(text, Sex.FEMALE)):
            query = resolve(put, general)
            assert set(query.findings) == set(names)
            assert not is_stacked(put, query)
