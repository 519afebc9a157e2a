"""`consult run`: one consultation, live in the terminal, kept and scored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace as changed
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from consult.cli import options
from consult.cli.main import FAILED
from consult.cli.output import note, print_json
from consult.errors import UsageError

if TYPE_CHECKING:
    from consult.events import Event
    from consult.sim.session import Setup
    from consult.store.db import Store
    from consult.store.transcript import Transcript


CASSETTE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command("run")
@click.argument("scenario", required=False)
@options.option(
    "--persona", metavar="NAME[@GRADE][+AXIS=V]|FILE", help="The patient's temperament and axes. Default: neutral."
)
@options.option("--inquirer", metavar="SPEC", help="The doctor under test (`consult list agents`). Default: reference.")
@options.agents
@options.models
@options.option("--record", type=CASSETTE, metavar="FILE", help="Keep what models answer in this cassette.")
@options.option("--replay", type=CASSETTE, metavar="FILE", help="Answer for models from this cassette, and call none.")
@options.world
@options.folders("A folder or file where SCENARIO is looked for first. Repeatable.")
@options.db
@options.option("--no-save", is_flag=True, help="Keep nothing.")
@options.as_json
@options.option("--quiet", is_flag=True, help="Print the dialogue only.")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    scenario: str | None,
    folders: tuple[Path, ...],
    record: Path | None,
    replay: Path | None,
    db: Path,
    no_save: bool,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Run one consultation and score it. SCENARIO is an id (`consult list scenarios`) or a file."""
    from consult.batch import default_scenario, setups
    from consult.batch.planning import plan_from

    named = scenario or default_scenario(folders)
    single = {"scenarios": named, "personas": given.pop("persona"), "inquirer": given.pop("inquirer")}
    plan = plan_from({}, given).model_copy(update={name: (text,) for name, text in single.items() if text})
    cells = setups(plan, folders)  # single values are not split at commas, as the lists of a plan are
    if len({cell.scenario.id for cell in cells}) > 1:
        what = f"SCENARIO: {named!r} names {len(cells)} scenarios"
        raise UsageError(f"{what} (mend: name one of them, or run them all with `consult batch --scenarios {named}`)")
    if len(cells) > 1:
        raise UsageError(f"--persona: this names {len(cells)} personas (mend: name one, or use `consult batch`)")
    setup = _with_cassette(cells[0], record, replay)
    with store_at(
        None if no_save else db
    ) as store:  # opened first: a store that cannot be used is told before the work, not after
        transcript = play_here(setup, None if as_json else "plain" if quiet else "full")
        if store is not None:
            transcript = transcript.renamed(store.save(transcript, cell=setup.cell))
    report_end(ctx, transcript, as_json=as_json, where="" if no_save or quiet else str(db))


def _with_cassette(setup: Setup, record: Path | None, replay: Path | None) -> Setup:
    """The setup with the files that models' answers go to or come from."""
    if record is None and replay is None:
        return setup
    return changed(setup, models=changed(setup.models, record=str(record or ""), replay=str(replay or "")))


@contextmanager
def store_at(db: Path | None) -> Iterator[Store | None]:
    from consult.store.db import Store

    with nullcontext() if db is None else Store(db) as store:
        yield store


def play_here(setup: Setup, level: str | None, *, past: int = 0) -> Transcript:
    """The consultation, printed while it happens; it goes on and is kept even if the reader of the output goes away.

    `past`: so many events at the beginning are not printed.
    """
    from consult.agents.llm.talk import hang_up
    from consult.show import EventPrinter, Level, make_console
    from consult.show.names import names_of
    from consult.sim.session import ended, header, stream

    head = header(setup)
    events: list[Event] = []

    source = iter(stream(setup))
    first = list(islice(source, 1))  # an agent that cannot be had is told before anything is printed

    def happening() -> Iterator[Event]:
        for event in chain(first, source):
            events.append(event)
            yield event

    live = happening()
    if level is not None:
        with suppress(BrokenPipeError):
            printer = EventPrinter(make_console(), head, names_of(head), level=Level(level))
            for event in islice(live, past):
                printer.skip(event)
            printer.print_all(live)
    for _ in live:
        pass
    hang_up()
    return ended(head, events)


def report_end(ctx: click.Context, transcript: Transcript, *, as_json: bool, where: str) -> None:
    from consult.store.summary import failed, summary

    result = summary(transcript)
    if as_json:
        print_json(result)
    elif where:
        note(f"kept as {transcript.id} in {where} (`consult replay {transcript.id}`)")
    if failed(result["stop_reason"]):
        ctx.exit(FAILED)
