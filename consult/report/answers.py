"""Answers against the gold: by label, by condition, by urgency; calibration; and whether an answer repeats.

Counting and formulas are those of `consult.stats`; here is what counts as an answer. Must not read transcripts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np

from consult.errors import ConsultError
from consult.knowledge.load import load_knowledge
from consult.report.classified import Calibrated, Classification, Confused, Counted3mdbench, Label, ReliabilityBin
from consult.report.estimates import PROPORTION, estimate, rounded
from consult.report.model import Estimate, Repeated
from consult.report.peek import Gold, Peeked
from consult.report.table import Table
from consult.stats import labels as classes
from consult.stats.calibration import calibration
from consult.stats.repeats import flip_rate, pass_hat_k
from consult.terms import Urgency

OTHER: Final = "(other)"
"""An answer that is no label. It is an answer of its own: it takes recall, and never raises a score."""
_URGENCIES: Final = tuple(str(u) for u in Urgency)


class Names:
    """Conditions and labels of the knowledges that a table's consultations were played with, as far as they are there."""

    def __init__(self, table: Table) -> None:
        self.labels: dict[str, str] = {}
        self.conditions: set[str] = set()
        self.unknown: list[str] = []
        """Knowledges that cannot be read here."""
        for name in table.present("knowledge"):
            try:
                conditions = load_knowledge(name).conditions
            except ConsultError:
                self.unknown.append(name)
                continue
            self.conditions |= {c.id for c in conditions}
            self.labels |= {c.id: c.label for c in conditions if c.label}
        if self.unknown:
            self.conditions |= set(table.present("gold"))


def classifications(part: Table, names: Names, golds: Mapping[str, Gold]) -> tuple[Classification, ...]:
    """Every classification that the judged consultations allow. An accepted alternative counts as the gold."""
    part = part.select(part.judged)
    gold = [part.text("gold", row) or "" for row in range(len(part))]
    top = [part.text("top", row) for row in range(len(part))]
    right = (part.numbers["correct"] == 1).tolist()
    rows = [(g, t, r) for g, t, r in zip(gold, top, right, strict=True) if g]
    out = []
    labelled = [(names.labels[g], t, names.labels.get(t or ""), r) for g, t, r in rows if g in names.labels]
    if labelled:
        given = [g if r else label or (OTHER if t else None) for g, t, label, r in labelled]
        strict = [label for _, _, label, _ in labelled]
        only = [g for g, *_ in labelled]
        out.append(_classified("label", only, given, _as_3mdbench(only, strict)))
    if rows:
        answered = [g if r else _condition(t, names) for g, t, r in rows]
        out.append(_classified("condition", [g for g, *_ in rows], answered))
    urgencies = _urgencies(part, golds)
    if urgencies:
        out.append(_classified("urgency", [g for g, _ in urgencies], [said for _, said in urgencies]))
    return tuple(out)


def _condition(top: str | None, names: Names) -> str | None:
    return top if top is None or top in names.conditions else OTHER


def _urgencies(part: Table, golds: Mapping[str, Gold]) -> list[tuple[str, str | None]]:
    """Gold urgency and triage's, which is stored as the distance from it."""
    errors = part.scores.get("triage.urgency_error")
    if errors is None:
        return []
    out: list[tuple[str, str | None]] = []
    for row, error in enumerate(errors.tolist()):
        gold = golds.get(part.text("scenario", row) or "")
        if gold is not None:
            level = _URGENCIES.index(gold.urgency)
            out.append((gold.urgency, None if error != error else _URGENCIES[level + round(error)]))
    return out


def _classified(
    what: Literal["label", "condition", "urgency"],
    gold: Sequence[str],
    answered: Sequence[str | None],
    counted: Counted3mdbench | None = None,
) -> Classification:
    r = classes.classify(gold, answered)
    return Classification(
        what=what,
        n=r.n,
        abstained=r.abstained,
        outside=sum(a == OTHER for a in answered),
        accuracy=rounded(r.accuracy) or 0.0,
        macro_f1=rounded(r.macro_f1) or 0.0,
        weighted_f1=rounded(r.weighted_f1) or 0.0,
        labels={name: _label(label) for name, label in r.labels.items() if name != OTHER},
        confusion=tuple(Confused(gold=g, answered=a, n=n) for (g, a), n in r.confusion.items()),
        as_3mdbench=counted,
    )


def _label(label: classes.Label) -> Label:
    shares = {name: rounded(getattr(label, name)) or 0.0 for name in ("precision", "recall", "f1")}
    return Label(support=label.support, answered=label.answered, right=label.right, **shares)


def _as_3mdbench(gold: Sequence[str], answered: Sequence[str | None]) -> Counted3mdbench:
    kept = sum(a is not None for a in answered)
    if not kept:
        return Counted3mdbench(n=0, dropped=len(gold), accuracy=None, macro_f1=None, weighted_f1=None)
    r = classes.as_3mdbench(gold, answered)
    return Counted3mdbench(
        n=r.n,
        dropped=len(gold) - r.n,
        accuracy=rounded(r.accuracy),
        macro_f1=rounded(r.macro_f1),
        weighted_f1=rounded(r.weighted_f1),
    )


def calibrated(peeked: Peeked, judged: int) -> Calibrated | None:
    """The probabilities that were said for the first diagnosis; None if there were none."""
    if not peeked.said:
        return None
    c = calibration([min(1.0, p) for p in peeked.said], peeked.right)
    bins = tuple(
        ReliabilityBin(
            low=round(b.low, 6),
            high=round(b.high, 6),
            n=b.n,
            confidence=rounded(b.confidence) if b.n else None,
            accuracy=rounded(b.accuracy) if b.n else None,
        )
        for b in c.bins
    )
    return Calibrated(n=len(peeked.said), of=judged, ece=round(c.ece, 6), brier=round(c.brier, 6), bins=bins)


def repeated(part: Table) -> Repeated | None:
    """pass^k and the flip rate over the epochs of each cell; None where no cell has two."""
    part = part.select(part.judged & ~np.isnan(part.numbers["correct"]))
    trials: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    columns = [part.codes[c].tolist() for c in ("scenario", "persona", "seed", "top")]
    for *cell, top, right in zip(*columns, part.numbers["correct"].tolist(), strict=True):
        trials.setdefault(tuple(cell), []).append((top, int(right)))
    several = {cell: tried for cell, tried in trials.items() if len(tried) > 1}
    if not several:
        return None
    most = max(len(tried) for tried in several.values())
    passed = {k: {c: pass_hat_k({c: [r for _, r in t]}, k) for c, t in several.items()} for k in range(1, most + 1)}
    flips = {c: flip_rate({c: [str(top) for top, _ in t]}) for c, t in several.items()}
    return Repeated(
        cells=len(several),
        pass_hat_k={k: _over_cells(shares) for k, shares in passed.items()},
        flip_rate=_over_cells(flips),
    )


def _over_cells(shares: Mapping[tuple[int, ...], float | None]) -> Estimate:
    kept = [(cell[0], share) for cell, share in shares.items() if share is not None]
    scenarios = np.array([scenario for scenario, _ in kept], dtype=np.intp)
    return estimate(np.array([share for _, share in kept], dtype=float), scenarios, PROPORTION)
