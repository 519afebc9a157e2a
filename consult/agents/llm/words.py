"""What is numbers and ids in a case, in words for prompts: age, mood, traits, record, conditions of rules. The bounds are ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consult.agents.base import Record
from consult.events import Statement
from consult.hospital import When
from consult.knowledge.model import Knowledge
from consult.persona import Mood, Persona

_SOME: Final = 0.3
_MUCH: Final = 0.6
_OLDEST: Final = 130
"""Years up to which a rule that names no age holds."""
_TRAITS: Final = {
    "play_down": "play things down",
    "dramatise": "make things sound worse",
    "digress": "wander from the subject",
    "ask_back": "ask what is going on",
    "seek_outcome": "press for a quick solution",
    "seek_reassurance": "ask whether all will be well",
    "emotion": "show what you feel",
    "brevity": "answer briefly",
}


def age_in_words(years: float) -> str:
    """`54 years`, `6 months`."""
    if years >= 2:
        return f"{years:g} years"
    months = round(years * 12)
    return f"{months} month{'' if months == 1 else 's'}"


def mood_in_words(mood: Mood) -> str:
    """How somebody feels who is in this mood."""
    trust = "you trust the doctor" if mood.trust >= _MUCH else "you are not sure of the doctor"
    parts = ["you do not trust the doctor" if mood.trust < _SOME else trust]
    for value, much, some in (
        (mood.irritation, "you are annoyed", "you are a little impatient"),
        (mood.anxiety, "you are very worried", "you are somewhat worried"),
    ):
        if value >= _SOME:
            parts.append(much if value >= _MUCH else some)
    return ", ".join(parts)


def traits_in_words(persona: Persona) -> list[str]:
    """What a temperament does often or at times; nothing of what it does not do."""
    out = []
    for name, words in _TRAITS.items():
        value = getattr(persona.traits, name)
        if value >= _SOME:
            out.append(f"you {'often' if value >= _MUCH else 'at times'} {words}")
    return out


def statement_in_words(s: Statement, knowledge: Knowledge) -> str:
    """One line of a record."""
    state = ", ".join(v.replace("_", " ") for v in s.values) or s.state.replace("_", " ")
    return f"{s.heading}: {knowledge.finding[s.finding].plain}: {s.text or state}"


def record_in_words(record: Record, knowledge: Knowledge) -> dict[str, list[str]]:
    """The record by section; one of which nothing is known has no line."""
    out: dict[str, list[str]] = {"chief_complaint": [], "present_illness": [], "past_history": []}
    for s in record.statements.values():
        out[s.section].append(statement_in_words(s, knowledge))
    return out


def findings_in_words(specs: Sequence[str], knowledge: Knowledge) -> list[str]:
    """Findings (`id` or `id=value`) by their plain names; those that this knowledge does not have are left out."""
    out: dict[str, None] = {}
    for spec in specs:
        name, _, value = spec.partition("=")
        if name in knowledge.finding:
            which = f" ({value.replace('_', ' ')})" if value else ""
            out[knowledge.finding[name].plain + which] = None
    return list(out)


def can_hold(when: When, knowledge: Knowledge) -> bool:
    """Whether this knowledge has what a condition speaks of."""
    known = knowledge.finding.keys()
    return known >= when.needed and not (when.any and known.isdisjoint(when.wanted))


def condition_in_words(when: When, knowledge: Knowledge) -> str:
    """When a rule holds: `chest pain; and one of: cold sweat, nausea; and none of: belly pain; and age 18 to 130`."""
    every, some, none = (findings_in_words(specs, knowledge) for specs in (when.all, when.any, when.none))
    parts = [", ".join(every)] if every else []
    parts += [f"{'one of: ' if len(some) > 1 else ''}{', '.join(some)}"] if some else []
    parts += [f"none of: {', '.join(none)}"] if none else []
    if when.min_age > 0 or when.max_age < _OLDEST:
        parts.append(f"age {when.min_age:g} to {when.max_age:g}")
    if when.sex is not None:
        parts.append(when.sex.value)
    return "; and ".join(parts) or "always"
