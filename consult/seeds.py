"""Seeds and content hashes, all by sha256: equal content gives equal numbers on every machine.

Imports nothing of consult; numpy only where arrays are drawn.
"""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.random import Generator


def digest(content: Any) -> str:
    """sha256 (hex) of plain data, through canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def seed_of(*parts: object) -> int:
    """A 64-bit seed from the parts' text, in order."""
    text = "\x1f".join(str(p) for p in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def rng(*parts: object) -> random.Random:
    """A private random stream for the parts; the global `random` is never touched."""
    return random.Random(seed_of(*parts))


def array_rng(*parts: object) -> Generator:
    """The same for arrays: numpy's PCG64 stream, whose integers are the same on every machine."""
    from numpy.random import PCG64, Generator

    return Generator(PCG64(seed_of(*parts)))
