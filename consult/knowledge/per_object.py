"""A small cache keyed by object identity, for things compiled once per knowledge, and the hash of content by it.

Imports nothing of consult but files.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import TypeVar

from consult.files import Record

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


content_hash = per_object(Record.content_hash, size=128)
"""sha256 of a model's content, computed once per object; what is kept keeps its scenarios in memory, so not too many."""
