"""Whether words are read as what they stand for: one sentence, one finding. Shared by the linters; knows no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consult.clean import one_line
from consult.knowledge.model import FindingKind, Knowledge
from consult.knowledge.per_object import per_object
from consult.language.extractor import Reading, extract
from consult.language.lexicon import Entry, Phrases
from consult.language.tokens import tokens
from consult.language.voice import capital

LENGTH = 80
"""Characters of a person's words that a message repeats."""


def quoted(text: str) -> str:
    """A person's words, short and safe, in quotation marks."""
    shown = one_line(text, limit=LENGTH + 1)
    return f'"{shown[:LENGTH]}…"' if len(shown) > LENGTH else f'"{shown}"'


def as_sentence(text: str) -> str:
    """As the realiser says it: a capital first, a full stop last."""
    text = capital(text.strip())
    return text if not text or text[-1] in ".!?" else text + "."


def said(text: str, knowledge: Knowledge, asked: Sequence[str] = (), *, for_other: bool = False) -> tuple[Reading, ...]:
    """What a text says outright, leaving out what only follows from it; `for_other`: a parent or carer says it."""
    return tuple(r for r in extract(text, knowledge, asked, for_other=for_other) if not r.implied)


def misread(sentence: str, meant: Reading, knowledge: Knowledge) -> str:
    """What a sentence is read as if that is not `meant` and nothing but `meant`; else ""."""
    readings = said(as_sentence(sentence), knowledge)
    if len(readings) == 1 and agrees(readings[0], meant, knowledge):
        return ""
    return told(readings)


def agrees(read: Reading, meant: Reading, knowledge: Knowledge) -> bool:
    """Whether two readings say the same."""
    if (read.finding, read.state, set(read.values)) != (meant.finding, meant.state, set(meant.values)):
        return False
    if knowledge.finding[meant.finding].kind is not FindingKind.TEXT or meant.state != "present":
        return True
    return tokens(read.text) == tokens(meant.text)


def told(readings: Iterable[Reading]) -> str:
    """Readings in words: "fever (absent) and rash.site=back"."""
    parts = []
    for r in readings:
        values = "=" + "+".join(r.values) if r.values else ""
        words = f" {quoted(r.text)}" if r.text else ""
        parts.append(f"{r.finding}{values}{words}" + ("" if r.state == "present" else f" ({r.state})"))
    return " and ".join(parts) or "nothing"


def _condition_names(knowledge: Knowledge) -> Phrases:
    out = Phrases()
    for c in knowledge.conditions:
        for name in (c.name, c.plain, *c.synonyms):
            out.add(tokens(name), Entry(c.id))
    return out


_names = per_object(_condition_names)


def named_conditions(text: str, knowledge: Knowledge) -> tuple[str, ...]:
    """The conditions that a text names."""
    return tuple(dict.fromkeys(entry.finding for _, _, entry in _names(knowledge).find(tokens(text))))
