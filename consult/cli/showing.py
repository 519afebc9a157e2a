"""`consult show` and `consult replay`: a kept consultation again. Loads no model, no graph and no TUI."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consult.cli import options
from consult.cli.output import names_of, print_json

if TYPE_CHECKING:
    from consult.events import Event
    from consult.show import EventPrinter
    from consult.store.transcript import Transcript

READING = 18.0
"""Characters a second at speed 1; a brisk reader."""
LONGEST = 12.0
"""Seconds that a pause lasts at most, at speed 1."""


def find(identifier: str, db: Path) -> Transcript:
    """A consultation by id, by the beginning of one, or by the path of a .jsonl file. Raises ConsultError."""
    from consult.store.db import Store
    from consult.store.transcript import read

    path = Path(identifier)
    if path.suffix == ".jsonl" or len(path.parts) > 1:
        return read(path)
    with Store(db, readonly=True) as store:
        return store.get(identifier)


@click.command("show")
@click.argument("consultation", metavar="ID|FILE.jsonl")
@options.db
@options.as_json
@options.option("--jsonl", is_flag=True, help="Print the transcript as it is kept.")
@options.option("--plain", is_flag=True, help="Print the dialogue only.")
def show(consultation: str, db: Path, *, as_json: bool, jsonl: bool, plain: bool) -> None:
    """Print a consultation with its scores. The beginning of an id is enough."""
    transcript = find(consultation, db)
    if jsonl:
        from consult.store.transcript import dumps

        click.echo(dumps(transcript.header, transcript.events), nl=False)
    elif as_json:
        from consult.store.summary import summary

        print_json(summary(transcript))
    else:
        _printer(transcript, "plain" if plain else "full").print_all(transcript.events)


@click.command("replay")
@click.argument("consultation", metavar="ID|FILE.jsonl")
@options.option(
    "--speed",
    type=click.FloatRange(0, 1000),
    default=4.0,
    show_default=True,
    help="Times reading pace; 0 does not wait.",
)
@options.option("--from-turn", type=click.IntRange(0), default=0, show_default=True, help="Start at this question.")
@options.db
@options.option("--plain", is_flag=True, help="Print the dialogue only.")
def replay(consultation: str, speed: float, from_turn: int, db: Path, *, plain: bool) -> None:
    """Play a consultation again, at the pace of reading."""
    transcript = find(consultation, db)
    printer = _printer(transcript, "plain" if plain else "full")
    printer.start()
    for event in transcript.events:
        if event.turn < from_turn:
            printer.skip(event)
            continue
        printer.event(event)
        pause(event, speed)
    printer.finish()


def _printer(transcript: Transcript, level: str) -> EventPrinter:
    from consult.show import EventPrinter, Level, make_console

    return EventPrinter(make_console(), transcript.header, names_of(transcript.header), level=Level(level))


def pause(event: Event, speed: float) -> None:
    """Waits as long as it takes to read what was said; `speed` 0 does not wait."""
    words = getattr(event, "text", "") or getattr(event, "explanation", "")
    if speed and words:
        time.sleep(min(len(words) / READING, LONGEST) / speed)
