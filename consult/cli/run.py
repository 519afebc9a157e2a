"""`consult run`: one consultation, live in the terminal, kept and scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace as changed
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consult.cli import options
from consult.cli.main import FAILED
from consult.cli.output import counted, note, print_json
from consult.errors import UsageError

if TYPE_CHECKING:
    from consult.events import Event
    from consult.sim.session import Setup
    from consult.stats.waits import Waits
    from consult.store.db import Store
    from consult.store.transcript import Transcript


@click.command("run")
@click.argument("scenario", required=False)
@options.option(
    "--persona", metavar="NAME[@GRADE][+AXIS=V]|FILE", help="The patient's temperament and axes. Default: neutral."
)
@options.option("--inquirer", metavar="SPEC", help="The doctor under test (`consult list agents`). Default: reference.")
@options.agents
@options.rubric
@options.models
@options.budget_each
@options.world
@options.single
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    scenario: str | None,
    how: options.Single,
    **given: Any,
) -> None:
    """Run one consultation and score it. SCENARIO is an id (`consult list scenarios`) or a file."""
    from consult.batch import default_scenario, setups
    from consult.batch.planning import plan_from

    named = scenario or default_scenario(how.folders)
    single = {"scenarios": named, "personas": given.pop("persona"), "inquirer": given.pop("inquirer")}
    plan = plan_from({}, given).model_copy(update={name: (text,) for name, text in single.items() if text})
    cells = setups(plan, how.folders)  # single values are not split at commas, as the lists of a plan are
    if len({cell.scenario.id for cell in cells}) > 1:
        what = f"SCENARIO: {named!r} names {len(cells)} scenarios"
        raise UsageError(f"{what} (mend: name one of them, or run them all with `consult batch --scenarios {named}`)")
    if len(cells) > 1:
        raise UsageError(f"--persona: this names {len(cells)} personas (mend: name one, or use `consult batch`)")
    play_one(ctx, cells[0], how)


def play_one(ctx: click.Context, setup: Setup, how: options.Single) -> None:
    """Plays a consultation as the options say: printed, kept, and told how it ended."""
    if how.record is not None or how.replay is not None:
        cassettes = changed(setup.models, record=str(how.record or ""), replay=str(how.replay or ""))
        setup = changed(setup, models=cassettes)
    past = len(setup.past.events) if setup.past is not None else 0
    # the store is opened first: one that cannot be used is told before the work, not after
    with _store_at(None if how.no_save else how.db) as store:
        transcript = _play_here(setup, None if how.as_json else "plain" if how.quiet else "full", past=past)
        if store is not None:
            transcript = transcript.renamed(store.save(transcript, cell=setup.cell))
    _report_end(ctx, transcript, how)


@contextmanager
def _store_at(db: Path | None) -> Iterator[Store | None]:
    from consult.store.db import Store

    with nullcontext() if db is None else Store(db) as store:
        yield store


def _play_here(setup: Setup, level: str | None, *, past: int) -> Transcript:
    """The consultation, printed while it happens; it goes on and is kept even if the reader of the output goes away.

    `past`: so many events at the beginning are not printed.
    """
    from consult.agents.llm.talk import in_touch
    from consult.show import EventPrinter, Level, make_console
    from consult.show.names import Names
    from consult.show.ticker import Ticker
    from consult.sim.session import ended, header, stream

    head = header(setup)
    events: list[Event] = []
    waits: dict[str, Waits] = {}
    console = make_console()
    ticker = Ticker(console, "Doctor")  # where nobody looks on, nothing is streamed

    def happening() -> Iterator[Event]:
        with ticker:
            for event in chain(first, source):
                ticker.stop()
                events.append(event)
                yield event

    with in_touch(setup.models):
        source = iter(stream(setup, ticker if level is not None and console.is_terminal else None, waits))
        first = list(islice(source, 1))  # an agent that cannot be had is told before anything is printed
        live = happening()
        if level is not None:
            with suppress(BrokenPipeError):
                printer = EventPrinter(console, head, Names.among(setup.knowledge, setup.hospital), level=Level(level))
                for event in islice(live, past):
                    printer.skip(event)
                printer.print_all(live)
        for _ in live:
            pass
    return ended(head, events, waits)


def _report_end(ctx: click.Context, transcript: Transcript, how: options.Single) -> None:
    from consult.judge.marks import remarks
    from consult.store.summary import failed, summary

    result = summary(transcript)
    for remark in remarks(transcript.events):
        note(f"warning: {remark}")
    for role, took in result["usage"]["roles"].items():
        note(f"{role}: {_took(took, transcript.waits.get(role))}")
    if how.as_json:
        print_json(result)
    elif not how.quiet and not how.no_save:
        note(f"kept as {transcript.id} in {how.db} (`consult replay {transcript.id}`)")
    elif how.quiet and failed(result["stop_reason"]):  # the dialogue alone does not say why it broke off
        note(f"{result['stop_reason']}: {result['stop_detail']}")
    if failed(result["stop_reason"]):
        ctx.exit(FAILED)


def _took(took: Mapping[str, Any], waits: Waits | None) -> str:
    """What a role that a model played took, in a few words."""
    parts = [counted(took["calls"], "call"), "tokens unknown" if took["tokens"] is None else f"{took['tokens']} tokens"]
    parts += ["cost unknown" if took["cost"] is None else f"${took['cost']:.4g}"]
    return ", ".join([*parts, *([waits.words] if waits is not None and waits.words else [])])
