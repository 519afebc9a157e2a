"""Processes that play cells: each has its own pipe, so that a dead one is noticed, replaced, and its cells played again.

The parent alone writes to the store and alone hears Ctrl-C. Owns processes; knows no database.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, field
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

from consult.batch.cells import Cells
from consult.batch.playing import Played, Stop, play_cell
from consult.errors import InfrastructureError

AHEAD: Final = 2
"""Cells a process holds at a time: the next is there before the last is saved."""
TRIES: Final = 3
"""Times a cell may take its process down before it counts as failed, and processes may end before they are ready."""
START: Final = -1
"""Stands among the numbers of cells for the start of a process."""


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    held: deque[int] = field(default_factory=deque)
    """Cells given to it and not answered, in order."""
    ready: bool = False
    """Whether it has been heard of."""


def played_by(cells: Cells, missing: Iterator[int], stop: Stop, *, jobs: int) -> Iterator[Played]:
    """The engine of `jobs` processes on this machine.

    Raises InfrastructureError if a process cannot start.
    """
    again, tries = deque[int](), Counter[int]()
    workers = [_start(cells) for _ in range(jobs)]
    try:
        while True:
            for w in workers:
                _give(w, missing, again, stop)
            busy = {w.pipe: w for w in workers if w.held}
            if not busy:
                return
            for pipe in wait(list(busy)):
                w = busy[pipe]  # type: ignore[index]
                try:
                    played = w.pipe.recv()
                except (EOFError, OSError):
                    failed = _back(w, again, tries)
                    workers[workers.index(w)] = _start(cells)
                    if failed is not None:
                        yield failed
                    continue
                w.ready = True
                if played is not None:
                    w.held.remove(played.index)
                    yield played
    finally:
        _end(workers)


def _start(cells: Cells) -> _Worker:
    # not a fork of this process, which may hold locks in other threads; of one that has loaded what all need, and no more
    forks = "forkserver" in get_all_start_methods()
    context: Any = get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload(["consult.batch.warm"])
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, cells), daemon=True)
    with redirect_stderr(sys.__stderr__):  # Textual's has no descriptor that the fork server could be given to keep
        process.start()
    theirs.close()  # else its end would not be seen when the process dies
    return _Worker(process, ours)


def _give(w: _Worker, missing: Iterator[int], again: deque[int], stop: Stop) -> None:
    """Fill a process up; with what comes back from a dead one last, so that deaths in a row do not meet one cell."""
    while len(w.held) < AHEAD and not stop():
        index = next(missing, None)
        if index is None:
            if not again:  # now; a process that dies later may still bring something back
                return
            index = again.popleft()
        w.held.append(index)
        with suppress(OSError):  # it died: noticed when it is read
            w.pipe.send(index)


def _back(w: _Worker, again: deque[int], tries: Counter[int]) -> Played | None:
    """Put back what a dead process held; the first of it was being played, and has failed if that happens too often."""
    w.process.join()
    w.pipe.close()
    if not w.ready:
        tries[START] += 1
        if tries[START] < TRIES:
            again.extend(w.held)
            return None
        raise InfrastructureError(f"a process of the batch could not start (exit code {w.process.exitcode})")
    first, *rest = w.held
    tries[first] += 1
    again.extend(rest)
    if tries[first] < TRIES:
        again.append(first)
        return None
    return Played(first, None, problem=f"its process died {TRIES} times (exit code {w.process.exitcode})")


def _end(workers: list[_Worker]) -> None:
    """Ask the idle to leave, and make the others."""
    for w in workers:
        with suppress(OSError):
            if w.held:
                w.process.kill()
            else:
                w.pipe.send(None)
    for w in workers:
        w.process.join()
        w.pipe.close()


def _work(pipe: Connection, cells: Cells) -> None:
    """What a process does: play what it is told, until it is told nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    with suppress(EOFError, OSError):  # the parent is gone
        pipe.send(None)
        while (index := pipe.recv()) is not None:
            pipe.send(play_cell(cells, index))
