"""95 % intervals of means and proportions, by scenario as the cluster.

Proportions: Wilson's interval on the effective number of values. Everything else: a studentised bootstrap over clusters.
Both were chosen by simulated coverage, see benchmarks/coverage.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isnan, nan, sqrt
from typing import Final

import numpy as np

from consult.seeds import array_rng
from consult.stats.clusters import Array, Clusters, clustered

LEVEL: Final = 0.95
DRAWS: Final = 2000
"""Bootstrap samples."""
FLOOR: Final = 0.2
"""Of the standard error: the least that a resample's own may be (ours). A resample that happens to leave out the one scenario
that is far off has hardly any, and its t no bound: intervals were a hundred times as wide as what was measured, and held the
truth no more often (benchmarks/coverage.py, the rare score).
"""
_ALONE: Final = 250_000
"""Multiplications up to which a product is made by one thread; more of them would wait for each other where cores are busy."""


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
    return proportion_of(clustered([float(h) for h in hits], clusters))


def proportion_of(c: Clusters) -> Interval:
    """The same of hits that are grouped already."""
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
    return mean_of(clustered(values, clusters), *seed)


def mean_of(c: Clusters, *seed: object) -> Interval:
    """The same of values that are grouped already."""
    if c.count < 2:
        return Interval(c.mean, nan, nan, c.n, c.count, "bootstrap")
    low, high = bootstrap_t(c, "interval", *seed)
    return Interval(c.mean, low, high, c.n, c.count, "bootstrap")


def bootstrap_t(c: Clusters, *seed: object) -> tuple[float, float]:
    """The limits; NaN if the clusters cannot give them."""
    return limits_of(c, draws_of_t(c, *seed))


def limits_of(c: Clusters, drawn: Array) -> tuple[float, float]:
    """The same from the studentised means of resamples; without any, values are all equal and the limits a point."""
    if isnan(c.error):
        return nan, nan
    if not len(drawn):
        return c.mean, c.mean
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(c.mean - high * c.error), float(c.mean - low * c.error)


def draws_of_t(c: Clusters, *seed: object) -> Array:
    """Studentised means of `DRAWS` resamples of the clusters; resamples without spread are left out."""
    if not c.error > 1e-12:
        return np.array([])
    c = c.pooled()
    g, times = c.count, _times_drawn(c.count, seed)
    rest = c.sums - c.mean * c.sizes  # about the mean: what is squared below is small, and nothing is lost in rounding
    parts = np.column_stack([c.sizes, rest, rest * rest, rest * c.sizes, c.sizes * c.sizes])
    rows = max(1, _ALONE // parts.size)
    drawn = np.concatenate([times[n : n + rows] @ parts for n in range(0, DRAWS, rows)])
    drawn = drawn[drawn[:, 0] > 0]  # of a ratio, the sizes may be 0
    total, sums, square, mixed, weight = drawn.T
    means = sums / total
    squares = square - 2 * means * mixed + means**2 * weight
    errors = np.sqrt(g / (g - 1) * np.maximum(squares, 0.0)) / total
    spread = errors > 1e-6 * c.error  # less is rounding
    return np.asarray(means[spread] / np.maximum(errors[spread], FLOOR * c.error))


@lru_cache(maxsize=16)
def _times_drawn(clusters: int, seed: tuple[object, ...]) -> Array:
    """How often each cluster is in each resample. Kept, because the scores of a run are all drawn alike."""
    pick = array_rng(*seed).integers(0, clusters, (DRAWS, clusters))
    flat = (pick + np.arange(DRAWS)[:, None] * clusters).ravel()
    return np.bincount(flat, minlength=DRAWS * clusters).reshape(DRAWS, clusters).astype(float)


def _effect_unseen(c: Clusters) -> float:
    """The design effect where all or none hit: values of one cluster are taken to agree fully, the worst case."""
    return float((c.sizes * c.sizes).sum() / c.sizes.sum())


def _t(clusters: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(clusters - 1, 0.5 + LEVEL / 2))


def _z() -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + LEVEL / 2))
