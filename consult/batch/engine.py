"""Running the cells of a plan: an engine plays them, in this process or elsewhere, and this one alone writes.

A consultation is committed in one transaction, transcript and scores together, or not at all; what is done is not done
again. Nothing is collected: memory does not grow with the number of cells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from time import monotonic
from typing import Any, Final, Literal

from consult.agents.llm.talk import in_touch
from consult.batch.budget import Spent
from consult.batch.cells import Cells
from consult.batch.plan import ASIDE, Plan
from consult.batch.playing import Engine, Played, Stop, here
from consult.batch.threads import CONCURRENCY, in_threads
from consult.llm.ledger import SqliteLedger
from consult.settings import cores
from consult.stats.waits import Waits
from consult.store.db import Store

_LOADED: Final = ("inquirer", "patient", "triage")
"""Roles that a plug-in may play."""
LEDGER: Final = ".ledger"
"""What stands instead of the ending in the name of the file that keeps models' answers."""
FEW: Final = 8
"""Cells for which another process is worth its start (about two seconds)."""
MANY: Final = 16
"""Consultations with models at a time for which another process is: about as many as one processor keeps up with where an
answer takes 50 ms (ours, benchmarks/transport.py)."""

BESIDE: Final = 2
"""Processes for each core where models play: their threads wait most of the time, and those of one process wait for each
other besides (ours: 256 at once, 500 ms an answer, 4 cores: 20.3 consultations a second with 8 processes, 18.9 with 4)."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one cell."""

    index: int
    status: Literal["done", "skipped", "failed"]
    """`failed`: it raised and nothing is kept of it; the same command tries it again."""
    problem: str = ""
    """Why it raised; or why it ended as it did, where it is kept and ended in a failure."""
    correct: bool | None = None
    """Whether the first diagnosis was right; None where that was not judged, or not now."""
    tokens: int | None = 0
    """Taken by models; None where that is not known."""
    cost: float | None = 0.0
    """In dollars; None where that is not known."""
    roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same by role, with calls."""
    waits: Mapping[str, Waits] = field(default_factory=dict)
    """How long models' answers took, by role."""
    remarks: tuple[str, ...] = ()
    """What should be said of its judges."""


