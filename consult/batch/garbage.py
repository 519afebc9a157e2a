"""The garbage collector while cells are played: what has been loaded is never garbage, and a consultation leaves few cycles.

Looking for them all the same took 4 % of a worker's time, and 15 % where the process holds more besides.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SELDOM: Final = 10_000
"""Objects made and not freed after which the youngest are looked through."""


def collect_seldom() -> None:
    """From now on, and never again what is there now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(SELDOM)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """The same for a while; afterwards the collector is as it was."""
    before = gc.get_threshold()
    if before[0] == SELDOM:  # it is so already, and not for this one to undo
        yield
        return
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
