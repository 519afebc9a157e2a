"""Processes that play cells: each has its own pipe, so that a dead one is noticed, replaced, and its cells played again.

The parent alone writes to the store and alone hears Ctrl-C. Where models play, a process has several cells under way, in
threads that wait. Owns processes; knows no database.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, field
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from consult.agents.llm.talk import hang_up
from consult.batch.cells import Cells
from consult.batch.playing import Played, Stop, play_cell, rehearse
from consult.errors import InfrastructureError

AHEAD: Final = 2
"""Cells a process of one thread holds at a time: the next is there before the last is saved. Of several: one for each."""
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


def played_by(cells: Cells, missing: Iterator[int], stop: Stop, *, jobs: int, threads: int = 1) -> Iterator[Played]:
    """The engine of `jobs` processes on this machine, each with so many threads.

    Raises InfrastructureError if a process cannot start.
    """
    again, tries = deque[int](), Counter[int]()
    workers = [_start(cells, threads) for _ in range(jobs)]
    try:
        while True:
            for w in workers:
                _give(w, missing, again, stop, most=threads if threads > 1 else AHEAD)
            busy: dict[Any, _Worker] = {w.pipe: w for w in workers if w.held}
            if not busy:
                return
            for pipe in wait(list(busy)):
                w = busy[pipe]
                try:
                    played = w.pipe.recv()
                except (EOFError, OSError):
                    failed = _back(w, again, tries, playing=threads)
                    workers[workers.index(w)] = _start(cells, threads)
                    yield from failed
                    continue
                w.ready = True
                if played is not None:
                    w.held.remove(played.index)
                    yield played
    finally:
        _end(workers)


def _start(cells: Cells, threads: int) -> _Worker:
    # not a fork of this process, which may hold locks in other threads; of one that has loaded what all need, and no more
    forks = "forkserver" in get_all_start_methods()
    context: Any = get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload(["consult.batch.warm"])
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, cells, threads, dict(os.environ)), daemon=True)
    # Textual's stderr has no descriptor that the fork server could be given to keep
    with redirect_stderr(sys.__stderr__), _deaf():
        process.start()
    theirs.close()  # else its end would not be seen when the process dies
    return _Worker(process, ours)


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started here does not hear Ctrl-C, not even while it loads: the parent decides what that means."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # else it is started with the first process, and lets Ctrl-C in again
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def _give(w: _Worker, missing: Iterator[int], again: deque[int], stop: Stop, *, most: int) -> None:
    """Fill a process up; with what comes back from a dead one last, so that deaths in a row do not meet one cell."""
    while len(w.held) < most and not stop():
        index = next(missing, None)
        if index is None:
            if not again:  # now; a process that dies later may still bring something back
                return
            index = again.popleft()
        w.held.append(index)
        with suppress(OSError):  # it died: noticed when it is read
            w.pipe.send(index)


def _back(w: _Worker, again: deque[int], tries: Counter[int], *, playing: int = 1) -> list[Played]:
    """Put back what a dead process held; those of it that were being played have failed if that happens too often."""
    w.process.join()
    w.pipe.close()
    if not w.ready:
        tries[START] += 1
        if tries[START] < TRIES:
            again.extend(w.held)
            return []
        raise InfrastructureError(f"a process of the batch could not start (exit code {w.process.exitcode})")
    begun, waiting = list(w.held)[:playing], list(w.held)[playing:]
    tries.update(begun)
    again.extend((*waiting, *(index for index in begun if tries[index] < TRIES)))
    problem = f"its process died {TRIES} times (exit code {w.process.exitcode})"
    return [Played(index, None, problem=problem) for index in begun if tries[index] >= TRIES]


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


def _work(pipe: Connection, cells: Cells, threads: int, environment: dict[str, str]) -> None:
    """What a process does: play what it is told, until it is told nothing."""
    os.environ.update(environment)  # a key may have been set since the fork server began
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    with suppress(EOFError, OSError):  # the parent is gone
        pipe.send(None)
        if threads < 2:
            _one_by_one(pipe, cells)
        else:
            _side_by_side(pipe, cells, threads)
        hang_up()


def _one_by_one(pipe: Connection, cells: Cells) -> None:
    while (index := pipe.recv()) is not None:
        pipe.send(play_cell(cells, index))


def _side_by_side(pipe: Connection, cells: Cells, threads: int) -> None:
    rehearse(cells)
    given: SimpleQueue[int] = SimpleQueue()
    sending = Lock()

    def play() -> None:
        with suppress(OSError):
            while True:
                played = play_cell(cells, given.get())
                with sending:
                    pipe.send(played)

    for _ in range(threads):  # daemons: nobody waits for a model when the parent is gone
        Thread(target=play, daemon=True).start()
    while (index := pipe.recv()) is not None:
        given.put(index)
