"""`consult debrief`: what a finished consultation can teach, in the terminal, as Markdown, as a page, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consult.cli import options
from consult.cli.output import FILE, print_json, write_text

if TYPE_CHECKING:
    from consult.debrief.model import Debrief
    from consult.debrief.words import Section


@click.command("debrief")
@click.argument("consultation", metavar="ID|FILE.jsonl")
@options.option("--md", type=FILE, metavar="FILE|-", help="Write it as Markdown instead.")
@options.option("--html", type=FILE, metavar="FILE|-", help="Write it as a page instead, with the dialogue to jump to.")
@options.option("--short", is_flag=True, help="Print the most telling rows of each part only.")
@options.option("--plain", is_flag=True, help="Print lines of plain text, for a screen reader.")
@options.option("--coach", metavar="llm:MODEL", help="Let a model put the weakest words better, not the rule alone.")
@options.api_base
@options.folders("A folder or file where the scenario is looked for first. Repeatable.")
@options.db
@options.scores
@options.as_json
def debrief(
    consultation: str,
    md: Path | None,
    html: Path | None,
    coach: str | None,
    api_base: str | None,
    folders: tuple[Path, ...],
    db: Path,
    *,
    version: int | None,
    short: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Say what a finished consultation can teach: what was missed, left unsaid, and better put.

    The reference doctor goes on from the place where most was to be gained. No model is asked but for a --coach.
    """
    from consult.cli.showing import find
    from consult.debrief.build import debrief as debrief_of

    transcript = find(consultation, db, version=version)
    made = debrief_of(transcript, folders)
    if coach:
        from consult.debrief.coach import by_coach, coach_of

        made = by_coach(made, transcript, coach_of(coach, api_base=api_base or ""), db)
    if md is not None:
        from consult.debrief.markdown import to_markdown

        write_text(md, to_markdown(made), "--md")
    if html is not None:
        from consult.html import debrief as page
        from consult.show.names import names_of

        write_text(html, page.page(transcript, made, names_of(transcript.header)), "--html")
    if as_json:
        print_json(made.model_dump(mode="json"))
    elif md is None and html is None:
        print_debrief(made, brief=short, plain=plain)


def print_debrief(made: Debrief, *, brief: bool = False, plain: bool = False) -> None:
    """A debrief on stdout."""
    from consult.debrief.markdown import plain_lines
    from consult.debrief.words import sections, title
    from consult.debrief.words import short as cut

    parts = cut(sections(made)) if brief else sections(made)
    if plain:
        click.echo("\n".join((title(made), *plain_lines(parts))))
    else:
        _draw(title(made), parts)


def _draw(title: str, parts: tuple[Section, ...]) -> None:
    from rich.text import Text

    from consult.debrief.markdown import places
    from consult.show import make_console
    from consult.show.paint import BAD, DOCTOR, GOOD, PATIENT, QUIET, Canvas

    canvas = Canvas(make_console())
    signs = {"good": canvas.signs.yes, "bad": canvas.signs.no, "flag": "!", "head": "", "": canvas.signs.dot}
    styles = {"good": GOOD, "bad": BAD, "flag": BAD, "head": "bold underline", "doctor": DOCTOR, "patient": PATIENT}
    canvas.blank()
    canvas.rule(title, style="bold", heavy=canvas.signs.heavy)
    for part in parts:
        canvas.blank()
        canvas.rule(part.title)
        if part.lead:
            canvas.block("", Text(part.lead, style=QUIET))
        for row in part.rows:
            style = styles.get(row.kind, "")
            label = row.kind if row.kind in ("doctor", "patient", "better") else signs[row.kind]
            canvas.block(
                label, Text.assemble((row.text, "" if label else style), (f"  {places(row)}", QUIET)), style or QUIET
            )
            for note in row.notes:
                canvas.block("", Text(note, style=QUIET))
