"""The same cell several times (epochs): how often all of k tries succeed, how often the answer flips."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from math import comb


def pass_hat_k(trials: Mapping[Hashable, Sequence[bool | int]], k: int) -> float | None:
    """pass^k: the chance that k tries at a cell, drawn without replacement, all succeed, averaged over cells.

    C(successes, k) / C(tries, k), the unbiased estimate of tau-bench (arXiv 2406.12045). Cells with fewer than k tries do not
    count; None if none has k.
    """
    if k < 1:
        raise ValueError("k is at least 1")
    shares = [comb(sum(map(int, t)), k) / comb(len(t), k) for t in trials.values() if len(t) >= k]
    return sum(shares) / len(shares) if shares else None


def flip_rate(answers: Mapping[Hashable, Sequence[str | None]]) -> float | None:
    """The share of pairs of tries at one cell with different answers, averaged over cells with two or more. Ours."""
    shares = []
    for given in answers.values():
        pairs = list(combinations(given, 2))
        if pairs:
            shares.append(sum(a != b for a, b in pairs) / len(pairs))
    return sum(shares) / len(shares) if shares else None
