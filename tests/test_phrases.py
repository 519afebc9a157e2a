"""What temperament does to words: banks without repetition, nothing funny about what is grave, registers, lead-ins."""

from __future__ import annotations

import random
import re
from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patient_world import HEART, PERSONAS, SCENARIOS, K, said_in, view_of

from consult.agents.base import Ending
from consult.agents.patient.reference import ReferencePatient
from consult.check.personas import ANSWERS
from consult.events import StopReason, Told, Utterance
from consult.hospital import load_hospital
from consult.knowledge.model import Finding, FindingKind, Source
from consult.language.extractor import extract
from consult.language.phrases import Draw
from consult.language.realiser import OWN_TOPICS, Saying, realise, same
from consult.language.register import LEADS, TAGS, expanded, led, loosened, stiffened, tagged
from consult.language.voice import third_person
from consult.persona import Mood, Wording, load_persona
from consult.sim.session import Setup, play
from consult.terms import Sex

PLAIN = "I think this is an infection that passes by itself within a week, so rest and drink a lot."


# --- word banks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_every_bank_is_large_and_varied(name: str) -> None:
    for bank in Wording.model_fields:
        phrases = getattr(PERSONAS[name].wording, bank)
        assert len(phrases) >= 16, (bank, len(phrases))
        grave = getattr(PERSONAS[name].grave, bank)
        assert not grave or len(grave) >= 8, (bank, len(grave))
        every = (*phrases, *grave)
        assert len({p.lower().strip(".!?, ") for p in every}) == len(every), bank


def test_what_is_said_beside_an_answer_is_no_answer() -> None:
    wrong = []
    for name, p in PERSONAS.items():
        for bank in set(Wording.model_fields) - set(ANSWERS):
            for text in getattr(p.wording, bank):
                if any(r.state in ("present", "absent") for r in extract(text, K, ("fever",))):
                    wrong.append((name, bank, text))
    assert wrong == []


@given(st.integers(0, 2**64 - 1), st.integers(1, 30), st.integers(1, 90))
def test_a_deck_is_dealt_to_its_end_and_nothing_comes_twice_running(seed: int, size: int, n: int) -> None:
    bank = tuple(f"phrase {i}." for i in range(size))
    dealt: list[str] = []
    drawn: dict[str, int] = {}
    for _ in range(n):  # a new one each time: the count is all that is carried on
        draw = Draw(seed, drawn)
        dealt.append(draw("bank", bank))
        drawn = draw.drawn
    for start in range(0, n - size + 1, size):
        assert sorted(dealt[start : start + size]) == sorted(bank)
    assert size == 1 or all(a != b for a, b in pairwise(dealt))
    assert Draw(seed)("bank", ()) == ""


def _sentences(name: str, persona: str) -> list[str]:
    events = play(Setup(SCENARIOS[name], load_persona(persona), load_hospital(), K)).events
    said = (s.strip() for e in events if isinstance(e, Utterance) for s in re.findall(r"[^.!?]+[.!?]", e.text))
    return [s for s in said if len(s.split()) > 2]


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_seven_consultations_do_not_read_alike(name: str) -> None:
    """Of the sentences of one consultation few stand in another, though facts are told in the same words throughout."""
    said = [set(_sentences(s, name)) for s in list(SCENARIOS)[:100:16]]
    shared = [len(a & b) / min(len(a), len(b)) for a, b in combinations(said, 2)]
    assert len(said) == 7
    assert sum(shared) / len(shared) < 0.2


