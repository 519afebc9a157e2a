"""95 % intervals of means and proportions, by scenario as the cluster.

Proportions: Wilson's interval on the effective number of values. Everything else: a studentised bootstrap over clusters.
Both were chosen by simulated coverage, see benchmarks/coverage.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import isnan, nan, sqrt
from typing import Final

import numpy as np

from consult.seeds import array_rng
from consult.stats.clusters import Array, Clusters, clustered

LEVEL: Final = 0.95
DRAWS: Final = 2000
"""Bootstrap samples."""
_BLOCK: Final = 200_000
"""Numbers drawn at a time, so that memory does not grow with the number of clusters."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval; `low` and `high` are NaN where the data cannot give them (under 2 clusters)."""

    mean: float
    low: float
    high: float
    n: int
    """Values."""
    clusters: int
    method: str


def proportion(hits: Sequence[bool | int | float], clusters: Sequence[Hashable]) -> Interval:
    """Interval of a proportion: Wilson's with n divided by the design effect, and t for z (few clusters).

    The design effect is the clustered variance over the binomial one, not below 1. Source: Korn and Graubard, Survey
    Methodology 24 (1998), on the effective sample size; their interval of choice is Clopper-Pearson's, ours is Wilson's,
    because it is not conservative. With one value a cluster it is the plain Wilson interval, up to t.
    """
    c = clustered([float(h) for h in hits], clusters)
    if c.count < 2:
        return Interval(c.mean, nan, nan, c.n, c.count, "wilson")
    p, plain = c.mean, c.mean * (1 - c.mean) / c.n
    effect = max(1.0, c.error**2 / plain) if plain > 0 else _effect_unseen(c)
    t, z = _t(c.count), _z()
    low, high = wilson(p, c.n / effect * (z / t) ** 2)
    return Interval(p, low, high, c.n, c.count, "wilson")


def wilson(p: float, n: float) -> tuple[float, float]:
    """Wilson's score interval for a share `p` of `n` (which need not be whole). Source: Wilson, JASA 22 (1927)."""
    from scipy.special import ndtri

    z = float(ndtri(0.5 + LEVEL / 2))
    d = 1 + z * z / n
    mid, half = (p + z * z / (2 * n)) / d, z * sqrt(max(p * (1 - p), 0.0) / n + z * z / (4 * n * n)) / d
    return max(0.0, mid - half), min(1.0, mid + half)


def mean(values: Sequence[float], clusters: Sequence[Hashable], *seed: object) -> Interval:
    """Interval of a mean by the studentised bootstrap over clusters, seeded by `seed`; equal values give a point.

    Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 5.2, on resampled clusters. A draw
    without any spread has no t and is left out.
    """
    c = clustered(values, clusters)
    if c.count < 2:
        return Interval(c.mean, nan, nan, c.n, c.count, "bootstrap")
    low, high = bootstrap_t(c, "interval", *seed)
    return Interval(c.mean, low, high, c.n, c.count, "bootstrap")


def bootstrap_t(c: Clusters, *seed: object) -> tuple[float, float]:
    """The limits; NaN if the clusters cannot give them."""
    error = c.error
    if isnan(error):
        return nan, nan
    if error < 1e-12:
        return c.mean, c.mean
    low, high = np.quantile(draws_of_t(c, *seed), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(c.mean - high * error), float(c.mean - low * error)


def draws_of_t(c: Clusters, *seed: object) -> Array:
    """Studentised means of `DRAWS` resamples of the clusters; resamples without spread are left out."""
    out, chance = [], array_rng(*seed)
    g, rows = c.count, max(1, _BLOCK // c.count)
    for start in range(0, DRAWS, rows):
        pick = chance.integers(0, g, (min(rows, DRAWS - start), g))
        sums, sizes = c.sums[pick], c.sizes[pick]
        total = sizes.sum(axis=1)
        means = sums.sum(axis=1) / total
        rest = sums - means[:, None] * sizes
        errors = np.sqrt(g / (g - 1) * (rest * rest).sum(axis=1)) / total
        spread = errors > 1e-12
        out.append((means[spread] - c.mean) / errors[spread])
    return np.concatenate(out)


def _effect_unseen(c: Clusters) -> float:
    """The design effect where all or none hit: values of one cluster are taken to agree fully, the worst case."""
    return float((c.sizes * c.sizes).sum() / c.sizes.sum())


def _t(clusters: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(clusters - 1, 0.5 + LEVEL / 2))


def _z() -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + LEVEL / 2))
