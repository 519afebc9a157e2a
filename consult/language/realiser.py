"""Templates that put chosen facts into a persona's words. Decides nothing about what is told.

Every sentence about a finding is the finding's own `present` or `absent`, so that it can be read back.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from consult.clean import clean
from consult.events import Told
from consult.knowledge.model import Finding, FindingKind, Knowledge
from consult.language.voice import capital, third_person
from consult.persona import Bank, Persona
from consult.scenario import Scenario, Speaker

OWN_TOPICS = frozenset({"ice"})
"""Topics in which a parent or carer speaks for themselves."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is to be said: facts, and what temperament adds, in this order."""

    told: tuple[Told, ...] = ()
    asked: tuple[str, ...] = ()
    """Findings that were asked for; a single one may be answered with a bare yes or no."""
    lead: str = ""
    """Said first: a word bank's name, or empty."""
    extras: tuple[str, ...] = ()
    """Word banks of which one phrase each follows."""


def realise(saying: Saying, scenario: Scenario, knowledge: Knowledge, persona: Persona, rng: random.Random) -> str:
    """The utterance."""
    parts: list[str] = []
    if saying.lead:
        parts.append(pick(getattr(persona.wording, saying.lead), rng))
    spoken = [t for t in saying.told if t.rule != "implied"]
    alone = len(saying.asked) == 1 == len(spoken) and spoken[0].finding == saying.asked[0]
    for i, t in enumerate(spoken):
        finding = knowledge.finding[t.finding]
        answers = t.finding in saying.asked or t.state != "present"  # a "yes" is to what was asked, not to its parent
        first = i == 0 and bool(saying.asked) and answers
        parts.append(_one(t, finding, scenario, persona, rng, alone=alone, first=first))
        if t.tone == "played_down":
            parts.append(pick(persona.wording.play_down, rng))
        elif t.tone == "dramatised":
            parts.append(pick(persona.wording.dramatise, rng))
    parts += [pick(getattr(persona.wording, bank), rng) for bank in saying.extras]
    return clean(" ".join(p for p in parts if p))


def _one(
    t: Told, finding: Finding, scenario: Scenario, persona: Persona, rng: random.Random, *, alone: bool, first: bool
) -> str:
    """One fact as a sentence, with a yes or no before it where it answers a question."""
    w = persona.wording
    if t.state == "withheld":
        return pick(w.reluctant, rng) if alone else f"I'd rather not talk about {finding.plain}."
    named = finding.kind is FindingKind.BINARY and not alone  # "any" goes before a thing, not before a manner of it
    if t.state == "unknown":
        return f"I don't know about any {finding.plain}." if named and not first else pick(w.dont_know, rng)
    if t.state == "not_noticed":
        return f"I haven't noticed any {finding.plain}." if named else pick(w.not_noticed, rng)
    text = voiced(statement(t, finding, scenario), finding, scenario)
    if not first or finding.kind is not FindingKind.BINARY:
        return _sentence(text)
    answer = pick(w.yes if t.state == "present" else w.no, rng)
    if alone and rng.random() < persona.traits.brevity:
        return answer or _sentence(text)
    return f"{answer} {_sentence(text)}".strip()


def statement(t: Told, finding: Finding, scenario: Scenario) -> str:
    """The first-person sentence for a told fact, its slot filled; "" for a finding nobody can put into words."""
    if t.state == "absent":
        return finding.absent or f"I don't have {finding.plain}"
    if finding.kind is FindingKind.TEXT:
        fact = scenario.by_finding.get(finding.id)
        return finding.present.replace("{text}", fact.text if fact else "")
    if finding.values:
        plain = {v.id: v.plain for v in finding.values}
        return finding.present.replace("{value}", listed([plain.get(v, v) for v in t.values]))
    return finding.present


def voiced(text: str, finding: Finding, scenario: Scenario) -> str:
    """A first-person sentence in the voice of who speaks."""
    if scenario.patient.speaker is Speaker.SELF or finding.topic in OWN_TOPICS:
        return text
    if finding.kind is FindingKind.TEXT:
        frame, _, tail = finding.present.partition("{text}")
        fact = scenario.by_finding.get(finding.id)
        if fact is not None and text.startswith(frame):
            return third_person(frame, scenario.patient.sex) + fact.text + tail
    return third_person(text, scenario.patient.sex)


def listed(items: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


def pick(bank: Bank, rng: random.Random) -> str:
    """One phrase of a bank; "" from an empty one."""
    return bank[int(rng.random() * len(bank))] if bank else ""


def _sentence(text: str) -> str:
    text = capital(text.strip())
    return text if not text or text[-1] in ".!?" else text + "."
