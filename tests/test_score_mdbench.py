"""The eight items of 3MDBench by rules: each is met by what its rule says, by nothing else, and cites where."""

from __future__ import annotations

from typing import Any

import pytest
from score_world import HOSPITAL, KNOWLEDGE, SHINGLES, Script, gold

from consult import load_hospital, load_knowledge, load_persona, load_scenario
from consult.events import Concluded, Event, Scored, StopReason
from consult.knowledge.model import Knowledge
from consult.scenario import Scenario, find_scenario, scenario_files
from consult.score import Case, assess
from consult.score.mdbench import PLAN_FROM, STEP_FROM, scores
from consult.settings import Limits
from consult.sim.session import Setup, play

ITEMS = ("1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2", "4.1")


def _finding(name: str, topic: str, plain: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "topic": topic,
        "plain": plain,
        "questions": [f"{plain}?"],
        "present": f"I have {plain}.",
    } | more


_DATA = KNOWLEDGE.model_dump(mode="json")
_DATA["findings"] += [
    _finding("asthma", "past", "asthma"),
    _finding("appendix", "past", "an operation on the appendix"),
    _finding("pills", "medicines", "regular medicines"),
    _finding("nuts", "medicines", "an allergy to nuts"),
    _finding("travel", "risk", "a journey"),
    _finding("ice.concern", "ice", "concern"),
    _finding("ice.idea", "ice", "idea"),
]
WORLD = Knowledge.model_validate(_DATA)
PLAN = ("Start aciclovir within three days of the rash", "Give pain relief by tablet", "Keep away from pregnant women")
CASE = gold(SHINGLES, plan=PLAN)
GOOD = "I think that this is shingles because of the belt of blisters. Does that sound all right to you?"


def items(s: Script | list[Event], scenario: Scenario = CASE, knowledge: Knowledge = WORLD) -> dict[str, Scored]:
    events = s.events if isinstance(s, Script) else s
    marks = assess(Case(scenario, knowledge, HOSPITAL, events))
    return {e.name.removeprefix("mdbench."): e for e in marks if isinstance(e, Scored) and e.name.startswith("mdbench")}


def ended(s: Script, *names: str, **end: Any) -> dict[str, Scored]:
    return items(s.conclude(*(names or ("shingles",)), **end))


def begun() -> Script:
    return Script().say("rash")


def kindly() -> Script:
    """A consultation that meets all items but the plan's."""
    s = begun().ask(text="I'm sorry to hear that. Tell me more.", open=True)
    s.ask("asthma", text="Now I'd like to ask about your past health. Do you have asthma?")
    return s.ask("appendix").ask("pills").ask("travel").ask("ice.concern").ask("fever", tells=["!fever"])


def test_all_eight_are_there_in_order_and_a_good_doctor_has_them_all() -> None:
    found = ended(kindly(), explanation=GOOD, plan=PLAN)
    assert tuple(found) == ITEMS
    assert [s.value for s in found.values()] == [1, 1, 1, 1, 1, 1, 1, 2]
    assert found["4.1"].reason == "7 of 7 items met"


def test_a_doctor_who_only_names_it_has_the_diagnosis() -> None:
    found = ended(begun().ask("fever"))
    assert {n for n, s in found.items() if s.value} == {"3.1"}
    assert all(found[n].reason for n in ITEMS if n != "3.1")


@pytest.mark.parametrize(("asked", "missing"), [
    ((), "past diseases, medication, surgery"), (("asthma",), "medication, surgery"), (("pills",), "past diseases, surgery"),
    (("appendix",), "past diseases, medication"), (("asthma", "appendix", "nuts"), "medication"),
    (("asthma", "appendix", "pills"), ""),
])  # fmt: skip
def test_1_1_past_diseases_medication_and_surgery(asked: tuple[str, ...], missing: str) -> None:
    s = begun().ask("fever")
    for name in asked:
        s.ask(name)
    item = ended(s)["1.1"]
    assert (item.value, item.reason) == (float(not missing), f"not asked: {missing}" if missing else "")
    answers = [e.seq for e in s.events if e.type == "utterance" and e.query and set(e.query.findings) & set(asked)]
    assert set(item.evidence) <= set(answers)
    assert bool(item.evidence) == bool(set(asked) - {"nuts"})


