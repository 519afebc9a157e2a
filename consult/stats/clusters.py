"""Values grouped by cluster (one scenario is one cluster): sums, sizes, standard errors. The base of intervals and tests.

Consultations of one scenario resemble each other, so the scenario, not the consultation, is what was drawn at random.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Clusters:
    """One entry a cluster, in the order of the clusters' names, so that the order of rows changes nothing."""

    sums: Array
    sizes: Array

    @property
    def count(self) -> int:
        """Clusters."""
        return len(self.sums)

    @property
    def n(self) -> int:
        """Values."""
        return int(self.sizes.sum())

    @property
    def mean(self) -> float:
        """Mean over values; NaN without any."""
        return float(self.sums.sum() / self.sizes.sum()) if self.count else float("nan")

    @property
    def error(self) -> float:
        """Standard error of the mean by linearisation of the ratio sums/sizes, G/(G-1) corrected; NaN under 2 clusters.

        Source: Cochran, Sampling Techniques, 3rd ed., section 6.3 (ratio estimate from clusters).
        """
        g = self.count
        if g < 2:
            return float("nan")
        rest = self.sums - self.mean * self.sizes
        return sqrt(g / (g - 1) * float(rest @ rest)) / float(self.sizes.sum())


def clustered(values: Sequence[float], clusters: Sequence[Hashable]) -> Clusters:
    """Group values by cluster. Raises ValueError if the lengths differ or a value is not finite."""
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} values, but {len(clusters)} clusters")
    held: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        held.setdefault(cluster, []).append(float(value))
    names: Iterable[Hashable] = sorted(held, key=str)
    # sorted: the last bit of a sum depends on the order of its parts
    parts = [sorted(held[name]) for name in names]
    out = Clusters(np.array([sum(p) for p in parts], dtype=float), np.array([len(p) for p in parts], dtype=float))
    if not np.isfinite(out.sums).all():
        raise ValueError("a value is not finite")
    return out