@pytest.mark.parametrize("name", [*sorted(PERSONAS), "sanguine@0.5", "choleric@0.5"])
def test_nothing_is_said_twice_in_a_consultation(name: str) -> None:
    for scenario in list(SCENARIOS)[4::24]:
        said = Counter(_sentences(scenario, name))
        assert len(said) > 5
        assert [s for s, n in said.items() if n > 1] == []


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_what_nobody_knows_of_or_noticed_is_denied_in_ever_other_words(name: str) -> None:
    draw, chance = Draw(7), random.Random(7)

    def denied(topics: tuple[str, ...], n: int) -> list[str]:
        asked = [f.id for f in K.findings if f.topic in topics and f.kind is FindingKind.BINARY and not f.parent][:n]
        told = [Told(fact=f, finding=f, state="not_noticed") for f in asked]
        return [realise(Saying((t,), (t.finding,)), SCENARIOS[HEART], K, PERSONAS[name], chance, draw) for t in told]

    said = [*denied(("past", "family"), 8), *denied(("abdomen",), 10), *denied(("risk",), 8)]
    assert len(said) == 26
    assert [s for s, n in Counter(said).items() if n > 1] == []


# --- what is grave -------------------------------------------------------------------------------------------------

FARM = "milking_at_four"


def _told_before(*findings: str) -> tuple[Told, ...]:
    facts = SCENARIOS[FARM].by_finding
    return tuple(Told(fact=f, finding=f, state="present", values=facts[f].values) for f in findings)


def test_once_something_hard_is_said_there_are_no_jokes_any_more() -> None:
    """A sanguine patient who has told of thoughts of suicide, or of a death, speaks in other words until the end."""
    p = PERSONAS["sanguine"]
    jokes = [j for bank in Wording.model_fields if getattr(p.grave, bank) for j in getattr(p.wording, bank)]
    jokes += p.wording.digression
    seen = Counter[str]()
    questions = [f.questions[0] for f in K.findings if f.source is Source.HISTORY and f.questions][:60]
    for told in ((), _told_before("suicidal_thoughts"), _told_before("social.home")):
        for i, question in enumerate(questions):
            view = view_of(
                FARM, "sanguine", question, told=told, mood=Mood(trust=0.9, irritation=0.6, anxiety=0.6), seed=i
            )
            text = said_in(ReferencePatient().reply(view)).text
            last = said_in(ReferencePatient().close(view, Ending(StopReason.CONCLUDED, PLAIN))).text
            found = [j for j in jokes if len(j.split()) > 2 and (j in text or j in last)]
            seen["joking" if told else "free"] += bool(found)
            seen["said"] += bool(told) and any(g in text for b in Wording.model_fields for g in getattr(p.grave, b))
    assert seen["free"] > 30
    assert seen["said"] > 60
    assert not seen["joking"]


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_beside_thoughts_of_suicide_nothing_is_made_smaller_or_larger_or_beside_the_point(name: str) -> None:
    question = K.finding["suicidal_thoughts"].questions[0]
    for seed in range(40):
        said = said_in(
            ReferencePatient().reply(view_of(FARM, name, question, mood=Mood(trust=1, anxiety=1), seed=seed))
        )
        (hard,) = [t for t in said.told if t.finding == "suicidal_thoughts"]
        assert (hard.state, hard.tone) == ("present", "plain")
        assert "digression" not in said.flags


def test_only_what_one_suffers_from_is_made_smaller_or_larger() -> None:
    toned = set()
    for spec in ("melancholic", "sanguine", "phlegmatic"):
        for name, case in list(SCENARIOS.items())[::5]:
            for f in case.facts:
                if not K.finding[f.finding].questions:
                    continue
                view = view_of(name, spec, K.finding[f.finding].questions[0], mood=Mood(trust=1), seed=5)
                toned |= {t.finding for t in said_in(ReferencePatient().reply(view)).told if t.tone != "plain"}
    assert len(toned) > 40
    for f_id in toned:
        f = K.finding[f_id]
        assert f.kind is FindingKind.BINARY
        assert f.topic not in ("family", "past", "risk", "social", "medicines", "ice", "course")
    assert not toned & {"growing_well", "better_outdoors", "crying_bouts.soothed", "low_mood", "suicidal_thoughts"}


# --- registers and lead-ins ----------------------------------------------------------------------------------------


HISTORY = [f for f in K.findings if f.source is Source.HISTORY]


def _statements(f: Finding) -> list[str]:
    out = [f.absent] if f.absent else []
    if f.kind is FindingKind.BINARY:
        out.append(f.present)
    if f.kind is FindingKind.TEXT:
        out.append(f.present.replace("{text}", "a small matter"))
    return [s + "." for s in (*out, *(f.present.replace("{value}", v.plain) for v in f.values))]


