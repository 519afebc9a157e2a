"""How far a batch is: a live line on a terminal, plain lines at intervals elsewhere. On stderr only.

Holds counts, never cells. scipy (for the interval) is loaded by consult.stats when the first line is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from consult.batch import figures
from consult.cli.output import counted, note
from consult.stats.waits import Waits

if TYPE_CHECKING:
    from consult.batch import Done

EVERY: Final = 30.0
"""Seconds between two plain lines."""
REDRAWN: Final = 0.1
"""Seconds between two live ones, at the least."""


@dataclass
class Counts:
    """What became of the cells so far, in this call."""

    total: int
    done: int = 0
    skipped: int = 0
    failed: int = 0
    """Those that raised."""
    problems: int = 0
    """Those and the ones that are kept and ended in a failure."""
    judged: int = 0
    correct: int = 0
    tokens: int | None = 0
    cost: float | None = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    """Of models, by role."""
    costs: dict[str, float | None] = field(default_factory=dict)
    """Likewise, in dollars; None where that is not known."""
    waits: dict[str, Waits] = field(default_factory=dict)
    """Likewise, how long their answers took."""
    began: float = 0.0
    """When the first was played: what goes before, the start of processes, says nothing about the rate."""

    def add(self, one: Done) -> None:
        """Count a cell."""
        if one.status != "skipped" and not self.done + self.failed:
            self.began = monotonic()
        setattr(self, one.status, getattr(self, one.status) + 1)
        self.problems += bool(one.problem)
        self.judged += one.correct is not None
        self.correct += bool(one.correct)
        self.tokens = figures.total((self.tokens, one.tokens))
        self.cost = figures.total((self.cost, one.cost))
        for role, took in one.roles.items():
            self.calls[role] += took["calls"]
            self.costs[role] = figures.total((self.costs.get(role, 0.0), took["cost"]))
        for role, waits in one.waits.items():
            self.waits.setdefault(role, Waits()).take_in(waits)

    @property
    def left(self) -> int:
        """Cells that nothing has been heard of yet."""
        return self.total - self.done - self.skipped - self.failed

    def line(self, jobs: int | None) -> str:
        """Everything in one line; `jobs`: how many can be played at a time, if known."""
        parts = [f"{self.done + self.skipped} of {self.total} done", f"{self.problems} failed"]
        parts += [] if jobs is None else [f"{min(jobs, self.left)} running"]
        parts += figures.speed(self.done + self.failed - 1, monotonic() - self.began, self.left)
        parts += figures.taken(self.tokens, self.cost)
        return ", ".join([*parts, *self._by_role(), *figures.top1_in_words(figures.top1(self.correct, self.judged))])

    def _by_role(self) -> list[str]:
        return [f"{role} {counted(n, 'call')}{self._took(role)}" for role, n in sorted(self.calls.items())]

    def _took(self, role: str) -> str:
        cost = None if self.cost is None else self.costs[role]
        words = self.waits[role].words if role in self.waits else ""
        return ("" if cost is None else f" ${cost:.2f}") + (f" ({words})" if words else "")


class Progress:
    """Tells of `counts` while cells come in: `add` each."""

    def __init__(self, counts: Counts, jobs: int | None) -> None:
        self.counts = counts
        self._jobs = jobs
        self._told = monotonic()

    def add(self, one: Done) -> None:
        """Count a cell, and say where the batch is if it is time to."""
        self.counts.add(one)
        if monotonic() - self._told >= EVERY and self.counts.left:
            self._told = monotonic()
            note(self.counts.line(self._jobs))


class _Live(Progress):
    """On a terminal: a bar, and the line below it, both kept up to date by rich."""

    def __init__(self, counts: Counts, jobs: int | None, name: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        from consult.show import make_console

        super().__init__(counts, jobs)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        detail = TextColumn("{task.fields[detail]}", markup=False)
        self.bar = Bar(*columns, detail, console=make_console(stderr=True))
        self._task = self.bar.add_task(name, total=counts.total, detail="")

    def add(self, one: Done) -> None:
        """Count a cell."""
        self.counts.add(one)
        self.bar.advance(self._task)
        if monotonic() - self._told >= REDRAWN or not self.counts.left:
            self._told = monotonic()
            self.bar.update(self._task, detail=self.counts.line(self._jobs).partition(", ")[2])


@contextmanager
def progress(name: str, total: int, jobs: int | None) -> Iterator[Progress]:
    """Progress of a batch of `total` cells, live if stderr is a terminal."""
    from consult.show import make_console

    if make_console(stderr=True).is_terminal:
        live = _Live(Counts(total), jobs, name)
        with live.bar:
            yield live
    else:
        yield Progress(Counts(total), jobs)