def test_1_1_by_an_open_topic_or_told_unasked() -> None:
    s = begun().ask(topics=("past", "medicines"), open=True, tells=["appendix"])
    assert ended(s)["1.1"].value == 1
    opening = Script().say("rash", "asthma", "appendix", "pills").ask("fever")
    assert ended(opening)["1.1"].value == 0, "the first words are no merit of the doctor's"


def test_1_1_cannot_be_judged_where_nothing_of_it_is_known() -> None:
    item = items(begun().ask("fever").conclude("shingles"), knowledge=KNOWLEDGE)["1.1"]
    assert item.value is None
    assert item.reason


@pytest.mark.parametrize(("what", "value"), [
    (("fever", "travel", "pills"), 1), (("fever", "travel"), 0), (("fever", "pills"), 0), (("travel", "pills"), 0),
    (("fever", "ice.idea", "pills"), 1),
])  # fmt: skip
def test_1_2_symptoms_causes_and_treatments(what: tuple[str, ...], value: float) -> None:
    s = begun()
    for name in what:
        s.ask(name)
    assert ended(s)["1.2"].value == value


def test_1_2_treatments_tried_may_be_asked_in_words_that_name_no_finding() -> None:
    s = begun().ask("fever").ask("travel")
    assert ended(s)["1.2"].reason == "not asked: treatments tried"
    s = begun().ask("fever").ask("travel").ask(text="Have you tried anything for it?")
    assert ended(s)["1.2"].value == 1


@pytest.mark.parametrize(("words", "value"), [
    ("", 0), ("Shingles.", 0), ("You have got shingles and it will go away.", 0), ("Shingles, because of the blisters.", 0),
    ("You have shingles; what points to it is the belt of blisters.", 1), (GOOD, 1),
])  # fmt: skip
def test_1_3_the_basis_of_the_conclusion(words: str, value: float) -> None:
    s = begun().ask("fever")
    item = ended(s, explanation=words)["1.3"]
    assert (item.value, item.evidence) == (value, (s.events[-2].seq,))


def test_2_1_wants_empathy_guidance_an_end_and_no_repeats() -> None:
    assert ended(kindly(), explanation=GOOD)["2.1"].value == 1
    cold = begun().ask("fever", text="Next, I'd like to ask about fever. Any?")
    assert ended(cold, explanation=GOOD)["2.1"].reason == "missing: empathy"
    lost = begun().ask("fever", text="I'm sorry to hear that. Any fever?")
    assert ended(lost, explanation=GOOD)["2.1"].reason == "missing: guidance (a signpost or a summary)"
    assert ended(kindly())["2.1"].reason == "missing: an explained end"
    drawn_out = kindly().ask("fever").ask("fever")
    item = ended(drawn_out, explanation=GOOD)["2.1"]
    assert (item.value, item.reason) == (0, "asked again: 2 times")
    assert len(item.evidence) == 2


def test_2_2_wants_the_patients_view_and_a_say() -> None:
    assert ended(begun().ask("fever"), explanation=GOOD)["2.2"].reason == "missing: worries or hopes"
    assert (
        ended(begun().ask("ice.concern"), explanation="It is shingles.")["2.2"].reason == "missing: a say in the plan"
    )
    assert ended(Script().say("rash", "ice.concern").ask("fever"), explanation=GOOD)["2.2"].value == 1
    left = items(begun().ask("ice.concern", text="If you agree, any fear?").stop(StopReason.PATIENT_LEFT))["2.2"]
    assert (left.value, left.reason) == (0, "the patient left")


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (("shingles",), 1),
        (("herpes zoster", "eczema"), 1),
        (("B02.9",), 1),
        (("eczema", "shingles"), 0),
        (("herpes",), 0),
    ],
)
def test_3_1_is_matched_as_the_diagnosis_is(names: tuple[str, ...], value: float) -> None:
    assert ended(begun().ask("fever"), *names)["3.1"].value == value


@pytest.mark.parametrize(("plan", "value", "met"), [
    (PLAN, 1, "3 of 3"), (PLAN[:2], 1, "2 of 3"), (PLAN[:1], 0, "1 of 3"),
    (("Aciclovir, started within three days", "Tablets for pain relief"), 1, "2 of 3"),
    (("Wash your hands", "Sleep well"), 0, "0 of 3"),
])  # fmt: skip
def test_3_2_counts_the_steps_of_the_gold_plan(plan: tuple[str, ...], value: float, met: str) -> None:
    item = ended(begun().ask("fever"), plan=plan)["3.2"]
    assert (item.value, item.reason) == (value, f"{met} steps of the gold plan")


