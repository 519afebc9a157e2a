"""Whether 95 % intervals hold 95 % of the time, and tests at 0.05 err 5 % of the time, on simulated clustered data.

    python benchmarks/coverage.py [--runs 2000] [--clusters 20 40 97] [--size 5]

Scores: a normal and a skewed one, each with a scenario's own level; hits: beta-binomial with correlation 1/3. Differences:
two line-ups with no difference in truth, their pairs correlated within a scenario.
"""

from __future__ import annotations

import argparse

import numpy as np

from consult.stats.intervals import mean, proportion
from consult.stats.paired import paired

Rows = tuple[list[float], list[int]]


def rows(table: np.ndarray) -> Rows:
    """Values and clusters of a table with a row a cluster."""
    return table.ravel().tolist(), np.repeat(np.arange(len(table)), table.shape[1]).tolist()


def normal(chance: np.random.Generator, g: int, m: int) -> np.ndarray:
    """Mean 0.6; half of the spread belongs to the scenario."""
    return chance.normal(0.6, 0.15, (g, 1)) + chance.normal(0, 0.15, (g, m))


def skewed(chance: np.random.Generator, g: int, m: int) -> np.ndarray:
    """Mean 1, exponential."""
    return 0.6 * chance.exponential(1, (g, 1)) + 0.4 * chance.exponential(1, (g, m))


def rare(chance: np.random.Generator, g: int, m: int) -> np.ndarray:
    """Mean -0.5: next to 0, but for one scenario in twenty."""
    return chance.normal(0, 0.01, (g, m)) - 10.0 * (chance.random((g, 1)) < 0.05)


def hits(chance: np.random.Generator, g: int, m: int, p: float) -> np.ndarray:
    """Share `p`, correlation 1/3 within a scenario."""
    return (chance.random((g, m)) < chance.beta(2 * p, 2 * (1 - p), (g, 1))).astype(float)


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--clusters", type=int, nargs="+", default=[20, 40, 97])
    parser.add_argument("--size", type=int, default=5)
    a = parser.parse_args()
    print("coverage of 95 % intervals")
    for g in a.clusters:
        chance = np.random.default_rng(g)
        for name, truth, draw in (
            ("normal score", 0.6, normal),
            ("skewed score", 1.0, skewed),
            ("rare score", -0.5, rare),
            ("hits 0.70", 0.7, lambda c, g, m: hits(c, g, m, 0.7)),
            ("hits 0.90", 0.9, lambda c, g, m: hits(c, g, m, 0.9)),
        ):
            make = proportion if name.startswith("hits") else mean
            found = [make(*rows(draw(chance, g, a.size))) for _ in range(a.runs)]
            inside = sum(i.low <= truth <= i.high for i in found)
            wide = np.median([i.high - i.low for i in found])
            print(f"  {name:14s} {g:4d} scenarios x {a.size}   {inside / a.runs:.3f}   median width {wide:.3g}")
    print("tests at 0.05 without a difference, and how often the interval of the difference holds 0")
    for g in a.clusters:
        chance = np.random.default_rng(g)
        for name, binary in (("score", False), ("hits", True)):
            wrong = held = 0
            for _ in range(a.runs):
                one, two = both(chance, g, a.size, binary=binary)
                values, clusters = rows(one)
                d = paired(values, rows(two)[0], clusters, binary=binary)
                wrong, held = wrong + (d.p < 0.05), held + (d.low <= 0 <= d.high)
            print(f"  {name:14s} {g:4d} scenarios x {a.size}   {wrong / a.runs:.3f}   {held / a.runs:.3f}")


def both(chance: np.random.Generator, g: int, m: int, *, binary: bool) -> tuple[np.ndarray, np.ndarray]:
    """Two line-ups that are equal in truth; each has its own luck with a scenario besides the shared one."""
    if not binary:
        shared = normal(chance, g, m)
        return tuple(shared + chance.normal(0, 0.1, (g, 1)) + chance.normal(0, 0.1, (g, m)) for _ in range(2))  # type: ignore[return-value]
    level = chance.beta(1.6, 0.4, (g, 1))
    return tuple(
        (chance.random((g, m)) < np.where(chance.random((g, 1)) < 0.3, chance.random((g, 1)), level)).astype(float)
        for _ in range(2)
    )  # type: ignore[return-value]


if __name__ == "__main__":
    main()
