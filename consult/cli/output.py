"""What commands print: JSON, tables, and plain names. Results go to stdout, diagnostics to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from consult.clean import one_line
from consult.errors import ConsultError

if TYPE_CHECKING:
    from consult.events import Header

WIDE: Final = 200
"""Columns of a table that goes to a file or a pipe: nothing is cut."""


def print_json(data: Any) -> None:
    """One JSON value on stdout."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False))


def note(text: str) -> None:
    """One line on stderr."""
    click.echo(one_line(text, limit=2000), err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table on stdout; numbers to the right, long words folded rather than cut."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from consult.show import make_console

    cells = [[_cell(value) for value in row] for row in rows]
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for n, name in enumerate(columns):
        numeric = bool(cells) and all(row[n][1] for row in cells)
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(text) for text, _ in row))
    console = make_console(width=None if sys.stdout.isatty() else WIDE)
    console.print(table)


def _cell(value: Any) -> tuple[str, bool]:
    """The text of a value, and whether it may stand in a column of numbers."""
    if value is None:
        return "—", True
    if isinstance(value, bool):
        return ("yes" if value else "no"), False
    if isinstance(value, (int, float)):
        return f"{value:.3g}" if isinstance(value, float) else str(value), True
    return one_line(str(value)), False


def names_of(header: Header) -> dict[str, str]:
    """Plain names of conditions, orders and departments, as far as the files of this consultation are still there."""
    from consult.hospital import load_hospital
    from consult.knowledge.load import load_knowledge

    names: dict[str, str] = {}
    try:
        knowledge = load_knowledge(header.knowledge)
        names |= {o.id: o.name for o in knowledge.orders} | {c.id: c.name for c in knowledge.conditions}
        for primary in load_hospital(header.hospital).departments:
            names |= {primary.id: primary.name} | {s.id: s.name for s in primary.secondary}
    except ConsultError:
        pass  # names are an ornament: the ids are shown instead
    return names
