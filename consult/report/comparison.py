"""The comparison of two line-ups as data: what every renderer draws from. Shapes only."""

from __future__ import annotations

from typing import Literal

from consult.files import Record
from consult.report.model import Difference


class Side(Record):
    """One of the two that are compared."""

    run: str
    line_up: str
    agents: dict[str, str]
    consultations: int
    unpaired: int
    """Consultations without a partner on the other side."""
    failed: int
    at_fault: int
    scorers: tuple[str, ...]


class Compared(Record):
    """One score of B against that of A."""

    score: str
    family: str
    """What stands before the first dot: p is adjusted over its tests."""
    unit: str
    better: Literal["high", "low", ""]
    """Which end is the better one; empty: neither."""
    a: float | None
    b: float | None
    difference: Difference | None
    """B minus A; null where no pair has the score on both sides."""
    sentence: str


class Comparison(Record):
    """Two line-ups on the same cells."""

    format: Literal["consult-comparison-1"] = "consult-comparison-1"
    consult: str
    a: Side
    b: Side
    pairs: int
    scenarios: int
    by_seed: bool
    """Whether cells are paired by seed too, or, the seeds being others, by scenario, persona and epoch alone."""
    headline: tuple[str, ...]
    scores: tuple[Compared, ...]
    """Every score, in the order of docs/scoring.md."""
    notes: tuple[str, ...]