def execute(
    plan: Plan,
    cells: Cells,
    store: Store,
    *,
    jobs: int | None = 1,
    engine: Engine | None = None,
    stop: Stop = lambda: False,
    concurrency: int | None = None,
    begun: Callable[[int], object] | None = None,
) -> Iterator[Done]:
    """Runs the cells that are not done yet, each saved as soon as it is played, and tells of each cell once.

    `cells`: those of `setups`. `jobs`: processes on this machine at most (None: as many as are worth it), or else an `engine`;
    where models play, they have `concurrency` threads between them, and whatever plays them, what is answered is kept in a
    ledger beside the store. From when `stop()` is true, or the plan's budget is used up, nothing new is begun, what was begun
    is finished; cells not reached are not told of.
    `begun` is told of each cell that an engine takes, in the caller's thread.
    Raises UsageError if the run is there with another plan or other content or a plug-in cannot be loaded, StoreError
    if results cannot be kept.
    """
    from consult.agents.registry import make

    for role, spec in plan.specs:
        if role in _LOADED and not spec.startswith("llm:"):
            make(role, spec)  # a plug-in that cannot be loaded is told once, before any work
    defaults = Plan().model_dump(mode="json", exclude=set(ASIDE))
    store.ensure_run(plan.run, plan.content, defaults, content=cells.content)
    looked_at = _looked_at(plan, cells, store)
    first = None
    for one in looked_at:
        if isinstance(one, Done):
            yield one
        else:
            first = one
            break
    if first is None:
        return
    work = _Work(plan, store, begun)
    missing = islice(work.missing(chain((first,), looked_at)), plan.budget.consultations)
    if plan.by_models:
        at_once = concurrency or CONCURRENCY
        cells = _with_ledger(cells, store, at_once)
        # each process would count its own calls a minute
        most = 1 if cells.models.per_minute else jobs or BESIDE * cores()
        engine = engine or waiting(min(most, -(-len(cells) // MANY)), at_once)
    play = engine or local(min(jobs or cores(), -(-len(cells) // FEW)))
    with in_touch(cells.models):
        for played in play(cells, missing, work.until(stop)):
            yield from work.drained()
            yield work.keep(played)
    yield from work.drained()
    if not stop():  # what the budget left out may be done already
        yield from (one for one in looked_at if isinstance(one, Done))


def _with_ledger(cells: Cells, store: Store, concurrency: int) -> Cells:
    """The cells with a ledger beside the store, so that no answer is paid twice, and room for as many calls."""
    ledger = str(store.path.with_suffix(LEDGER))
    SqliteLedger(ledger).close()  # made by one, before several open it
    calls = max(cells.models.concurrency, concurrency)
    return replace(cells, models=replace(cells.models, ledger=ledger, concurrency=calls))


def _looked_at(plan: Plan, cells: Cells, store: Store) -> Iterator[Done | tuple[int, str]]:
    """The cells in order: those that are done, and the key of each that is not."""
    for index in range(len(cells)):
        key = cells.key(index)
        yield Done(index, "skipped") if store.is_done(plan.run, key) else (index, key)


@dataclass
class _Work:
    """What is between the engine and the store."""

    plan: Plan
    store: Store
    begun: Callable[[int], object] | None = None
    keys: dict[int, str] = field(default_factory=dict)
    """Of the cells that the engine has taken and not given back."""
    skipped: deque[Done] = field(default_factory=deque)
    """Cells that were met and are done, not told of yet."""

    spent: Spent = field(default_factory=Spent)
    """By models, in this call."""

    def until(self, stop: Stop) -> Stop:
        """`stop`, or the end of the budget."""
        budget = self.plan.budget
        end = monotonic() + budget.time if budget.time is not None else None
        return lambda: (end is not None and monotonic() >= end) or self.spent.all_of(budget) or stop()

    def missing(self, looked_at: Iterator[Done | tuple[int, str]]) -> Iterator[int]:
        """The cells to play, as the engine takes them."""
        for one in looked_at:
            if isinstance(one, Done):
                self.skipped.append(one)
            else:
                self.keys[one[0]] = one[1]
                if self.begun is not None:
                    self.begun(one[0])
                yield one[0]

    def drained(self) -> Iterator[Done]:
        """What was skipped since the last time."""
        while self.skipped:
            yield self.skipped.popleft()

    def keep(self, played: Played) -> Done:
        """Save what was played."""
        key = self.keys.pop(played.index)
        if played.kept is None:
            return Done(played.index, "failed", played.problem)
        if played.cell != key:
            changed = "its files changed while it was played; the same command tells what to do"
            return Done(played.index, "failed", changed)
        self.store.keep(played.kept, self.plan.run, cell=key)
        self.spent.add(played.usage)
        correct, usage = played.kept.judged.columns["correct"], played.usage
        took = usage["tokens"], usage["cost"]
        roles, waits = usage["roles"], played.kept.waits
        return Done(played.index, "done", played.problem, correct, *took, roles, waits, played.remarks)


def local(jobs: int) -> Engine:
    """The engine of this machine: this process, or several others."""
    if jobs < 2:
        return here
    from consult.batch.workers import played_by

    return partial(played_by, jobs=jobs)


def waiting(jobs: int, at_once: int) -> Engine:
    """The engine for agents that are models: threads of this process, or of several where one could not keep up."""
    jobs = min(jobs, -(-at_once // MANY))
    if jobs < 2:
        return partial(in_threads, concurrency=at_once)
    from consult.batch.workers import played_by

    return partial(played_by, jobs=jobs, threads=at_once // jobs)
