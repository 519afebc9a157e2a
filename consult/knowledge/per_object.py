"""A small cache keyed by object identity, for things compiled once per knowledge. Imports nothing of consult."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def per_object(build: Callable[[K], V], *, size: int = 8) -> Callable[[K], V]:
    """`build`, remembered for the last `size` objects. Models hold dicts and so cannot be hashed; identity can."""
    kept: dict[int, tuple[K, V]] = {}
    lock = RLock()

    @wraps(build)
    def get(key: K) -> V:
        hit = kept.get(id(key))
        if hit is not None and hit[0] is key:
            return hit[1]
        with lock:  # while it builds, too: else as many threads as begin at once all build the same
            hit = kept.get(id(key))
            if hit is not None and hit[0] is key:
                return hit[1]
            value = build(key)
            while len(kept) >= size:
                kept.pop(next(iter(kept)))
            kept[id(key)] = (key, value)
        return value

    return get
