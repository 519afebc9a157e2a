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

from consult.cli.output import note

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
        self.tokens = None if self.tokens is None or one.tokens is None else self.tokens + one.tokens
        self.cost = _added(self.cost, one.cost)
        for role, took in one.roles.items():
            self.calls[role] += took["calls"]
            self.costs[role] = _added(self.costs.get(role, 0.0), took["cost"])

    @property
    def left(self) -> int:
        """Cells that nothing has been heard of yet."""
        return self.total - self.done - self.skipped - self.failed

    def line(self, jobs: int | None) -> str:
        """Everything in one line; `jobs`: how many can be played at a time, if known."""
        parts = [f"{self.done + self.skipped} of {self.total} done", f"{self.problems} failed"]
        parts += [] if jobs is None else [f"{min(jobs, self.left)} running"]
        parts += self._speed()
        parts.append("tokens unknown" if self.tokens is None else f"{self.tokens} tokens")
        parts.append("cost unknown" if self.cost is None else f"${self.cost:.2f}")
        return ", ".join([*parts, *self._by_role(), *self._top1()])

    def _speed(self) -> list[str]:
        played, seconds = self.done + self.failed - 1, monotonic() - self.began
        if played < 1 or not seconds:
            return []
        return [f"{played / seconds:.1f} a second", f"{_clock(self.left * seconds / played)} left"]

    def _by_role(self) -> list[str]:
        priced = {
            role: "" if cost is None or self.cost is None else f" ${cost:.2f}" for role, cost in self.costs.items()
        }
        return [f"{role} {n} calls{priced[role]}" for role, n in sorted(self.calls.items())]

    def _top1(self) -> list[str]:
        if not self.judged:
            return []
        from consult.stats.intervals import wilson

        share = self.correct / self.judged
        low, high = wilson(share, self.judged)
        return [f"top-1 {share:.2f} ({low:.2f} to {high:.2f})"]


def _added(one: float | None, other: float | None) -> float | None:
    """The sum; None if either is not known."""
    return None if one is None or other is None else one + other


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


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
