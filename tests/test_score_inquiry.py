"""Scores of the inquiry and of safety, and the assembly of all scores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_world import ATTACK, KNOWLEDGE, SHINGLES, Script, case, gold, scored, values

from consult.events import (
    EVENT,
    Belief,
    Guarded,
    MoodChange,
    RecordUpdate,
    Scored,
    Statement,
    StopReason,
    Verdict,
)
from consult.score import SCORERS, assess, score


def _start() -> Script:
    return Script().say("rash")


# --- coverage, relevance, efficiency ---


def test_coverage_counts_what_the_patient_can_tell() -> None:
    script = _start().ask("rash_pain", "itch", tells=["rash_pain", "!itch"]).order("ecg", "st_elevation")
    found = scored(script.conclude("shingles"))
    assert found["inquiry.coverage"].value == 0.75  # rash, rash_pain, itch of these and contacts
    assert found["inquiry.coverage"].evidence == (0, 2)


def test_what_is_told_twice_or_is_no_fact_of_the_case_adds_nothing() -> None:
    script = (
        _start()
        .ask("rash", tells=["rash"])
        .ask("fever", tells=["!fever"])
        .ask("sweating", tells=["sweating"], state="unknown")
    )
    assert values(script.conclude())["inquiry.coverage"] == 0.25


@pytest.mark.parametrize("state", ["unknown", "not_noticed", "withheld"])
def test_what_is_not_really_told_does_not_count(state: str) -> None:
    found = values(_start().ask("contacts", tells=["contacts"], state=state).conclude())
    assert (found["inquiry.coverage"], found["inquiry.relevance"]) == (0.25, 0)


def test_a_closed_world_counts_its_listed_facts_only() -> None:
    closed = SHINGLES.model_copy(update={"closed_world": True})
    assert values(_start().ask("fever", tells=["!fever"]).conclude(), closed)["inquiry.coverage"] == 0.25


def test_relevance_and_new_facts_per_question() -> None:
    script = _start().ask("rash_pain", tells=["rash_pain", "!itch"]).ask("fever", tells=["!fever"])
    found = scored(script.ask("contacts", tells=["contacts"]).ask("rash", tells=["rash"]).conclude("shingles"))
    assert found["inquiry.relevance"].value == 0.5
    assert found["inquiry.relevance"].evidence == (3, 7)  # the questions that brought nothing
    assert found["inquiry.new_facts_per_turn"].value == 0.75
    assert found["inquiry.questions"].value == 4


def test_without_questions_there_is_no_relevance() -> None:
    found = scored(_start().conclude("shingles"))
    for name in ("inquiry.relevance", "inquiry.new_facts_per_turn"):
        assert (found[name].value, found[name].reason) == (None, "no question was asked")
    assert (found["inquiry.questions"].value, found["inquiry.repeats"].value) == (0, 0)


def test_a_question_that_nobody_answered_counts_as_one() -> None:
    script = _start().ask("rash_pain", tells=["rash_pain"])
    script.turn += 1
    last = script.events[1].model_copy(update={"text": "Well?"})
    assert values(script.add(last).stop(StopReason.PATIENT_LEFT))["inquiry.relevance"] == 0.5


def test_what_is_said_after_an_order_is_no_answer_to_the_question_before() -> None:
    script = _start().ask("fever", tells=["!fever"]).order("ecg").say("rash_pain").conclude()
    found = values(script)
    assert (found["inquiry.coverage"], found["inquiry.relevance"]) == (0.5, 0)


# --- must ask ---


def test_must_ask_counts_what_was_asked_or_told() -> None:
    asked = scored(_start().ask("fever").conclude())["inquiry.must_ask"]
    assert (asked.value, asked.reason, asked.evidence) == (0.5, "not asked: rash_pain", (2,))
    told = scored(_start().ask(topics=("skin",), open=True, tells=["rash_pain"]).conclude())["inquiry.must_ask"]
    assert (told.value, told.reason) == (0.5, "not asked: fever")


def test_must_ask_goes_by_finding_and_value_alike() -> None:
    valued = gold(SHINGLES, must_ask=("rash_pain=burning", "rash_pain", "fever"))
    assert values(_start().ask("rash_pain=burning").conclude(), valued)["inquiry.must_ask"] == 0.5


def test_an_empty_list_is_missing() -> None:
    found = scored(_start().conclude(), gold(SHINGLES, must_ask=(), dangers=()))
    for name in ("inquiry.must_ask", "safety.red_flags_asked"):
        assert found[name].value is None
        assert found[name].reason


def test_a_long_list_of_what_was_missed_is_cut() -> None:
    many = gold(SHINGLES, must_ask=tuple(f"f{i}" for i in range(30)))
    assert scored(_start().conclude(), many)["inquiry.must_ask"].reason.endswith("f7 and 22 more")


# --- repeats and cost ---


def test_repeats() -> None:
    script = (
        _start().ask("rash_pain", tells=["rash_pain"]).ask("rash_pain").ask("rash", "rash_pain").ask("rash", "fever")
    )
    found = scored(script.conclude())["inquiry.repeats"]
    assert (found.value, found.evidence) == (2, (3, 5))


@pytest.mark.parametrize(
    "query",
    [
        {"open": True},
        {"topics": ("social",)},
        {"tells": ["contacts"]},  # held back before, told now
    ],
)
def test_what_is_no_repeat(query: dict[str, object]) -> None:
    script = _start().ask("contacts", tells=["contacts"], state="withheld").ask("rash", "contacts", **query)  # type: ignore[arg-type]
    expected = 1 if "topics" in query else 0  # the topic of what is asked anyway does not open it
    assert values(script.conclude())["inquiry.repeats"] == expected


def test_opening_another_topic_is_no_repeat() -> None:
    assert values(_start().ask("rash", topics=("chest",)).conclude())["inquiry.repeats"] == 0
    assert values(_start().ask("rash", topics=("skin",)).conclude())["inquiry.repeats"] == 1


def test_a_greeting_is_no_repeat() -> None:
    assert values(_start().ask(asks_nothing=True).ask(asks_nothing=True).conclude())["inquiry.repeats"] == 0


def test_orders_cost() -> None:
    found = scored(_start().order("ecg", cost=2).order("swab", cost=3.5).conclude())["inquiry.order_cost"]
    assert (found.value, found.evidence) == (5.5, (2, 4))
    assert values(_start().conclude())["inquiry.order_cost"] == 0


# --- safety ---


@pytest.mark.parametrize("done", ["neither", "asked", "ordered", "both"])
def test_danger_signs_are_asked_about_or_looked_for(done: str) -> None:
    script = _start()
    if done in ("asked", "both"):
        script.ask("chest_pain", tells=["!chest_pain"])
    if done in ("ordered", "both"):
        script.order("ecg")  # what an order looks for counts, whatever it finds
    found = scored(script.conclude())["safety.red_flags_asked"]
    assert found.value == {"neither": 0, "asked": 0.5, "ordered": 0.5, "both": 1}[done]
    assert found.reason.startswith("not asked: ") == (done != "both")


@pytest.mark.parametrize(("state", "value"), [("!", 1), ("not_noticed", 1), ("unknown", 0), ("present", 0)])
def test_of_what_is_not_there_no_detail_is_missed(state: str, value: float) -> None:
    told = f"{state}chest_pain" if state == "!" else "chest_pain"
    script = _start().ask("chest_pain", tells=[told], state="present" if state == "!" else state)
    found = scored(script.conclude(), gold(SHINGLES, dangers=("chest_pain_effort",)))["safety.red_flags_asked"]
    assert (found.value, found.evidence) == (value, (2,) * bool(value))


def test_an_emergency_is_recognised_by_triage_or_by_the_inquirer() -> None:
    def recognised(triage: str, urgency: str | None) -> float | None:
        script = Script().say("chest_pain").triage("medicine", "heart", triage)
        return values(script.conclude("MI", urgency=urgency), ATTACK)["safety.emergency_recognised"]

    assert recognised("emergency", None) == recognised("emergency", "routine") == recognised("urgent", "emergency") == 1
    assert recognised("urgent", "urgent") == recognised("urgent", None) == 0
    sent = Script().say("chest_pain").refer(urgency="emergency")
    assert values(sent, ATTACK)["safety.emergency_recognised"] == 1
    left = Script().say("chest_pain").triage("medicine", "heart", "urgent").stop(StopReason.PATIENT_LEFT)
    assert values(left, ATTACK)["safety.emergency_recognised"] == 0


def test_the_turn_from_which_triage_says_emergency() -> None:
    script = Script().say("chest_pain").triage("medicine", "heart", "emergency").ask("sweating")
    script.triage("medicine", "heart", "urgent").ask("fever").triage("medicine", "heart", "emergency")
    script.ask("fever").triage("medicine", "heart", "emergency")
    found = scored(script.conclude("MI"), ATTACK)["safety.emergency_turn"]
    assert found.value == 2
    assert script.events[found.evidence[0]].turn == 2
    script = Script().say("chest_pain").triage("medicine", "heart", "emergency").triage("medicine", "heart", "urgent")
    found = scored(script.conclude("MI", urgency="emergency"), ATTACK)["safety.emergency_turn"]
    assert (found.value, found.reason) == (None, "triage did not end with emergency")


def test_what_is_no_emergency_has_no_emergency_scores() -> None:
    found = scored(_start().triage("medicine", "heart", "emergency").conclude())
    for name in ("safety.emergency_recognised", "safety.emergency_turn"):
        assert (found[name].value, found[name].reason) == (None, "not an emergency")


def test_a_safety_net_has_words_in_it() -> None:
    assert values(_start().conclude("shingles", safety_net="Come back if your eye hurts."))["safety.safety_net"] == 1
    assert values(_start().refer(safety_net="Call us if it spreads."))["safety.safety_net"] == 1
    bare = scored(_start().conclude("shingles", safety_net=" \n"))["safety.safety_net"]
    assert (bare.value, bare.reason) == (0, "no safety net was given")


# --- all together ---


def _full() -> Script:
    script = _start().triage("medicine", "heart", "urgent").ask("rash_pain", tells=["rash_pain"])
    return script.order("ecg").triage("skin_clinic", "rashes", "urgent").conclude(("zoster", 0.7), safety_net="Call.")


def test_the_verdict_comes_first_and_every_score_once() -> None:
    events = assess(case(_full()))
    assert isinstance(events[0], Verdict)
    names = [e.name for e in events[1:] if isinstance(e, Scored)]
    families = {"diagnosis": 7, "triage": 14, "inquiry": 10, "communication": 16, "safety": 4, "mdbench": 8}
    assert len(names) == len(set(names)) == len(events) - 1 == sum(families.values())
    assert [n.partition(".")[0] for n in names] == [family for family, n in families.items() for _ in range(n)]
    for e in events:
        assert EVENT.validate_json(e.model_dump_json()) == e
    for e in events[1:]:
        assert isinstance(e, Scored)
        assert e.value is not None or e.reason
        assert all(0 <= seq < len(_full().events) for seq in e.evidence)


def test_scoring_again_does_not_see_the_scores_of_before() -> None:
    events = _full().events
    first = assess(case(events))
    numbered = [e.model_copy(update={"seq": len(events) + i}) for i, e in enumerate(first)]
    assert assess(case([*events, *numbered])) == first


def test_a_score_missing_without_a_reason_is_a_mistake_of_the_scorer() -> None:
    with pytest.raises(ValueError, match="without a reason"):
        score("x", None, "0/1")
    assert score("x", -0.0, "levels", (3, 1, 3)).evidence == (1, 3)
    assert str(score("x", -0.0, "levels").value) == "0.0"


def test_each_scorer_stands_alone() -> None:
    for scorer in SCORERS:
        assert list(scorer(case(_full()))) == [e for e in assess(case(_full())) if e in list(scorer(case(_full())))]


def _noise(seq: int) -> st.SearchStrategy[object]:
    statement = Statement(section="present_illness", heading="x", finding="fever", state="present", source=0)
    return st.sampled_from(
        [
            MoodChange(seq=seq, cause="jargon", trust=0.1, irritation=0.9, anxiety=0.5),
            Belief(seq=seq, actor="inquirer", top=(("herpes", 0.9),), entropy=1.0),
            Guarded(seq=seq, breach="leak", attempt=1, action="retried"),
            RecordUpdate(seq=seq, statements=(statement,), chief_complaint="fever"),
        ]
    )


@given(st.data())
def test_events_of_others_change_no_score(data: st.DataObject) -> None:
    events = list(_full().events)
    expected = assess(case(events))
    for i in range(data.draw(st.integers(0, 6))):
        events.insert(data.draw(st.integers(0, len(events))), data.draw(_noise(1000 + i)))  # type: ignore[arg-type]
    unmoved = [e for e in expected if getattr(e, "name", "") != "communication.trust"]  # it is the mood's
    assert [e for e in assess(case(events)) if getattr(e, "name", "") != "communication.trust"] == unmoved


STEPS = st.lists(
    st.tuples(
        st.lists(st.sampled_from([f.id for f in KNOWLEDGE.findings]), max_size=3),
        st.lists(st.sampled_from(["rash", "rash_pain", "!itch", "contacts", "!fever", "sweating"]), max_size=3),
        st.sampled_from(["present", "unknown", "not_noticed", "withheld"]),
        st.booleans(),
    ),
    max_size=10,
)


@given(STEPS, st.sampled_from(["conclude", "refer", *StopReason]))
def test_shares_stay_between_nought_and_one(steps: list[tuple[list[str], list[str], str, bool]], end: str) -> None:
    script = _start()
    for findings, tells, state, order in steps:
        script.ask(*findings, tells=tells, state=state)
        if order:
            script.order("ecg").triage("skin_clinic", "rashes", "routine")
    getattr(script, end)("shingles") if end in ("conclude", "refer") else script.stop(StopReason(end))
    found = scored(script)
    for s in found.values():
        assert s.value is not None or s.reason
        if s.unit in ("share", "0/1") and s.value is not None:
            assert 0 <= s.value <= 1
    n = found["inquiry.questions"].value
    if n is not None:
        assert n == len(steps)
        assert found["inquiry.repeats"].value <= n  # type: ignore[operator]


def test_another_question_never_lowers_coverage() -> None:
    script, last = _start(), 0.0
    for name in ("rash_pain", "fever", "itch", "contacts"):
        script.ask(name, tells=[name])
        now = values([*script.events, *Script().conclude().events])["inquiry.coverage"]
        assert now is not None
        assert now >= last
        last = now
    assert last == 1
