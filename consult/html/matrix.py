"""A confusion matrix as a drawing and as a list: right answers on the diagonal, the frequent confusions by name.

Reads a report's classification; computes no statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consult.report.classified import Classification
from consult.show.names import Names
from consult.terms import Urgency

_WHAT: Final = {"label": "The 34 labels of 3MDBench", "condition": "Conditions", "urgency": "Urgency"}
_LARGEST: Final = 40
"""Labels that a drawing has, at most; beyond that the list of confusions says more."""
_LISTED: Final = 12
_LETTER: Final = 6
"""Width of a letter, about."""
_SPARE: Final = 20
_LABEL: Final = 32
"""Letters of a label in the drawing; its fields say the whole."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is not empty."""

    x: int
    y: int
    share: float
    """Of the row."""
    words: str
    right: bool


@dataclass(frozen=True, slots=True)
class Confusion:
    """One frequent confusion."""

    gold: str
    answered: str
    n: int
    of: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """A classification as it is shown."""

    what: str
    numbers: Classification
    rows: tuple[str, ...]
    """Empty where there are too many to draw."""
    columns: tuple[str, ...]
    fields: tuple[Field, ...]
    confusions: tuple[Confusion, ...]

    @property
    def left(self) -> int:
        """Room for the labels of the rows."""
        return _LETTER * max(map(len, self.rows)) + _SPARE

    @property
    def top(self) -> int:
        """Room for the labels of the columns."""
        return _LETTER * max(map(len, self.columns)) + _SPARE


def matrix(c: Classification, names: Names) -> Matrix:
    """The drawing and the list of one classification."""
    support = {name: label.support for name, label in c.labels.items()}
    golds = [name for name in c.labels if support[name]]
    if c.what == "urgency":
        golds.sort(key=[str(u) for u in Urgency].index)
    extra = sorted({f.answered for f in c.confusion} - set(golds), key=lambda a: (a.startswith("("), a))
    columns = [*golds, *extra]
    drawn = len(golds) <= _LARGEST and len(columns) <= _LARGEST + 8
    wrong = sorted((f for f in c.confusion if f.gold != f.answered), key=lambda f: (-f.n, f.gold, f.answered))

    def named(label: str) -> str:
        return label if label.startswith("(") else names.of(label)

    fields = tuple(
        Field(
            columns.index(f.answered),
            golds.index(f.gold),
            round(f.n / max(support[f.gold], 1), 3),
            f"{named(f.gold)}, answered {named(f.answered)}: {f.n} of {support[f.gold]}",
            f.gold == f.answered,
        )
        for f in c.confusion
        if drawn and f.gold in support and support[f.gold]
    )
    return Matrix(
        what=_WHAT[c.what],
        numbers=c,
        rows=tuple(_short(named(g)) for g in golds) if drawn else (),
        columns=tuple(_short(named(g)) for g in columns) if drawn else (),
        fields=fields,
        confusions=tuple(
            Confusion(named(f.gold), named(f.answered), f.n, support.get(f.gold, 0)) for f in wrong[:_LISTED]
        ),
    )


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"
