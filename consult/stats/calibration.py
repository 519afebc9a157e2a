"""Whether probabilities mean what they say: reliability by bin, expected calibration error, Brier score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose probability lies in [low, high), the last bin closed."""

    low: float
    high: float
    n: int
    confidence: float
    """Mean probability said; 0 if empty."""
    accuracy: float
    """Share that was right; 0 if empty."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """All bins and their summary."""

    bins: tuple[Bin, ...]
    ece: float
    """Mean of |confidence - accuracy| over bins, weighted by answers (Naeini et al., AAAI 2015)."""
    brier: float
    """Mean of (probability - right)^2 (Brier, Monthly Weather Review 78, 1950)."""


def calibration(said: Sequence[float], right: Sequence[bool | int], bins: int = BINS) -> Calibration:
    """Bin the probability said for the first diagnosis against whether it was right. Raises ValueError.

    Bins are equally wide over 0..1.
    """
    if len(said) != len(right) or not said:
        raise ValueError("give as many answers as probabilities, and at least one")
    if not all(0 <= p <= 1 for p in said):
        raise ValueError("a probability lies outside 0 to 1")
    held: list[list[tuple[float, int]]] = [[] for _ in range(bins)]
    for p, hit in zip(said, right, strict=True):
        held[min(int(p * bins), bins - 1)].append((p, int(hit)))
    out = tuple(_bin(n, bins, part) for n, part in enumerate(held))
    ece = sum(b.n * abs(b.confidence - b.accuracy) for b in out) / len(said)
    brier = sum((p - int(hit)) ** 2 for p, hit in zip(said, right, strict=True)) / len(said)
    return Calibration(out, ece, brier)


def _bin(number: int, bins: int, part: Sequence[tuple[float, int]]) -> Bin:
    n = len(part)
    confidence, accuracy = (sum(p for p, _ in part) / n, sum(h for _, h in part) / n) if n else (0.0, 0.0)
    return Bin(number / bins, (number + 1) / bins, n, confidence, accuracy)