def test_3_2_without_a_plan() -> None:
    assert (ended(begun().ask("fever"))["3.2"].value, ended(begun().ask("fever"))["3.2"].reason) == (
        0,
        "no plan was given",
    )
    none = items(begun().ask("fever").conclude("shingles", plan=PLAN), scenario=SHINGLES)
    assert (none["3.2"].value, none["3.2"].reason) == (None, "the case gives no plan")
    assert none["4.1"].reason.endswith("of 6 items met"), "what cannot be judged counts neither way"
    assert 0 < STEP_FROM < PLAN_FROM < 1


def test_3_2_tells_the_plan_of_the_right_condition_from_those_of_others() -> None:
    """The claim of docs/scoring.md about the two figures, on the built-in cases and every tenth other condition."""
    knowledge, hospital = load_knowledge(), load_hospital()

    def passes(scenario: Scenario, condition: str) -> bool:
        s = Script().add(Concluded(differential=(), plan=knowledge.condition[condition].plan))
        marks = list(scores(Case(scenario, knowledge, hospital, s.stop(StopReason.CONCLUDED).events)))
        return marks[ITEMS.index("3.2")].value == 1

    cases = [load_scenario(p) for p in scenario_files().values()]
    right = [passes(c, c.gold.condition) for c in cases]
    wrong = [
        passes(c, other.id)
        for n, c in enumerate(cases)
        for other in knowledge.conditions[n % 10 :: 10]
        if other.id != c.gold.condition
    ]
    assert sum(right) / len(right) >= 0.85
    assert sum(wrong) / len(wrong) <= 0.01


def test_4_1_hangs_on_the_others() -> None:
    def overall(*names: str, **end: Any) -> float | None:
        return ended(kindly(), *names, **end)["4.1"].value

    assert overall(explanation=GOOD, plan=PLAN) == 2
    assert overall(explanation=GOOD) == 2  # six of seven
    assert overall("eczema", explanation=GOOD, plan=PLAN) == 1, "never 2 without the right diagnosis"
    assert ended(begun().ask("fever"), explanation=GOOD)["4.1"].value == 0


def test_no_end_and_a_clinical_failure_are_judged_a_broken_patient_is_not() -> None:
    walked = items(kindly().stop(StopReason.TURN_LIMIT))
    assert walked["1.1"].value == 1
    assert walked["1.3"].value == walked["3.1"].value == walked["3.2"].value == 0
    for s in (kindly(), kindly().stop(StopReason.INFRASTRUCTURE_ERROR), kindly().stop(StopReason.CANCELLED)):
        assert {x.value for x in items(s).values()} == {None}
        assert all(x.reason for x in items(s).values())


def test_an_unfinished_dialogue_is_never_assessed() -> None:
    """A fault of 3MDBench: whatever the dialogue holds so far, it has no item until it has an end."""
    whole = kindly().conclude("shingles", explanation=GOOD, plan=PLAN).events
    for n in range(len(whole) - 1):
        assert {s.value for s in items(list(whole[:n])).values()} == {None}


def test_silence_and_questions_without_content() -> None:
    s = begun().ask(asks_nothing=True, text="Good morning.")
    found = ended(s)
    assert found["1.1"].value == found["1.2"].value == 0


@pytest.mark.parametrize("name", ["indigestion_at_the_wheel", "scaly_elbows"])
def test_the_reference_does_better_than_the_curt_one(name: str) -> None:
    def met(spec: str) -> dict[str, float]:
        setup = Setup(
            load_scenario(find_scenario(name)), load_persona("neutral"), load_hospital(), load_knowledge(),
            {"inquirer": spec}, Limits(),
        )  # fmt: skip
        return {
            e.name.removeprefix("mdbench."): e.value
            for e in play(setup).events
            if isinstance(e, Scored) and e.name.startswith("mdbench") and e.value is not None
        }

    good, curt = met("reference"), met("curt")
    assert good["1.3"] == good["2.1"] == good["2.2"] == 1
    assert curt["1.3"] == curt["2.1"] == curt["2.2"] == 0
    assert good["4.1"] > curt["4.1"]
