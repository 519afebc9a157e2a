"""Answers beside gold labels, as a report holds them: classifications and calibration. Shapes only."""

from __future__ import annotations

from typing import Literal

from consult.files import Record


class Label(Record):
    """One label of a classification."""

    support: int
    """Cases whose gold it is."""
    answered: int
    right: int
    precision: float
    recall: float
    f1: float


class Confused(Record):
    """One field of a confusion matrix."""

    gold: str
    answered: str
    """`(none)`: an abstention; `(other)`: something that is no label."""
    n: int


class Classification(Record):
    """Answers against gold labels, abstentions and answers outside the labels counted as wrong."""

    what: Literal["label", "condition", "urgency"]
    """The 34 labels of 3MDBench, over cases whose gold has one; conditions, over all cases; triage's urgency."""
    n: int
    abstained: int
    outside: int
    """Answers that are no label."""
    accuracy: float
    macro_f1: float
    """Mean of F1 over the labels that have cases."""
    weighted_f1: float
    """Weighted by cases."""
    labels: dict[str, Label]
    confusion: tuple[Confused, ...]
    """Only the fields that are not 0."""
    as_3mdbench: Counted3mdbench | None = None
    """For `label` only."""


class Counted3mdbench(Record):
    """The same answers counted as 3MDBench does: cases without a mapped answer are dropped, which rewards abstaining.

    To compare with that paper only.
    """

    n: int
    dropped: int
    accuracy: float | None
    macro_f1: float | None
    weighted_f1: float | None


class ReliabilityBin(Record):
    """First diagnoses whose probability lies in [low, high), the last bin closed."""

    low: float
    high: float
    n: int
    confidence: float | None
    """Mean probability said; null if there are none."""
    accuracy: float | None


class Calibrated(Record):
    """Whether the probability of the first diagnosis means what it says."""

    n: int
    """Consultations read for it that gave a probability."""
    of: int
    """Judged consultations; where there are very many, those read are a sample evenly spread."""
    ece: float
    """Expected calibration error: mean of |confidence - accuracy| over the bins, weighted."""
    brier: float
    """Mean of (probability - right)²; of the first diagnosis alone, unlike the score `diagnosis.brier`."""
    bins: tuple[ReliabilityBin, ...]


Classification.model_rebuild()
