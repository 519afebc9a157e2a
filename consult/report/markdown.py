"""A report or a comparison as Markdown. Draws from `tables` and `model` alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consult.clean import one_line
from consult.report.comparison import Comparison
from consult.report.model import Report
from consult.report.tables import Name, Section, comparison, sections


def to_markdown(of: Report | Comparison, name: Name = str) -> str:
    """The whole page, ending in a newline; `name` gives the words for the id of a condition or a department."""
    lines = _report(of, name) if isinstance(of, Report) else _comparison(of)
    return "\n".join(lines) + "\n"


def _report(r: Report, name: Name) -> Iterator[str]:
    d = r.design
    yield f"# Run {_cell(r.run)}"
    yield ""
    yield (
        f"{d.consultations} consultations: {d.scenarios} scenarios, {len(d.personas)} personas, {len(d.line_ups)} line-ups, "
        f"{d.epochs} epochs. Hospital {_cell(', '.join(d.hospitals))}, knowledge {_cell(', '.join(d.knowledges))}. "
        "For simulation and teaching, never for care."
    )
    yield from _notes(r.notes)
    for section in sections(r, name):
        yield from _section(section)


def _comparison(c: Comparison) -> Iterator[str]:
    yield f"# {_cell(f'{c.a.run}:{c.a.line_up}')} (A) and {_cell(f'{c.b.run}:{c.b.line_up}')} (B)"
    yield ""
    yield f"{c.pairs} pairs of {c.scenarios} scenarios; without a partner: {c.a.unpaired} of A, {c.b.unpaired} of B."
    yield from _notes(c.notes)
    yield ""
    yield from (f"- {_cell(s.sentence)}" for s in c.scores if s.score in c.headline)
    yield from _section(comparison(c))


def _notes(notes: Iterable[str]) -> Iterator[str]:
    for n, note in enumerate(notes):
        if not n:
            yield ""
        yield f"- {_cell(note)}"


def _section(s: Section) -> Iterator[str]:
    yield ""
    yield f"## {_cell(s.title)}"
    yield ""
    if s.text:
        yield _cell(s.text)
        yield ""
    for row in (s.columns, ("---",) * len(s.columns), *s.rows):
        yield "| " + " | ".join(map(_cell, row)) + " |"


def _cell(text: str) -> str:
    """On one line; what would end a cell or begin markup of its own is escaped."""
    out = one_line(text, limit=1000)
    for sign in ("\\", "|", "<", "`", "*", "_", "["):
        out = out.replace(sign, f"\\{sign}")
    return out
