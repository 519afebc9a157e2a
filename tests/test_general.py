"""What is asked for in general: which questions ask for it, what of it the law lets out, and that nothing there is denied."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from patient_world import PERSONAS, SCENARIOS, K, said_in, view_of

from consult.agents.patient.policy import Policy
from consult.agents.patient.reference import ReferencePatient
from consult.check.knowledges import check_knowledge
from consult.disclosure import admits, at_opening
from consult.events import Query, Told
from consult.knowledge.model import FindingKind, Knowledge
from consult.language.extractor import extract
from consult.language.resolver import resolve
from consult.persona import Mood
from consult.scenario import Fact, Release, Scenario, State

DECK = Path(__file__).resolve().parent / "data" / "general_questions.txt"
HEADS = tuple(f for f in K.findings if f.covers)
CALM = Mood(trust=0.5, irritation=0, anxiety=0)


def rows() -> Iterator[tuple[list[set[str]], tuple[str, ...], str]]:
    """Of each line what must be found, each as what may stand for it; the talk; the question."""
    for line in DECK.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            labels, talk, question = line.split(" | ")
            wanted = [] if labels == "nothing" else [set(label.split("/")) for label in labels.split()]
            yield wanted, () if talk == "-" else tuple(talk.split()), question


def test_what_students_are_taught_to_ask_is_understood() -> None:
    deck = list(rows())
    wrong = []
    for wanted, talk, question in deck:
        query = resolve(question, K, talk=talk)
        found = {*query.findings, *(["open"] if query.open else [])}
        topics = {f"topic:{t}" for t in query.topics}
        if not all(w & (found | topics) for w in wanted) or found - {"open"} - set().union(*wanted):
            wrong.append((question, sorted(found | topics)))
    assert wrong == []
    assert len(deck) == len({(talk, question) for _, talk, question in deck}) > 250


def test_a_way_to_ask_that_another_finding_has_is_reported() -> None:
    last = K.findings[-1].model_copy(update={"heard": ("Do you have a fever?",)})
    double = Knowledge(**({k: getattr(K, k) for k in Knowledge.model_fields} | {"findings": (*K.findings[:-1], last)}))
    assert [e for e in map(str, check_knowledge(double)) if f"asking fever, not {last.id}" in e]


@pytest.mark.parametrize("question", ["Do you have a boiler at home?", "Can you pass urine?", "Do you ache all over?"])
def test_what_says_more_asks_for_more(question: str) -> None:
    assert set(resolve(question, K).findings).isdisjoint(f.id for f in HEADS)


def test_the_talk_is_meant_before_the_whole_body() -> None:
    for question in ("Where does it hurt?", "Where is the pain?"):
        assert resolve(question, K).findings == ("any.pain",)
        assert resolve(question, K, talk=("headache",)).findings == ("headache.site",)
    assert resolve("Do you have any other pain?", K, talk=("headache",)).findings == ("any.pain",)


# --- the law -------------------------------------------------------------------------------------------------------
PAINS = ("chest_pain", "back_pain", "headache")


@pytest.mark.parametrize(
    ("releases", "told"),
    [
        # of three pains, those that "Do you have any pain?" lets out
        ("on_topic volunteered opening", ["on_topic", "on_topic", "on_topic"]),
        ("on_topic direct direct", ["on_topic", "", ""]),
        ("direct direct", ["in_general", "in_general"]),
        ("sensitive", [""]),
        ("sensitive direct", ["", "in_general"]),
    ],
)
def test_what_must_be_asked_for_is_told_only_where_all_would_be_denied(releases: str, told: list[str]) -> None:
    rules = map(Release, releases.split())
    facts = {name: Fact(finding=name, release=r, trust=0.1) for name, r in zip(PAINS, rules, strict=False)}
    assert [rule_of(f, facts) for f in facts.values()] == told


def test_what_is_absent_a_detail_or_of_another_kind_is_not_told_in_general() -> None:
    facts = {"chest_pain": Fact(finding="chest_pain", state=State.ABSENT), "nausea": Fact(finding="nausea")}
    facts["chest_pain.character"] = Fact(finding="chest_pain.character", values=("dull",))
    assert [rule_of(f, facts) for f in facts.values()] == ["", "", ""]


def rule_of(fact: Fact, facts: dict[str, Fact]) -> str:
    return admits(
        fact, Query(findings=("any.pain",)), trust=1.0, facts=facts,
        topic_of=K.topic_of, parent_of=K.parent_of, covered_by=K.covered_by,
    )  # fmt: skip


# --- the patient ---------------------------------------------------------------------------------------------------
def answered(scenario: Scenario, f_id: str, told: frozenset[str], *, persona: str = "neutral") -> list[Told]:
    policy = Policy(scenario, K, PERSONAS[persona], CALM, told, frozenset(), random.Random(0))
    return policy._direct(f_id, Query(findings=(f_id,)))


def case_of(*facts: Fact) -> Scenario:
    base = SCENARIOS["sore_red_eye"]
    return Scenario(**({k: getattr(base, k) for k in Scenario.model_fields} | {"facts": (*facts, base.facts[0])}))


@pytest.mark.parametrize("persona", ["phlegmatic", "melancholic"])
def test_nothing_that_is_there_is_denied_and_no_more_is_told_than_the_law_lets_out(persona: str) -> None:
    """Over every scenario and everything that can be asked for in general, right after the opening."""
    denied = 0
    for scenario in SCENARIOS.values():
        opening = frozenset(at_opening(scenario.facts, K.parent_of))
        for head in (h for h in HEADS if h.id not in scenario.by_finding):
            out = answered(scenario, head.id, opening, persona=persona)
            there = {f.finding for f in scenario.facts if f.state is State.PRESENT and f.finding in head.covers}
            named = {t.finding for t in out if t.state == "present"}
            assert named <= there
            if out[-1].state == "not_noticed":
                assert there <= opening | named
                denied += 1
            assert {t.state for t in out} <= {"present", "not_noticed", "withheld", "unknown"}
    assert denied > len(SCENARIOS)


@pytest.mark.parametrize(
    ("scenario", "question", "told", "rest"),
    [
        ("indigestion_at_the_wheel", "Do you have any pain?", ["heartburn"], []),  # the chest must be asked for
        ("coach_trip_to_lourdes", "Does anything hurt?", ["calf_pain"], ["nothing_else"]),
        ("sore_red_eye", "Are you in pain?", [], ["unrecorded"]),
        ("scratched_creases", "Does anything run in the family?", ["family.atopy"], ["nothing_else"]),
        ("barking_at_night", "Any problems with his breathing?", ["breathlessness"], []),
        ("milking_at_four", "How are your bowels?", ["constipation"], ["nothing_else"]),
        ("coach_trip_to_lourdes", "Are you otherwise well?", ["past.diabetes"], ["nothing_else"]),
    ],
)
def test_who_is_asked_in_general_tells_what_there_is(
    scenario: str, question: str, told: list[str], rest: list[str]
) -> None:
    patient = ReferencePatient()
    before = said_in(patient.open(view_of(scenario))).told
    said = said_in(patient.reply(view_of(scenario, question=question, told=before)))
    (asked,) = said.query.findings if said.query else ()
    assert [t.finding for t in said.told if t.finding in K.covered_by(asked) and t.rule != "opening"][:1] == told[:1]
    assert [t.rule for t in said.told if t.finding == asked] == rest


def test_of_many_things_that_must_be_asked_for_some_are_told_and_the_rest_is_not_denied() -> None:
    case = case_of(*(Fact(finding=name) for name in PAINS))
    first = answered(case, "any.pain", frozenset(), persona="phlegmatic")
    assert [(t.finding, t.rule) for t in first] == [("chest_pain", "in_general")]
    again = answered(case, "any.pain", frozenset({"chest_pain", "back_pain"}), persona="phlegmatic")
    assert [(t.finding, t.rule) for t in again] == [("headache", "in_general"), ("any.pain", "nothing_else")]


def test_a_secret_is_kept_back_and_what_belongs_to_nothing_told_is_left_open() -> None:
    secret = case_of(Fact(finding="testicular_pain", release=Release.SENSITIVE, trust=0.9))
    assert [t.state for t in answered(secret, "any.pain", frozenset())] == ["withheld"]
    detail = case_of(Fact(finding="rash"), Fact(finding="rash.pain"))
    assert [t.state for t in answered(detail, "any.pain", frozenset())] == ["unknown"]
    assert [t.state for t in answered(detail, "any.pain", frozenset({"rash"}))] == ["present", "not_noticed"]


def test_free_words_are_not_noted_under_what_nobody_has_as_such() -> None:
    assert extract("In my back.", K, ("any.pain",)) == ()
    assert [r.finding for r in extract("My back hurts.", K, ("any.pain",))] == ["back_pain"]
    assert [r.state for r in extract("No.", K, ("any.pain",))] == ["absent"]


def test_only_what_has_no_words_of_its_own_covers_others() -> None:
    assert {f.kind for f in HEADS} == {FindingKind.TEXT}
    covered = [c for f in HEADS for c in f.covers]
    assert set(covered) <= set(K.finding)
    past = {f.id for f in K.findings if f.topic in ("past", "family") and not f.covers and not f.sensitive}
    assert past <= set(covered), "whoever adds an illness says what asks for it"
