"""Running the cells of a plan: in this process or in several, with this one the only writer.

A consultation is committed in one transaction, transcript and scores together, or not at all; what is done is not done
again. Nothing is collected: memory does not grow with the number of cells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from consult.batch.cells import Cells
from consult.batch.plan import Plan
from consult.clean import one_line
from consult.errors import ConsultError
from consult.store.db import Kept, Store, prepared

if TYPE_CHECKING:
    from consult.sim.session import Setup

_LOADED: Final = ("inquirer", "patient", "triage")
"""Roles that a plug-in may play."""
FEW: Final = 8
"""Cells for which another process is worth its start (about two seconds)."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one cell."""

    index: int
    status: Literal["done", "skipped", "failed"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """A cell that was played, ready to be kept; or why it could not be."""

    index: int
    kept: Kept | None
    cell: str = ""
    problem: str = ""


def play_cell(index: int, setup: Setup) -> Played:
    """Play one cell. Nothing but the end of the process gets past it: one broken plug-in does not end the others."""
    from consult.sim.session import play

    try:
        return Played(index, prepared(play(setup)), setup.cell)
    except ConsultError as e:
        return Played(index, None, problem=one_line(str(e)))
    except Exception as e:
        return Played(index, None, problem=one_line(f"internal error: {type(e).__name__}: {e}"))


def execute(
    plan: Plan, cells: Sequence[Setup], store: Store, *, jobs: int = 1, stop: Callable[[], bool] = lambda: False
) -> Iterator[Done]:
    """Runs the cells that are not done yet, each saved as soon as it is played.

    `jobs`: processes; `cells` must then be those of `setups`. From when `stop()` is true nothing new is begun, what was
    begun is finished. A cell that raises is reported as failed and not saved, so that the same command tries it again.
    Raises UsageError if the run is there with another plan or a plug-in cannot be loaded, StoreError if results cannot
    be kept.
    """
    from consult.agents.registry import make

    for role, spec in (*plan.roles.items(), *(("inquirer", spec) for spec in plan.inquirer)):
        if role in _LOADED:
            make(role, spec)  # a plug-in that cannot be loaded is told once, before any work
    defaults = Plan().model_dump(mode="json", exclude={"name"})
    store.ensure_run(plan.run, plan.content, defaults)
    skipped: deque[Done] = deque()
    missing = _missing(plan, cells, store, skipped)
    for played in _played(cells, missing, min(jobs, -(-len(cells) // FEW)), stop):
        yield from _drained(skipped)
        yield _keep(played, cells[played.index].cell, plan, store)
    yield from _drained(skipped)


def _missing(plan: Plan, cells: Sequence[Setup], store: Store, skipped: deque[Done]) -> Iterator[int]:
    """The cells to play; those that are done already go to `skipped`."""
    for index, setup in enumerate(cells):
        if store.is_done(plan.run, setup.cell):
            skipped.append(Done(index, "skipped"))
        else:
            yield index


def _drained(skipped: deque[Done]) -> Iterator[Done]:
    while skipped:
        yield skipped.popleft()


def _played(cells: Sequence[Setup], missing: Iterator[int], jobs: int, stop: Callable[[], bool]) -> Iterator[Played]:
    if jobs > 1 and isinstance(cells, Cells):
        from consult.batch.workers import played_by

        yield from played_by(cells, missing, jobs, stop)
        return
    while not stop() and (index := next(missing, None)) is not None:
        yield play_cell(index, cells[index])


def _keep(played: Played, cell: str, plan: Plan, store: Store) -> Done:
    if played.kept is None:
        return Done(played.index, "failed", played.problem)
    if played.cell != cell:
        return Done(played.index, "failed", "its files changed while it was played; the same command tries it again")
    store.keep(played.kept, plan.run, cell=cell)
    return Done(played.index, "done")
