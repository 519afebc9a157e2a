"""The debrief as Markdown, or as plain lines for a bare terminal and a screen reader. Draws from `words` alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from consult.clean import one_line
from consult.debrief.model import Debrief
from consult.debrief.words import SIGNS, Row, Section, sections, title, turn_words

_MARKS: Final = re.compile(r"([\\`*_\[\]<>#|~])")
_SAYS: Final = {"doctor": "Doctor:", "patient": "Patient:", "better": "Better:"}
"""What a sign says, in words."""


def to_markdown(d: Debrief) -> str:
    """The whole debrief, ending in a newline."""
    return "\n".join(_markdown(d)) + "\n"


def _markdown(d: Debrief) -> Iterator[str]:
    yield f"# {_escaped(title(d))}"
    yield ""
    yield f"Consultation {_escaped(d.consultation_id)}. For simulation and teaching, never for care."
    for s in sections(d):
        yield from ("", f"## {s.title}", "")
        if s.lead:
            yield from (_escaped(s.lead), "")
        for row in s.rows:
            if row.kind == "head":
                yield from ("", f"### {_escaped(row.text)}", "")
                continue
            sign = SIGNS[row.kind] if row.kind in ("good", "bad", "flag") else ""
            says = _SAYS.get(row.kind, "")
            where = places(row)
            yield "- " + " ".join(part for part in (sign, says, _escaped(row.text), where) if part)
            yield from (f"  - {_escaped(note)}" for note in row.notes)


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", one_line(text, limit=4000))


def places(row: Row) -> str:
    """Where a row leads to, in brackets; nothing where it leads nowhere."""
    if not row.cites:
        return ""
    more = "" if len(row.cites) <= 6 else " …"
    return f"({', '.join(turn_words(c) for c in row.cites[:6])}{more})"


def plain_lines(of: Iterable[Section]) -> Iterator[str]:
    """Lines of plain text, without rules, columns or signs that a screen reader would spell."""
    for s in of:
        if s.rows or s.lead:
            yield f"{s.title}. {s.lead}".strip()
        for row in s.rows:
            text = row.text if row.kind != "head" else f"{row.text}:"
            told = " ".join(part for part in ("-", _SAYS.get(row.kind, ""), text, places(row)) if part)
            yield one_line(". ".join((told, *(note.rstrip(".") for note in row.notes))), limit=4000)
