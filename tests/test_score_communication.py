"""Communication scores: each moves when and only when it should, rests on the right events, and is honest when missing."""

from __future__ import annotations

from typing import Any

import pytest
from score_world import HOSPITAL, KNOWLEDGE, SHINGLES, Script

from consult.events import Event, Question, Scored, Stopped, StopReason
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.language.acts import SpeechAct, acts
from consult.language.manner import is_closed, is_stacked, unexplained
from consult.language.resolver import resolve
from consult.score import Case, assess
from consult.score.communication import COMPOSITE, Part
from consult.score.inquiry import repeats
from consult.score.speech import cues

GENERAL = load_knowledge()


def _own(name: str, question: str) -> dict[str, Any]:
    return {
        "id": name, "topic": "ice", "kind": "text", "plain": name, "questions": [question], "present": "It is {text}."
    }  # fmt: skip


_DATA = KNOWLEDGE.model_dump(mode="json")
_DATA["findings"] += [
    _own("ice.idea", "Any idea?"),
    _own("ice.concern", "Any worry?"),
    _own("ice.expectation", "Any hope?"),
    {"id": "breathless", "topic": "chest", "plain": "short breath", "clinical": "dyspnoea", "questions": ["Short?"], "present": "I am."},
]  # fmt: skip
WORLD = Knowledge.model_validate(_DATA)
END = "I think that this is a harmless thing which goes away by itself."


def script(*, text: str = "Do you have a fever?", cue: str = "", told: str = END, trust: float = 0.5, **end: Any) -> Script:  # fmt: skip
    """Two closed questions, the second of which may be put otherwise or follow a cue, and a plain end."""
    s = Script().feel(trust).say("rash").ask("itch", text="Is it itchy?", tells=["!itch"], cue=cue)
    return s.ask("fever", text=text, tells=["!fever"]).conclude("shingles", explanation=told, **end)


def scored(s: Script | list[Event], knowledge: Knowledge = WORLD) -> dict[str, Scored]:
    events = s.events if isinstance(s, Script) else s
    marks = assess(Case(SHINGLES, knowledge, HOSPITAL, events))
    return {
        e.name.removeprefix("communication."): e for e in marks if isinstance(e, Scored) and "communication" in e.name
    }


def moved(s: Script) -> set[str]:
    """The scores, the composite apart, that are not as in the plain consultation."""
    before, after = scored(script()), scored(s)
    return {name for name in before if name != "composite" and before[name].value != after[name].value}


def questions(s: Script) -> list[int]:
    return [e.seq for e in s.events if isinstance(e, Question)]


