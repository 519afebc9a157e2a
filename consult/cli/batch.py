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
    from consult.batch import Cells, Done, Engine, Plan

TOLD: Final = 10
"""Things that are named where there are many: failed cells, scenarios of a dry run."""
SHOWN: Final = 200
"""Cells of a dry run up to which each has its row."""


@click.command("batch")
@click.argument("plan_file", metavar="[PLAN.yaml]", required=False, type=click.Path(path_type=Path))
@options.option("--name", help="The run's name. Default: made from the plan.")
@options.option(
    "--scenarios", multiple=True, metavar="LIST", help="Ids, ward_*, tag:NAME, folders, files, all. Default: all."
)
@options.option(
    "--personas", multiple=True, metavar="LIST", help="Specs as of run --persona, or all. Default: neutral."
)
@options.option(
    "--inquirer", multiple=True, metavar="SPEC", help="A doctor under test. Repeatable. Default: reference."
)
@options.agents
@options.rubric
@options.models
@options.budget_each
@options.world
@options.option("--epochs", type=click.IntRange(1, 100_000), help="Times each cell is run. Default: 1.")
@options.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    help="Processes. Default: one for each core there is work for, two where models play.",
)
@options.option(
    "--concurrency",
    type=click.IntRange(1, 1024),
    help="Consultations at a time where models play, in one process for each 16. Default: 8.",
)
@options.option(
    "--budget",
    metavar="LIMITS",
    help="What this call may take: time=2h,consultations=500,calls=,tokens=,cost= or some of them. The same command goes on. Default: no limit.",
)
@options.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    metavar="local|ray",
    default="local",
    show_default=True,
    help="Where cells are played: here, or on a Ray cluster (needs the extra of that name).",
)
@options.option(
    "--ray-address",
    metavar="HOST:PORT",
    help="The cluster of --engine ray; auto: one on this machine; local: a new one. Default: RAY_ADDRESS, else local.",
)
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
    concurrency: int | None,
    engine: str,
    ray_address: str | None,
    db: Path,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run every scenario with every persona and every line-up. Lists are repeatable or separated by commas.

    Cells are kept one by one; cells that are done are skipped. Ctrl-C finishes what was begun; twice stops at once. PLAN.yaml holds the same
    options by name (`consult schema plan`); options given here count over it. Exit code 3: some consultation failed.
    """
    from consult.batch import load_plan, setups
    from consult.batch.planning import plan_from

    base = load_plan(plan_file).model_dump() if plan_file is not None else {}
    plan = plan_from(base, given)
    cells = setups(plan)
    if dry_run:
        _dry(plan, cells, as_json=as_json)
        return
    try:
        if engine == "ray" and plan.by_models:  # such consultations wait nearly all the time
            jobs = jobs or concurrency
        result = _run(plan, cells, db, jobs, concurrency, _ray(ray_address, jobs) if engine == "ray" else None)
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


def _dry(plan: Plan, cells: Cells, *, as_json: bool) -> None:
    from consult.batch.budget import expected as expectation

    expected = expectation(plan.specs, len(cells))
    if as_json:
        print_json({"run": plan.run, "count": len(cells), "expected": expected, "cells": list(_rows(cells))})
        return
    if len(cells) <= SHOWN:
        table = [list(r.values())[:4] for r in _rows(cells)]
        print_table(("scenario", "persona", "line-up", "epoch"), table, spare=("epoch",))
    else:
        kinds = (("scenarios", cells.scenarios), ("personas", cells.personas))
        table = [[kind, len(parts), _few([p.id for p in parts])] for kind, parts in kinds]
        table.append(["line-ups", len(cells.team), _few([one.name for one in cells.team])])
        print_table(("what", "n", "which"), [*table, ["epochs", plan.epochs, ""]])
    calls, cost = expected["calls"], expected["cost"]
    price = "calls and cost are not known" if calls is None else f"{counted(calls, 'model call')}, ${cost:.2f}"
    note(f"{counted(len(cells), 'cell')}, {price}; nothing was run")


def _rows(cells: Cells) -> Iterator[dict[str, Any]]:
    for index in range(len(cells)):
        scenario, persona, line_up, epoch = cells.parts(index)
        yield {
            "scenario": scenario.id,
            "persona": persona.id,
            "line_up": line_up.name,
            "epoch": epoch,
            "inquirer": line_up.inquirer,
            "cell": cells.key(index),
        }


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:TOLD]) + (f" and {len(names) - TOLD} more" if len(names) > TOLD else "")


def _ray(address: str | None, jobs: int | None) -> Engine:
    from consult.batch.ray_engine import on_ray

    return on_ray(address, jobs=jobs)


def _run(
    plan: Plan, cells: Cells, db: Path, jobs: int | None, concurrency: int | None, engine: Engine | None
) -> dict[str, Any]:
    """Runs what is missing, with progress on stderr, and says what the run came to."""
    from consult.batch import execute, line_ups
    from consult.batch.threads import CONCURRENCY
    from consult.cli.progress import progress
    from consult.store.db import Store

    failures: list[str] = []
    remarked = set[str]()
    with Store(db) as store:
        at_a_time = jobs if engine else (concurrency or CONCURRENCY) if plan.by_models else jobs or cores()
        with progress(plan.run, len(cells), at_a_time) as telling, _gently() as stopped:
            for done in execute(plan, cells, store, jobs=jobs, engine=engine, stop=stopped, concurrency=concurrency):
                telling.add(done)
                for remark in set(done.remarks) - remarked:
                    note(f"warning: {remark}")
                remarked.update(done.remarks)
                if done.problem and len(failures) < TOLD:
                    failures.append(_problem(cells, done))
        counts = telling.counts
        if stopped():
            raise _Interrupted(counts.done + counts.skipped, len(cells))
        results = line_ups(plan, store.each(plan.run, scores=()))
    failed = counts.failed + sum(r["failed"] for r in results)  # what raised left no row
    _tell(failures, failed)
    told = {"done": counts.done, "skipped": counts.skipped, "failed": failed, "left": counts.left}
    return {"run": plan.run, "cells": len(cells), **told, "results": results}


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


def _problem(cells: Cells, done: Done) -> str:
    scenario, persona, line_up, _ = cells.parts(done.index)
    return f"{scenario.id}, {persona.id}, {line_up.name}: {done.problem}"


def _tell(failures: Sequence[str], failed: int) -> None:
    for text in failures:
        note(f"failed: {text}")
    if failed > len(failures):
        note(f"failed: {failed - len(failures)} more (`consult list consultations --run` shows what is kept)")


def _table(result: dict[str, Any]) -> None:
    columns = ("line-up", "persona", "n", "top-1", "top-5", "questions", "orders", "audit", "ended by")
    rows = [
        (
            r["line_up"],
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
    if result["left"]:
        note(f"the budget is used up: {counted(result['left'], 'cell')} left; the same command goes on")
