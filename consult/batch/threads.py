"""Threads that play cells whose agents are models: they wait nearly all the time, so many go on in one process.

Owns threads; knows no database. `missing` is read by the caller's thread only, which is the one that may ask the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Final

from consult.batch.cells import Cells
from consult.batch.playing import Played, Stop, play_cell, rehearse

CONCURRENCY: Final = 8
"""Consultations with models that are under way at a time, unless said otherwise (ours)."""


def in_threads(cells: Cells, missing: Iterator[int], stop: Stop, *, concurrency: int) -> Iterator[Played]:
    """The engine of `concurrency` threads of this process."""
    given: SimpleQueue[int | None] = SimpleQueue()
    back: SimpleQueue[Played] = SimpleQueue()

    def work() -> None:
        while (index := given.get()) is not None:
            back.put(play_cell(cells, index))

    if concurrency > 1:
        rehearse(cells)
    threads = under_way = 0
    try:
        while True:
            while under_way < concurrency and not stop() and (index := next(missing, None)) is not None:
                if threads == under_way:  # daemons: whoever leaves at once does not wait for a model
                    Thread(target=work, name=f"consult-cell-{threads}", daemon=True).start()
                    threads += 1
                given.put(index)
                under_way += 1
            if not under_way:
                return
            played = back.get()
            under_way -= 1
            yield played
    finally:
        for _ in range(threads):
            given.put(None)
