"""What the benchmarks share: the built-in scenarios, the temperaments, and the interval of a mean."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from consult import load_scenario
from consult.scenario import Scenario, scenario_files

TEMPERAMENTS = ("sanguine", "choleric", "melancholic", "phlegmatic")
PERSONAS = ("neutral", *TEMPERAMENTS)
Interval = tuple[float, float, float]
"""Mean, and where its 95 % interval begins and ends."""


@lru_cache(maxsize=1)
def scenarios() -> dict[str, Scenario]:
    """The built-in scenarios by id."""
    return {s.id: s for s in map(load_scenario, scenario_files().values())}


@lru_cache(maxsize=4)
def picks(size: int, rounds: int = 2000) -> npt.NDArray[np.int64]:
    """What a bootstrap draws of `size` things, a row a round; the same each time."""
    return np.random.default_rng(12345).integers(0, size, (rounds, size))


def interval(clusters: Iterable[npt.ArrayLike]) -> Interval:
    """Mean of all values with its 95 % percentile bootstrap interval; what is drawn again is the clusters.

    A cluster is a number or several; an empty one counts for nothing.
    """
    kept = [c for c in map(np.atleast_1d, clusters) if c.size]
    if not kept:
        return (float("nan"),) * 3
    sums, counts = np.array([c.sum() for c in kept], float), np.array([c.size for c in kept])
    drawn = picks(len(kept))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), (0.025, 0.975))
    return float(sums.sum() / counts.sum()), float(low), float(high)
