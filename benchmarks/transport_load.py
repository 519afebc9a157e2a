"""What every measured way of calling a model shares: the messages, the clock, and the lines by which it is told what to do.

Imports nothing of consult, because one of them (`transport_inspect.py`) runs in an environment without it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

WORDS = "I have had this pressure in my chest for about two weeks now, mostly when I climb the stairs at work. " * 2
Call = Callable[[int], Awaitable[object]]
"""Makes one call; its number, each only once."""


def history(n: int) -> list[tuple[str, str]]:
    """So many messages, role and text, of about 200 characters each: a system prompt, a dialogue, a question."""
    roles = [*["system", *(("user", "assistant") * n)][: n - 1], "user"]
    return [(role, f"{i}: {WORDS}") for i, role in enumerate(roles)]


async def timed(calls: int, at_once: int, call: Call) -> dict[str, float]:
    """Milliseconds of this process's processor a call, and calls a second, after one round that is not counted."""
    await asyncio.gather(*(call(i) for i in range(at_once)))  # connections opened, imports done
    numbers = iter(range(at_once, at_once + calls))

    async def caller() -> None:
        for i in numbers:
            await call(i)

    wall, processor = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(at_once)))
    return taken(calls, wall, processor)


def taken(calls: int, wall: float, processor: float) -> dict[str, float]:
    """The figures, from when both clocks were read."""
    return {
        "processor": (time.process_time() - processor) / calls * 1000,
        "rate": calls / (time.perf_counter() - wall),
    }


def group_processor() -> float:
    """Seconds of processor of this process group so far, ended children included (Linux)."""
    ticks, group = 0, str(os.getpgid(0))
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if fields[2] == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / float(os.sysconf("SC_CLK_TCK"))


def answer_lines(way: Callable[..., Any]) -> None:
    """Reads what to do, a JSON object a line, until standard input ends, and prints what `way` gives for each."""
    for line in sys.stdin:
        got = way(**json.loads(line))
        print(json.dumps(asyncio.run(got) if asyncio.iscoroutine(got) else got), flush=True)
