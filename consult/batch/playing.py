"""Playing one cell, and what an engine is: something that plays the cells it is given and hands back what was played.

Engines know no database: `consult.batch.engine` alone writes. sim (and with it langgraph) is imported only in functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from consult.batch.cells import Cells
from consult.batch.garbage import seldom_collected
from consult.clean import one_line
from consult.errors import ConsultError
from consult.events import Stopped
from consult.store.db import Kept, prepared
from consult.store.summary import failed, last, usage
from consult.store.transcript import Transcript

Stop = Callable[[], bool]
"""True from when nothing new is to be begun."""
Engine = Callable[[Cells, Iterator[int], Stop], Iterator["Played"]]
"""Plays the cells of the indices it takes, each once, and yields them in whatever order they are finished.

It takes an index when it can play it, not before, and none from when `stop()` is true; what it has taken it yields.
What it may raise is InfrastructureError, where it cannot play at all.
"""


@dataclass(frozen=True, slots=True)
class Played:
    """A cell that was played, ready to be kept unless it raised. Can be sent to another process."""

    index: int
    kept: Kept | None
    cell: str = ""
    """The content key of what was played; other than the plan's if a file has changed since."""
    problem: str = ""
    """Why it raised, or ended in a failure around the doctor."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Calls, tokens and cost, as in `consult run --json`."""


def play_cell(cells: Cells, index: int) -> Played:
    """Play one cell. Nothing but the end of the process gets past it: one broken plug-in does not end the others."""
    from consult.sim.session import play

    try:
        setup = cells[index]
        transcript = play(setup)
        return Played(index, prepared(transcript), setup.cell, _failure(transcript), usage(transcript))
    except ConsultError as e:
        return Played(index, None, problem=one_line(str(e)))
    except Exception as e:
        return Played(index, None, problem=one_line(f"internal error: {type(e).__name__}: {e}"))


def _failure(transcript: Transcript) -> str:
    """Why a consultation failed, if it did rather than ended."""
    stop = last(transcript.events, Stopped)
    if stop is None or not failed(stop.reason):
        return ""
    return f"{stop.reason}: {stop.detail}" if stop.detail else str(stop.reason)


def here(cells: Cells, missing: Iterator[int], stop: Stop) -> Iterator[Played]:
    """The engine that plays one cell after the other in this process."""
    if not stop() and (index := next(missing, None)) is not None:
        yield play_cell(cells, index)
        with seldom_collected():  # by now all that stays has been loaded
            while not stop() and (index := next(missing, None)) is not None:
                yield play_cell(cells, index)
