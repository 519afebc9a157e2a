"""Answers against gold labels: confusion, precision, recall and F1, with abstentions counted as wrong.

An abstention, or an answer outside the labels, is an answer of its own: it takes recall from its gold label and can never
raise a score. The `3mdbench` way drops them, which rewards abstaining; it is kept to compare with that paper only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

ABSTAINED: Final = "(none)"


@dataclass(frozen=True, slots=True)
class Label:
    """One label: cases that have it, times it was answered, times rightly."""

    support: int
    answered: int
    right: int

    @property
    def precision(self) -> float:
        """0 if it was never answered."""
        return self.right / self.answered if self.answered else 0.0

    @property
    def recall(self) -> float:
        """0 if no case has it."""
        return self.right / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 0 if the label is neither answered nor held."""
        both = self.support + self.answered
        return 2 * self.right / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Counts and scores over all cases."""

    n: int
    abstained: int
    labels: dict[str, Label]
    confusion: dict[tuple[str, str], int]
    """Cases by (gold, answered)."""
    accuracy: float
    macro_f1: float
    """Mean of F1 over labels with cases."""
    weighted_f1: float
    """Mean of F1 over labels, weighted by cases."""


def classify(gold: Sequence[str], answered: Sequence[str | None]) -> Report:
    """Score answers; `None` is an abstention. Raises ValueError on unequal lengths or without a case."""
    pairs = [(g, a or ABSTAINED) for g, a in zip(gold, answered, strict=True)]
    if not pairs:
        raise ValueError("there is no case to classify")
    labels = _labels(pairs)
    held = {name: label for name, label in labels.items() if label.support}
    return Report(
        n=len(pairs),
        abstained=sum(a == ABSTAINED for _, a in pairs),
        labels=labels,
        confusion=dict(sorted(Counter(pairs).items())),
        accuracy=sum(g == a for g, a in pairs) / len(pairs),
        macro_f1=sum(label.f1 for label in held.values()) / len(held),
        weighted_f1=sum(label.f1 * label.support for label in held.values()) / len(pairs),
    )


def as_3mdbench(gold: Sequence[str], answered: Sequence[str | None]) -> Report:
    """That benchmark's way of counting: cases without a mapped answer are dropped. Never compare it with `classify`."""
    kept = [(g, a) for g, a in zip(gold, answered, strict=True) if a]
    return classify([g for g, _ in kept], [a for _, a in kept])


def _labels(pairs: Iterable[tuple[str, str]]) -> dict[str, Label]:
    pairs = list(pairs)
    support, given = Counter(g for g, _ in pairs), Counter(a for _, a in pairs)
    right = Counter(g for g, a in pairs if g == a)
    names = sorted((set(support) | set(given)) - {ABSTAINED})
    return {name: Label(support[name], given[name], right[name]) for name in names}