FEVER = "Do you have a fever?"
MOVES: list[tuple[str, Script, set[str]]] = [
    ("nothing", script(), set()),
    ("a kind word", script(text=f"That must be hard. {FEVER}"), {"empathy"}),
    ("a signpost", script(text=f"Next, I'd like to ask about your skin. {FEVER}"), {"signposting"}),
    ("a summary", script(text=f"Let me sum up: you have a rash and it does not itch. {FEVER}"), {"summary"}),
    ("an announced summary that never comes", script(text="Let me sum up. Fever?"), {"closed_share"}),
    ("two questions in one", script(text=f"{FEVER} Are you hot?"), {"stacked"}),
    ("an open wording", script(text="How warm do you feel?"), {"closed_share"}),
    ("a clinical word", script(text="Have you had dyspnoea?"), {"jargon"}),
    ("a clinical word, explained", script(text="Have you had dyspnoea, that is, short breath?"), set()),
    ("a cue passed over", script(cue="worry"), {"cues_answered"}),
    ("a cue answered", script(cue="worry", text=f"That must be hard. {FEVER}"), {"cues_answered", "empathy"}),
    ("a reason for the question", script(cue="worry", text=f"It helps me to know this. {FEVER}"), {"cues_answered"}),
    ("the same again", script().__class__().feel(0.5).say("rash").ask("itch", text="Is it itchy?", tells=["!itch"])
        .ask("itch", text="Is it itchy?").conclude("shingles", explanation=END), {"repeats"}),
    ("no word at the end", script(told=""), {"explanation", "abrupt_end"}),
    ("a name at the end", script(told="Shingles."), {"explanation", "abrupt_end"}),
    ("a clinical name", script(told="Herpes. " + END.replace("this is", "you have")), {"jargon"}),
    ("a name that is explained", script(told=f"Herpes, that is, a cold sore. {END}"), set()),
    ("grounds", script(told=f"{END} I think so because it does not itch."), {"explanation"}),
    ("a say", script(told=f"{END} Does that sound all right to you?"), {"shared_plan"}),
    ("half a net", script(safety_net="Come back."), {"safety_net"}),
    ("a net", script(safety_net="Come back if it spreads."), {"safety_net"}),
    ("trust", script(trust=0.8), {"trust"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "s", "expected"), MOVES, ids=[m[0] for m in MOVES])
def test_each_moves_when_and_only_when_it_should(what: str, s: Script, expected: set[str]) -> None:
    assert moved(s) == expected


def test_an_open_question_is_counted_and_not_closed() -> None:
    s = Script().say("rash").ask(text="Tell me more about it.", open=True).ask("fever", text=FEVER)
    found = scored(s.conclude("shingles", explanation=END))
    assert (found["open_questions"].value, found["open_questions"].evidence) == (1, (1,))
    assert (found["closed_share"].value, found["closed_share"].evidence) == (0.5, (3,))


@pytest.mark.parametrize(("asked", "told", "value", "missing"), [
    ((), (), 0, "ice.idea, ice.concern, ice.expectation"),
    (("ice.concern",), (), 1 / 3, "ice.idea, ice.expectation"),
    (("ice.concern",), ("ice.idea",), 2 / 3, "ice.expectation"),
    (("ice.concern", "ice.expectation"), ("ice.idea",), 1, ""),
])  # fmt: skip
def test_ideas_concerns_expectations_asked_or_told(
    asked: tuple[str, ...], told: tuple[str, ...], value: float, missing: str
) -> None:
    s = Script().say("rash", *told)
    for name in asked:
        s.ask(name)
    ice = scored(s.ask("fever").conclude("shingles", explanation=END))["ice"]
    assert ice.value == pytest.approx(value, abs=1e-6)
    assert ice.reason == (f"not asked: {missing}" if missing else "")
    assert len(ice.evidence) == len(asked) + bool(told)


def test_evidence_points_at_the_words() -> None:
    s = script(
        cue="worry",
        text=f"That must be hard. Next, I'd like to ask about your skin. {FEVER}",
        told=f"{END} I think so because it does not itch. Are you happy with that?",
        safety_net="Come back if it spreads.",
    )
    second, end = questions(s)[1], s.events[-2].seq
    found = scored(s)
    for name in ("empathy", "signposting", "cues_answered"):
        assert found[name].evidence == (second,), name
    for name in ("explanation", "shared_plan", "safety_net", "abrupt_end"):
        assert found[name].evidence == (end,), name
    assert found["closed_share"].evidence == tuple(questions(s))
    assert found["trust"].evidence == (0,)


def test_the_last_trust_counts_and_nothing_stands_in_for_it() -> None:
    s = Script().feel(0.5).say("rash").feel(0.7).feel(0.2).ask("fever").conclude("shingles", explanation=END)
    assert (scored(s)["trust"].value, scored(s)["trust"].evidence) == (0.2, (3,))
    moodless = scored(Script().say("rash").ask("fever").conclude("shingles", explanation=END))["trust"]
    assert (moodless.value, moodless.reason) == (None, "this patient keeps no mood")


def test_cues_are_those_that_could_be_answered() -> None:
    def found(s: Script) -> tuple[float | None, str]:
        one = scored(s)["cues_answered"]
        return one.value, one.reason

    def begun() -> Script:
        return Script().say("rash", cue="worry").ask("itch", text="I'm sorry to hear that. Itchy?", cue="outcome")

    assert found(script()) == (None, "the patient gave no cue")
    assert found(begun().conclude("shingles", explanation=END)) == (1, "")  # who pressed for a result has it
    assert found(begun().conclude("shingles")) == (0.5, "passed over: turn 1")
    assert found(begun().stop(StopReason.TURN_LIMIT)) == (0.5, "passed over: turn 1")
    assert found(begun().stop(StopReason.PATIENT_LEFT)) == (1, "")
    worried = Script().say("rash", cue="worry").conclude("shingles", explanation=END)
    assert found(worried)[0] == 0  # a worry wants a kind word as well
    late = begun().add(Stopped(reason=StopReason.CONCLUDED))
    assert [c.turn for c in cues(Case(SHINGLES, WORLD, HOSPITAL, late.events))] == [0, 1]


def test_an_order_between_a_cue_and_the_next_words_changes_nothing() -> None:
    s = Script().say("rash", cue="worry").order("ecg").ask("itch", text="I'm sorry to hear that. Itchy?")
    assert scored(s.conclude("shingles", explanation=END))["cues_answered"].value == 1


def test_repeats_are_those_of_inquiry() -> None:
    s = Script().say("rash").ask("itch", tells=["!itch"]).ask("itch").ask("itch").conclude("shingles", explanation=END)
    one, again = scored(s)["repeats"], repeats(Case(SHINGLES, WORLD, HOSPITAL, s.events))
    assert (one.value, one.evidence) == (2, tuple(q.seq for q in again))


@pytest.mark.parametrize(
    ("reason", "abrupt"), [(StopReason.TURN_LIMIT, 1), (StopReason.REFUSED, 1), (StopReason.PATIENT_LEFT, None)]
)
def test_an_end_without_a_conclusion(reason: StopReason, abrupt: int | None) -> None:
    found = scored(Script().say("rash").ask("itch", text=FEVER).stop(reason))
    assert found["abrupt_end"].value == abrupt
    assert found["explanation"].value == found["safety_net"].value == found["shared_plan"].value == 0
    assert "without a conclusion" in found["explanation"].reason


def test_no_question_is_no_credit_for_asking_well() -> None:
    found = scored(Script().say("rash").conclude("shingles", explanation=END))
    for name in ("open_questions", "closed_share", "stacked", "repeats"):
        assert found[name].value is None
        assert found[name].reason
    silent = scored(Script().say("rash").conclude("shingles"))
    for name in ("jargon", "empathy", "signposting"):
        assert (silent[name].value, silent[name].reason) == (None, "the inquirer said nothing")


def test_a_knowledge_without_the_patients_own_view() -> None:
    found = scored(script(), KNOWLEDGE)
    assert found["ice"].value is None
    assert "ice (" in found["composite"].reason


# --- the composite -------------------------------------------------------------------------------------------------


def test_the_composite_is_the_weighted_mean_of_what_there_is() -> None:
    found = scored(script(cue="worry", text=f"That must be hard. {FEVER}"))
    worth = {n: COMPOSITE[n].worth(found[n].value) for n in COMPOSITE if found[n].value is not None}  # type: ignore[arg-type]
    assert set(worth) == set(COMPOSITE)
    assert sum(part.weight for part in COMPOSITE.values()) == 17
    # stacked, jargon, repeats, abrupt_end 1 each; a cue 2; empathy half; half an explanation 2 x 0.5
    assert found["composite"].value == pytest.approx((4 + 2 + 0.5 + 1) / 17, abs=1e-6)
    no_cue = scored(script(text=f"That must be hard. {FEVER}"))["composite"]
    assert no_cue.value == pytest.approx((4 + 0.5 + 1) / 15, abs=1e-6)
    assert no_cue.reason == "left out: cues_answered (the patient gave no cue)"


@pytest.mark.parametrize(("what", "s", "expected"), MOVES, ids=[m[0] for m in MOVES])
def test_every_part_moves_the_composite_its_own_way(what: str, s: Script, expected: set[str]) -> None:
    names = expected & set(COMPOSITE) - {"cues_answered"}  # it changes what is averaged
    before, after = scored(script()), scored(s)
    gains = {COMPOSITE[n].worth(after[n].value or 0) > COMPOSITE[n].worth(before[n].value or 0) for n in names}
    if len(gains) == 1 and "cues_answered" not in expected:
        assert (after["composite"].value > before["composite"].value) == gains.pop()  # type: ignore[operator]
    elif not expected & set(COMPOSITE):
        assert after["composite"].value == before["composite"].value


def test_parts_stay_within_0_and_1() -> None:
    for part in (Part(1), Part(1, 3), Part(1, 3, fault=True)):
        assert [part.worth(x) for x in (0, 99)] == ([1, 0] if part.fault else [0, 1])
    assert Part(1, 2).worth(1) == 0.5


# --- what is not finished is not assessed --------------------------------------------------------------------------


def test_an_unfinished_dialogue_is_never_assessed() -> None:
    """A fault of 3MDBench: every beginning of a consultation has no score at all, and says why."""
    whole = script(cue="worry").events
    for n in range(len(whole) - 1):
        found = scored(list(whole[:n]))
        assert {s.value for s in found.values()} == {None}
        assert {s.reason for s in found.values()} == {"the dialogue is not finished"}
    assert scored(list(whole))["composite"].value is not None


@pytest.mark.parametrize("reason", [StopReason.INFRASTRUCTURE_ERROR, StopReason.CANCELLED])
def test_a_failure_around_the_doctor_is_never_assessed(reason: StopReason) -> None:
    found = scored(Script().feel(0.4).say("rash").ask("itch").stop(reason))
    assert {s.value for s in found.values()} == {None}
    assert all(reason.value in s.reason for s in found.values())


# --- free text -----------------------------------------------------------------------------------------------------

SAID: list[tuple[SpeechAct, str]] = [
    (SpeechAct.EMPATHY, "Oh dear, that sounds really tough. How long has it been like this?"),
    (SpeechAct.EMPATHY, "I can only imagine how frightening it was to wake up like that."),
    (SpeechAct.EMPATHY, "You must be exhausted after so many nights without sleep."),
    (SpeechAct.EMPATHY, "It’s completely understandable to be scared by a pain like this."),
    (SpeechAct.EMPATHY, "No wonder you came in today."),
    (SpeechAct.EMPATHY, "You did the right thing by coming in."),
    (SpeechAct.EMPATHY, "I hear that you're worried about your heart."),
    (SpeechAct.EMPATHY, "You've been through a lot lately."),
    (SpeechAct.EMPATHY, "I'm so sorry this is happening to your family."),
    (SpeechAct.SIGNPOST, "Right, let's move on to your medicines."),
    (SpeechAct.SIGNPOST, "I've got a couple of quick questions about your bowels, if I may."),
    (SpeechAct.SIGNPOST, "Finally, I have some general questions."),
    (SpeechAct.SIGNPOST, "Is it okay if I ask about alcohol?"),
    (SpeechAct.SIGNPOST, "Moving on: how is your sleep?"),
    (SpeechAct.SIGNPOST, "Before I examine you, one thing: do you smoke?"),
    (SpeechAct.SIGNPOST, "Now I'm going to ask you about your family."),
    (SpeechAct.SUMMARY, "Can I just check I've understood: it began on Monday and now it is worse?"),
    (SpeechAct.SUMMARY, "So what I'm hearing is that it wakes you at night and eating makes it better."),
    (SpeechAct.SUMMARY, "If I've got this right, the rash came first and the fever a day later."),
    (SpeechAct.SUMMARY, "Okay, to recap, three days of cough, no fever, and you feel tired."),
    (SpeechAct.SUMMARY, "So far you've described a pain that comes and goes. Correct me if I'm wrong."),
    (SpeechAct.SHARED, "How would you feel about trying a cream first?"),
    (SpeechAct.SHARED, "We could wait a week or take a swab now. Which would you prefer?"),
    (SpeechAct.SHARED, "There are two options here."),
    (SpeechAct.SHARED, "Would that work for you?"),
    (SpeechAct.SHARED, "Does this plan sound reasonable to you?"),
    (SpeechAct.SHARED, "Are you comfortable with that?"),
    (SpeechAct.SHARED, "It's entirely up to you whether we start now."),
    (SpeechAct.SHARED, "I'd suggest a blood test, if that's okay with you."),
    (SpeechAct.BASIS, "The pattern of your symptoms fits best with a migraine."),
    (SpeechAct.BASIS, "Given that it gets worse when you climb stairs, I think of the heart."),
    (SpeechAct.BASIS, "Your blood tests show that you lack iron."),
    (SpeechAct.BASIS, "I think it is viral because there is no pus and no fever."),
    (SpeechAct.BASIS, "The pain behind the breastbone after meals makes me think of acid."),
    (SpeechAct.EXPLANATION, "I'm asking this because some tablets can cause it."),
    (SpeechAct.EXPLANATION, "Let me listen to your chest to rule out an infection."),
    (SpeechAct.EXPLANATION, "The reason I ask is that stress can do this."),
    (SpeechAct.WATCH, "If the fever lasts for more than three days, give us a ring."),
    (SpeechAct.WATCH, "Keep an eye on the colour of the skin."),
    (SpeechAct.WATCH, "Come back for any bleeding."),
    (SpeechAct.RETURN, "If you cannot breathe, dial 999."),
    (SpeechAct.RETURN, "I'd like to see you again in a week."),
    (SpeechAct.RETURN, "Should it spread, go straight to the emergency department."),
    (SpeechAct.RETURN, "Bring him straight back if he stops drinking."),
    (SpeechAct.TREATMENTS, "Have you tried anything for it so far?"),
    (SpeechAct.TREATMENTS, "What have you taken for the pain?"),
    (SpeechAct.TREATMENTS, "Did the cream help?"),
    (SpeechAct.IDEA, "What do you reckon is behind all this?"),
    (SpeechAct.IDEA, "Did you have any thoughts about what it might be?"),
    (SpeechAct.CONCERN, "Is there something in particular that's worrying you?"),
    (SpeechAct.CONCERN, "What scares you the most here? Some people have a biggest fear about it."),
    (SpeechAct.EXPECTATION, "What would you like to get from today's appointment?"),
    (SpeechAct.EXPECTATION, "And what were you hoping we might do?"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "text"), SAID)
def test_acts_are_recognised_in_free_text(act: SpeechAct, text: str) -> None:
    assert act in acts(text)


PLAIN = [
    "Do you have a fever?", "How long have you had this problem?", "Where does it hurt?", "I see, how often does it come?",
    "Is it painful when I press here?", "What medicines do you take?", "Have you been abroad?", "Shingles.", "Okay.",
    "Does it hurt when you breathe in?", "Have you thought of harming yourself?", "Do you drink alcohol?",
    "Do you worry a lot?", "Take one tablet a day.", "Are you allergic to something?", "Who lives with you at home?",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_plain_words_are_no_act(text: str) -> None:
    assert acts(text) <= {SpeechAct.WATCH, SpeechAct.RETURN}  # these are looked for in the last words only


@pytest.mark.parametrize(("text", "finding"), [
    ("What do you think has brought this on?", "ice.idea"), ("What's your own theory?", "ice.idea"),
    ("Are you worried about anything in particular?", "ice.concern"), ("What's your main fear?", "ice.concern"),
    ("What were you hoping to get out of today?", "ice.expectation"), ("What do you expect from me?", "ice.expectation"),
    ("Are you worried about the pain?", "ice.concern"), ("Do you worry a lot?", "worry"),
])  # fmt: skip
def test_the_patients_own_view_is_asked_for_in_any_words(text: str, finding: str) -> None:
    assert resolve(text, GENERAL).findings == (finding,)


@pytest.mark.parametrize(("text", "closed", "stacked"), [
    ("So, do you smoke?", True, False), ("And is it sore?", True, False), ("Any allergies?", True, False),
    ("How does it feel?", False, False), ("What makes it worse?", False, False), ("Where is the pain?", False, False),
    ("Tell me more about it.", False, False), ("I see. Have you got a cough? A fever?", True, True),
    ("Do you have a fever, a cough or a headache?", True, True), ("Why did you come? What happened?", False, True),
])  # fmt: skip
def test_closed_and_stacked_questions(text: str, closed: bool, stacked: bool) -> None:
    query = resolve(text, GENERAL)
    assert (is_closed(text, query), is_stacked(text, query)) == (closed, stacked)


@pytest.mark.parametrize(("text", "terms"), [
    ("Do you suffer from dyspnoea?", 1), ("Do you have dyspnoea, meaning short breath?", 0), ("Are you breathless?", 0),
    ("It is a pulmonary embolism.", 1), ("It is a pulmonary embolism, a blood clot in the lung.", 0),
    ("You have a pulmonary embolism. That means a clot has blocked a vessel.", 0), ("It is a migraine.", 0),
])  # fmt: skip
def test_clinical_words_count_unless_explained(text: str, terms: int) -> None:
    assert len(unexplained(text, GENERAL)) == terms