@pytest.mark.parametrize("speech", ["formal", "colloquial"])
@pytest.mark.parametrize("voice", [None, Sex.FEMALE])
def test_every_sentence_of_every_register_is_read_back(speech: str, voice: Sex | None) -> None:
    """What the realiser would say of any finding reads as the plain sentence does; and most of it is said differently."""
    total = kept = 0
    for i, f in enumerate(HISTORY):
        for text in _statements(f):
            plain = third_person(text, voice) if voice is not None and f.topic not in OWN_TOPICS else text
            assert same(expanded(plain), plain, K), plain
            lead, tag = LEADS[speech][i % len(LEADS[speech])], TAGS[speech][i % len(TAGS[speech])]
            for other in (led(lead, plain), *([tagged(plain, tag)] if f.kind is FindingKind.BINARY else [])):
                total += 1
                kept += other != plain and same(other, plain, K)
    assert total > 300
    assert kept / total > 0.7, "else the register could hardly be heard"


@pytest.mark.parametrize("name", sorted(PERSONAS))
def test_lead_ins_of_temperaments_can_be_used(name: str) -> None:
    binary = [f for f in HISTORY if f.kind is FindingKind.BINARY][:60]
    leads = PERSONAS[name].wording.lead_in
    kept = [same(led(leads[i % len(leads)], f"{f.present}."), f"{f.present}.", K) for i, f in enumerate(binary)]
    assert sum(kept) / len(kept) > 0.9


@pytest.mark.parametrize("spec", ["neutral+register=formal", "neutral+register=colloquial", "choleric", "phlegmatic"])
def test_whatever_way_it_is_put_it_says_what_is_so(spec: str) -> None:
    scenario, persona = SCENARIOS[HEART], load_persona(spec)
    heard = set()
    for f in HISTORY:
        if f.kind is not FindingKind.BINARY:
            continue
        for state in ("present", "absent"):
            told = Told(fact=f.id, finding=f.id, state=state, rule="direct")
            for seed in range(3):
                text = realise(Saying((told,), (f.id,)), scenario, K, persona, random.Random(seed), Draw(seed))
                read = {r.finding: r.state for r in extract(text, K, (f.id,)) if not r.implied}
                assert read == {f.id: state}, text
                heard.add(text)
    assert len(heard) > len(HISTORY)


def test_registers_sound_like_themselves() -> None:
    assert (
        expanded("I don't, I can't, we've, She's, it isn't, I'm.")
        == "I do not, I cannot, we have, She's, it is not, I am."
    )
    assert {loosened("Yes, I do.", x / 10) for x in range(10)} == {"Yeah, I do.", "Yep, I do.", "Yes, I do."}
    assert loosened("Certainly.", 0.1) == "Certainly."
    assert expanded("I'd say it's bad, isn't it? I'd hoped so. It's been hard, let's go. I'd better.") == (
        "I would say it is bad, is it not? I had hoped so. It's been hard, let us go. I had better."
    )
    assert [stiffened(a) for a in ("Nah. Next.", "Yep.", "Yeah, so.", "Nothing.")] == [
        "No. Next.",
        "Yes.",
        "Yes, so.",
        "Nothing.",
    ]
    assert led("Well,", "The pain is sharp.") == "Well, the pain is sharp."
    assert led("Well,", "I'm hot.") == "Well, I'm hot."
    assert led("Look here!", "It hurts.") == "Look here! It hurts."

    def spoken(speech: str) -> str:
        who = load_persona(f"neutral+register={speech}")
        plays = [play(Setup(SCENARIOS[name], who, load_hospital(), K)) for name in (HEART, FARM)]
        return " ".join(e.text for p in plays for e in p.events if isinstance(e, Utterance))

    formal, colloquial = spoken("formal"), spoken("colloquial")
    assert "n't " not in formal
    assert any(lead in formal for lead in LEADS["formal"])
    assert any(lead in colloquial for lead in LEADS["colloquial"])
