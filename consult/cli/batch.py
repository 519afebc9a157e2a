"""`consult batch`: many consultations by one plan; the same command again finishes what is missing."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from consult.cli import options
from consult.cli.main import FAILED, INTERRUPTED
from consult.cli.output import counted, note, print_json, print_table
from consult.settings import cores

if TYPE_CHECKING:
    from consult.batch import Plan
    from consult.sim.session import Setup
    from consult.store.db import Store

TOLD: Final = 10
"""Failed cells that are named."""


@click.command("batch")
@click.argument("plan_file", metavar="[PLAN.yaml]", required=False, type=click.Path(path_type=Path))
@options.option("--name", help="The run's name. Default: made from the plan.")
@options.option("--scenarios", multiple=True, metavar="LIST", help="Ids, tag:NAME, folders, files, all. Default: all.")
@options.option(
    "--personas", multiple=True, metavar="LIST", help="Specs as of run --persona, or all. Default: neutral."
)
@options.option(
    "--inquirer", multiple=True, metavar="SPEC", help="A doctor under test. Repeatable. Default: reference."
)
@options.agents
@options.world
@options.option("--epochs", type=click.IntRange(1, 100_000), help="Times each cell is run. Default: 1.")
@options.option("--jobs", type=click.IntRange(1, 1024), help="Processes. Default: one for each core there is work for.")
@options.db
@options.option("--dry-run", is_flag=True, help="Show the cells and run nothing.")
@options.as_json
@click.pass_context
def batch(
    ctx: click.Context,
    /,
    *,
    plan_file: Path | None,
    jobs: int | None,
    db: Path,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run every scenario with every persona and every inquirer. Lists are repeatable or separated by commas.

    Cells are kept one by one; cells that are done are skipped. Ctrl-C finishes what was begun; twice stops at once. PLAN.yaml holds the same
    options by name (`consult schema plan`); options given here count over it. Exit code 3: some consultation failed.
    """
    from consult.batch import load_plan, setups
    from consult.cli.planning import plan_from

    base = load_plan(plan_file).model_dump() if plan_file is not None else {}
    plan = plan_from(base, given)
    cells = setups(plan)
    if dry_run:
        _dry(plan, cells, as_json=as_json)
        return
    try:
        result = _run(plan, cells, db, jobs or cores())
    except _Interrupted as e:
        note(f"interrupted: {e.args[0]} of {e.args[1]} done; the same command goes on")
        ctx.exit(INTERRUPTED)
    if as_json:
        print_json(result)
    else:
        _table(result)
    if result["failed"]:
        ctx.exit(FAILED)


class _Interrupted(Exception):
    """Ctrl-C, with how many cells were done, and of how many."""


def _dry(plan: Plan, cells: Sequence[Setup], *, as_json: bool) -> None:
    rows = [
        {
            "scenario": s.scenario.id,
            "persona": s.persona.id,
            "inquirer": s.agents["inquirer"],
            "epoch": s.epoch,
            "cell": s.cell,
        }
        for s in cells
    ]
    if as_json:
        print_json({"run": plan.run, "cells": rows})
        return
    table = [list(r.values())[:4] for r in rows]
    print_table(("scenario", "persona", "inquirer", "epoch"), table, spare=("epoch",))
    note(f"{counted(len(rows), 'cell')}; nothing was run")


def _run(plan: Plan, cells: Sequence[Setup], db: Path, jobs: int) -> dict[str, Any]:
    """Runs what is missing, with progress on stderr, and says what the run came to."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from consult.batch import execute, line_ups, rows_of
    from consult.show import make_console
    from consult.store.db import Store
    from consult.store.summary import failed

    counts = {"done": 0, "skipped": 0, "failed": 0}
    console = make_console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Store(db) as store, Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(plan.run, total=len(cells))
        raised = []
        with _gently() as stopped:
            for done in execute(plan, cells, store, jobs=jobs, stop=stopped):
                counts[done.status] += 1
                progress.advance(task)
                if done.problem:
                    raised.append(_problem(cells[done.index], done.problem))
        if stopped():
            raise _Interrupted(counts["done"] + counts["skipped"], len(cells))
        rows, stale = rows_of(plan, cells, store)
        _tell(raised + [_stop(row, store) for row in rows if failed(row["stop_reason"])])
    if stale:
        are = "comes" if stale == 1 else "come"
        note(
            f"{counted(stale, 'consultation')} of run {plan.run} {are} from content that has changed since: not counted"
        )
    results = line_ups(rows)
    failures = len(raised) + sum(r["failed"] for r in results)  # what raised left no row
    return {"run": plan.run, "cells": len(cells), **counts, "failed": failures, "results": results}


@contextmanager
def _gently() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C only makes the function it gives true; the second leaves at once."""
    seen: list[int] = []

    def heard(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            raise KeyboardInterrupt
        note("stopping after what was begun (Ctrl-C again: at once)")

    old = signal.signal(signal.SIGINT, heard)
    try:
        yield lambda: bool(seen)
    except KeyboardInterrupt:
        seen.append(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, old)


def _problem(cell: Setup, problem: str) -> str:
    return f"{cell.scenario.id}, {cell.persona.id}, {cell.agents['inquirer']}: {problem}"


def _stop(row: dict[str, Any], store: Store) -> str:
    """A consultation that is kept and failed: which, and why."""
    from consult.events import Stopped
    from consult.store.summary import last

    stop = last(store.get(row["consultation_id"]).events, Stopped)
    why = f"{row['stop_reason']}: {stop.detail}" if stop and stop.detail else row["stop_reason"]
    return f"{row['scenario']}, {row['persona']}, {row['inquirer']}: {why}"


def _tell(failures: Sequence[str]) -> None:
    for text in failures[:TOLD]:
        note(f"failed: {text}")
    if len(failures) > TOLD:
        note(f"failed: {len(failures) - TOLD} more (`consult list consultations --run` shows what is kept)")


def _table(result: dict[str, Any]) -> None:
    columns = ("inquirer", "persona", "n", "top-1", "top-5", "questions", "orders", "audit", "ended by")
    rows = [
        (
            r["inquirer"],
            r["persona"],
            r["n"],
            r["top1"],
            r["top5"],
            r["questions"],
            r["orders"],
            f"{r['clean']} of {r['audited']} clean",
            ", ".join(f"{reason} {n}" for reason, n in r["stop_reasons"].items()),
        )
        for r in result["results"]
    ]
    print_table(columns, rows, spare=("orders", "questions", "audit", "top-5"))
    done, skipped, failed = result["done"], result["skipped"], result["failed"]
    note(
        f"run {result['run']}: {counted(result['cells'], 'cell')}, {done} done now, {skipped} done before, {failed} failed"
    )
