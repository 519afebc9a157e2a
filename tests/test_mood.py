"""Moods: every cause moves them as the page says, kindness wears thin, offences last, and nothing is lost for good."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.events import Query, Told
from consult.knowledge.load import load_knowledge
from consult.language.manner import manner
from consult.language.resolver import resolve
from consult.mood import (
    COLD_FROM,
    EFFECTS,
    EXPLAINED_FROM,
    PATIENCE,
    UNPROMPTED,
    Move,
    Notes,
    causes,
    change,
    ended,
    floor,
    heard,
    is_explained,
    moved,
    readiness,
)
from consult.persona import Cause, Mood, Persona, load_persona, persona_files

K = load_knowledge()
PERSONAS = {name: load_persona(name) for name in sorted(persona_files())}
UNIT = st.floats(0, 1)
BETTER = {
    Cause.EMPATHY, Cause.CUE_ANSWERED, Cause.EXPLANATION, Cause.SIGNPOST, Cause.PLAIN_WORDS, Cause.PLAN_EXPLAINED,
}  # fmt: skip
WORDS = " ".join(["so"] * EXPLAINED_FROM)


@given(st.sampled_from(list(Cause)), UNIT, UNIT, UNIT)
def test_a_mood_moves_the_documented_way_and_stays_within_bounds(
    cause: Cause, trust: float, irritation: float, anxiety: float
) -> None:
    before = Mood(trust=trust, irritation=irritation, anxiety=anxiety)
    for persona in PERSONAS.values():
        after = moved(before, Move(cause), persona)
        sign = 1 if cause in BETTER else -1
        slack = 1e-4  # moods are kept to four places
        assert sign * (after.trust - before.trust) >= -slack
        assert sign * (after.irritation - before.irritation) <= slack
        assert sign * (after.anxiety - before.anxiety) <= slack
        assert all(0 <= x <= 1 for x in after.model_dump().values())


def test_every_cause_has_an_effect_and_temperament_scales_it() -> None:
    assert set(EFFECTS) == set(Cause)
    mood = Mood(trust=0.5, irritation=0.5, anxiety=0.5)
    for cause in Cause:
        assert moved(mood, Move(cause), PERSONAS["neutral"]) != mood
    rises = {n: moved(mood, Move(Cause.REPEAT), p).irritation for n, p in PERSONAS.items()}
    assert rises["choleric"] > rises["neutral"] >= rises["phlegmatic"]


def test_causes_from_what_was_said() -> None:
    def why(*said: Cause, cue: str = "", asked: bool = False, turn: int = 2, **notes: Any) -> set[Cause]:
        before = Notes(cue=cue, asked=frozenset({"fever"} if asked else ()), **{"warm": True} | notes)
        return {m.cause for m in causes(said, Query(findings=("fever",)), before, turn)}

    assert why() == {Cause.PLAIN_WORDS}
    assert why(Cause.EMPATHY) == {Cause.EMPATHY, Cause.PLAIN_WORDS}
    assert why(Cause.EMPATHY, cue="worry") == {Cause.CUE_ANSWERED, Cause.PLAIN_WORDS}
    assert why(cue="worry") == {Cause.CUE_IGNORED, Cause.PLAIN_WORDS}
    assert why(Cause.JARGON) == {Cause.JARGON}
    assert why(Cause.STACKED, asked=True) == {Cause.STACKED, Cause.REPEAT}
    assert Cause.LONG_INTERVIEW not in why(turn=PATIENCE)
    assert Cause.LONG_INTERVIEW in why(turn=PATIENCE + 1)
    assert Cause.COLD not in why(turn=COLD_FROM - 1, warm=False)
    assert Cause.COLD in why(turn=COLD_FROM, warm=False)
    assert Cause.COLD not in why(turn=COLD_FROM, warm=True)
    assert Cause.COLD not in why(Cause.EMPATHY, turn=COLD_FROM, warm=False)


def test_what_was_held_back_may_be_asked_again_kindly() -> None:
    query = Query(findings=("fever",))
    notes = Notes(asked=frozenset({"fever"}), warm=True).answered(
        query, (Told(fact="fever", finding="fever", state="withheld"),), ""
    )

    def why(*said: Cause, of: Notes = notes) -> set[Cause]:
        return {m.cause for m in causes(said, query, of, 2)}

    assert Cause.REPEAT in why()
    assert Cause.REPEAT not in why(Cause.EMPATHY)
    told = notes.answered(query, (Told(fact="fever", finding="fever", state="present"),), "")
    assert Cause.REPEAT in why(Cause.EMPATHY, of=told), "what has been answered has been answered"


def test_words_that_are_not_understood_are_counted_once() -> None:
    assert [m.cause for m in causes((Cause.JARGON,), Query(), Notes(warm=True), 2)] == [Cause.JARGON]
    assert Cause.MISUNDERSTOOD in {m.cause for m in causes((), Query(), Notes(warm=True), 2)}


def _after(
    persona: Persona, *questions: str, mood: Mood | None = None, notes: Notes | None = None
) -> tuple[Mood, Notes]:
    state = mood or persona.temper.start, notes or Notes()
    for turn, text in enumerate(questions, 1):
        query = resolve(text, K)
        m, n, _ = heard(*state, manner(text, query, K), query, persona, turn)
        state = m, n
    return state


def test_empathy_wears_thin_smoothly_and_counts_less_where_nothing_calls_for_it() -> None:
    query = Query(findings=("fever",))

    def worth(turn: int, **notes: Any) -> float:
        return next(m.weight for m in causes((Cause.EMPATHY,), query, Notes(**notes), turn) if m.cause is Cause.EMPATHY)

    weights = [worth(2, empathies=n) for n in range(12)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == UNPROMPTED < worth(1)
    assert 0 < weights[-1] < weights[0] / 5
    steps = [a - b for a, b in pairwise(weights)]
    assert steps == sorted(steps, reverse=True), "no cliff"


def test_a_choleric_patient_is_soothed_more_slowly_than_angered() -> None:
    choleric = PERSONAS["choleric"]
    mood = Mood(trust=0.5, irritation=0.6, anxiety=0.3)
    up = moved(mood, Move(Cause.CUE_IGNORED), choleric).irritation - 0.6
    down = 0.6 - moved(mood, Move(Cause.CUE_ANSWERED), choleric).irritation
    assert 0 < down < up / 3
    drops = {n: 0.6 - moved(mood, Move(Cause.EMPATHY), p).irritation for n, p in PERSONAS.items()}
    assert drops["choleric"] == min(drops.values())


@pytest.mark.parametrize("offence", ["Do you have a fever?", "Are you sick? Do you have a cough? Are you cold?"])
def test_a_repeat_or_a_stack_leaves_something_that_courtesy_does_not_take_away(offence: str) -> None:
    kind = [f"I understand how hard this is. {f.questions[0]}" for f in K.findings if f.questions and not f.red_flag][
        :8
    ]
    for name in ("choleric", "neutral"):
        p = PERSONAS[name]
        calm = _after(p, "Tell me more about it.", "Do you have a fever?", *kind)
        cross = _after(p, "Tell me more about it.", "Do you have a fever?", offence, offence, offence, *kind)
        assert cross[1].grudge > calm[1].grudge == 0
        assert cross[0].irritation >= floor(cross[1], p) > floor(calm[1], p)
        assert cross[0].irritation > calm[0].irritation


def test_only_being_answered_or_told_why_calms_the_anxious() -> None:
    mood = Mood(trust=0.5, irritation=0.2, anxiety=0.8)
    calming = {c for c in Cause if moved(mood, Move(c), PERSONAS["melancholic"]).anxiety < mood.anxiety}
    assert calming == {Cause.CUE_ANSWERED, Cause.EXPLANATION, Cause.PLAN_EXPLAINED}


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_lost_trust_can_be_earned_again(name: str) -> None:
    p = PERSONAS[name]
    lost = Mood(trust=0, irritation=min(0.8, p.temper.leaves_at - 0.05), anxiety=0.9)
    plain = [f.questions[0] for f in K.findings if f.questions and f.source == "history"][:30]
    kind = [f"I can see how hard this is. I'm asking because it helps me. {q}" for q in plain]
    assert _after(p, *kind, mood=lost)[0].trust > 0.5, "what most sensitive facts ask for"


def test_literacy_scales_jargon_and_nothing_else() -> None:
    mood = Mood(trust=0.5, irritation=0.5, anxiety=0.5)
    p = {level: load_persona(f"neutral+literacy={level}") for level in ("low", "medium", "high")}
    falls = {level: mood.trust - moved(mood, Move(Cause.JARGON), who).trust for level, who in p.items()}
    assert falls["low"] > falls["medium"] > falls["high"] == 0
    for cause in set(Cause) - {Cause.JARGON}:
        assert len({moved(mood, Move(cause), who) for who in map(_frozen, p.values())}) == 1


class _frozen:  # noqa: N801
    """A persona by its temper and literacy, for use in a set comprehension."""

    def __init__(self, p: Persona) -> None:
        self.temper, self.health_literacy = p.temper, p.health_literacy


@given(UNIT, UNIT)
def test_readiness_falls_with_irritation_and_rises_with_trust(trust: float, irritation: float) -> None:
    for p in PERSONAS.values():
        mood = Mood(trust=trust, irritation=irritation, anxiety=0.3)
        here = readiness(mood, p)
        assert 0 <= here <= 1.25
        assert here >= readiness(mood.model_copy(update={"irritation": min(1, irritation + 0.1)}), p)
        assert here <= readiness(mood.model_copy(update={"trust": min(1, trust + 0.1)}), p)
        assert readiness(p.temper.start, p) == 1
        if irritation >= p.temper.clams_up_at or trust <= p.temper.start.trust / 2:
            assert here == 0


def test_the_end_is_part_of_the_score() -> None:
    p, start = PERSONAS["neutral"], PERSONAS["neutral"].temper.start

    def end(text: str, cue: str = "", said: tuple[Cause, ...] = ()) -> tuple[Mood, list[str]]:
        mood, events = ended(start, Notes(cue=cue), said, text, p, 5)
        return mood, [e.cause for e in events]

    assert not is_explained("Acute coronary syndrome.")
    assert end("")[1] == end("Acute coronary syndrome.")[1] == ["abrupt_end"]
    assert end(WORDS)[1] == ["plan_explained"]
    assert end(WORDS, "outcome")[1] == ["plan_explained", "cue_answered"]
    assert end(WORDS, "worry")[1] == ["plan_explained", "cue_ignored"]
    assert end(WORDS, "worry", (Cause.EMPATHY,))[1] == ["plan_explained", "cue_answered"]
    assert end("", "worry")[1] == ["abrupt_end", "cue_ignored"]
    assert end("")[0].trust < start.trust < end(WORDS)[0].trust


def test_one_event_for_each_move_and_none_for_no_move() -> None:
    start = Mood(trust=1, irritation=0, anxiety=0)
    moves = [Move(Cause.EMPATHY), Move(Cause.REPEAT), Move(Cause.PLAIN_WORDS)]
    after, events = change(start, moves, PERSONAS["neutral"], 3)
    assert [e.cause for e in events] == ["repeat", "plain_words"]
    assert (events[-1].trust, events[-1].irritation, events[-1].turn) == (after.trust, after.irritation, 3)


def test_notes_are_plain_data_and_back() -> None:
    notes = replace(Notes(), asked=frozenset({"b", "a"}), cue="worry", grudge=0.25, warm=True)
    assert Notes.of(notes.plain()) == notes
    assert notes.plain()["asked"] == ["a", "b"]
    assert Notes.of({}) == Notes()


@pytest.mark.parametrize("text", [
    "Let me sum up what I have so far.", "So you've told me about the cough.", "Next I'd like to ask about your sleep.",
    "To summarise, it began on Monday.", "There are a few more questions.",
])  # fmt: skip
def test_signposts_are_heard(text: str) -> None:
    assert Cause.SIGNPOST in manner(text, Query(asks_nothing=True), K)
    assert Cause.SIGNPOST not in manner("Do you have a fever?", Query(findings=("fever",)), K)
