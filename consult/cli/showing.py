"""`consult show` and `consult replay`: a kept consultation again. Loads no model, no graph and no TUI."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consult.cli import options
from consult.cli.output import FILE, counted, print_json, write_text
from consult.errors import UsageError

if TYPE_CHECKING:
    from consult.events import Event
    from consult.show import EventPrinter
    from consult.store.transcript import Transcript


def find(identifier: str, db: Path, *, version: int | None = None, as_kept: bool = False) -> Transcript:
    """A consultation by id, by the beginning of one, or by the path of a .jsonl file. Raises ConsultError.

    `version`: of its scores; None: the latest, or with `as_kept` those it was played with. A file has those in it.
    """
    from consult.store.db import Store
    from consult.store.transcript import read

    path = Path(identifier)
    if path.suffix == ".jsonl" or len(path.parts) > 1:
        return read(path)
    with Store(db, readonly=True) as store:
        return store.get(identifier) if as_kept and version is None else store.scored(identifier, version)


@click.command("show")
@click.argument("consultation", metavar="ID|FILE.jsonl")
@options.db
@options.as_json
@options.option("--jsonl", is_flag=True, help="Print the transcript as it is kept.")
@options.option("--plain", is_flag=True, help="Print the dialogue only.")
@options.scores
def show(consultation: str, db: Path, *, version: int | None, as_json: bool, jsonl: bool, plain: bool) -> None:
    """Print a consultation with its scores. The beginning of an id is enough."""
    transcript = find(consultation, db, version=version, as_kept=jsonl)
    if jsonl:
        from consult.store.transcript import dumps

        click.echo(dumps(transcript.header, transcript.events), nl=False)
    elif as_json:
        from consult.store.summary import summary

        print_json(summary(transcript))
    else:
        _printer(transcript, "plain" if plain else "full").print_all(transcript.events)


def _a_number(ctx: click.Context, param: click.Parameter, value: float) -> float:
    if math.isnan(value):  # within every range, as far as comparing goes
        raise click.BadParameter("nan is no speed: give a number from 0 to 1000", ctx, param)
    return value


@click.command("replay")
@click.argument("consultation", metavar="ID|FILE.jsonl")
@options.option(
    "--speed",
    type=click.FloatRange(0, 1000),
    callback=_a_number,
    default=4.0,
    show_default=True,
    help="Times reading pace; 0 does not wait.",
)
@options.option("--from-turn", type=click.IntRange(0), default=0, show_default=True, help="Start at this question.")
@options.db
@options.option("--plain", is_flag=True, help="Print the dialogue only.")
@options.option("--html", type=FILE, metavar="FILE|-", help="Write a page that plays it instead.")
def replay(consultation: str, speed: float, from_turn: int, db: Path, html: Path | None, *, plain: bool) -> None:
    """Play a consultation again, at the pace of reading; here, or on a page that needs no network."""
    transcript = find(consultation, db)
    if html is not None:
        from consult.html import replay as player
        from consult.show.names import names_of

        write_text(html, player.page(transcript, names_of(transcript.header)), "--html")
        return
    first = _start(transcript, from_turn)
    printer = _printer(transcript, "plain" if plain else "full")
    printer.start()
    for event in transcript.events[:first]:
        printer.skip(event)
    for event in transcript.events[first:]:
        printer.event(event)
        pause(event, speed)
    printer.finish()


def _start(transcript: Transcript, turn: int) -> int:
    """Where the question of that number stands among the events; 0 for the beginning."""
    from consult.events import Question

    places = [n for n, event in enumerate(transcript.events) if isinstance(event, Question)]
    if turn > len(places):
        there = f"there {'is' if len(places) == 1 else 'are'} {counted(len(places), 'question')}"
        raise UsageError(f"--from-turn: {there}, so none is number {turn} (mend: give 0 to {len(places)})")
    return places[turn - 1] if turn else 0


def _printer(transcript: Transcript, level: str) -> EventPrinter:
    from consult.show import EventPrinter, Level, make_console
    from consult.show.names import names_of

    return EventPrinter(make_console(), transcript.header, names_of(transcript.header), level=Level(level))


def pause(event: Event, speed: float) -> None:
    """Waits as long as it takes to read what was said; `speed` 0 does not wait."""
    from consult.show.words import reading_time

    if speed and (seconds := reading_time(event)):
        time.sleep(seconds / speed)
