"""How long answers took, counted so that very many take little room: by seconds to three figures, and how often each.

A measurement of the world: it stands beside what happened and never inside it. What a ledger or a cassette gave back took
no time, and is counted apart instead of as 0 seconds. Pure; imports nothing of consult.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil, floor
from typing import Any, Final

P95: Final = 0.95


@dataclass(slots=True)
class Waits:
    """The answers of one role."""

    seconds: Counter[float] = field(default_factory=Counter)
    """How often a server took so many, to three figures (ours)."""
    kept: int = 0
    """Answers that were there already: a ledger or a cassette gave them back."""

    def add(self, seconds: float) -> None:
        """Counts an answer of a server."""
        self.seconds[float(f"{seconds:.3g}")] += 1

    def take_in(self, other: Waits) -> None:
        """Counts the other's too."""
        self.seconds.update(other.seconds)
        self.kept += other.kept

    @property
    def measured(self) -> int:
        """Answers of servers."""
        return self.seconds.total()

    def quantile(self, q: float) -> float | None:
        """The quantile of the measured seconds, linear between two of them (NumPy's default); None if there are none."""
        if not self.seconds:
            return None
        values = sorted(self.seconds)
        upto = list(accumulate(self.seconds[v] for v in values))
        place = (upto[-1] - 1) * q
        low, high = (next(v for v, n in zip(values, upto, strict=True) if n > at) for at in (floor(place), ceil(place)))
        return round(low + (high - low) * (place - floor(place)), 6)

    @property
    def median(self) -> float | None:
        """Half of the answers were there by then."""
        return self.quantile(0.5)

    @property
    def p95(self) -> float | None:
        """The 95th percentile."""
        return self.quantile(P95)

    @property
    def words(self) -> str:
        """`0.8 s, 95 % within 2.1 s`, and how many were given back; empty if nothing is known."""
        said = [f"{self.median:.2g} s, 95 % within {self.p95:.2g} s"] if self.seconds else []
        return ", ".join([*said, *([f"{self.kept} given back"] if self.kept else [])])

    def plain(self) -> dict[str, Any]:
        """As it is kept."""
        return {"seconds": {f"{v:g}": n for v, n in sorted(self.seconds.items())}, "kept": self.kept}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Waits:
        """From what was kept."""
        return cls(Counter({float(v): n for v, n in data["seconds"].items()}), data["kept"])
