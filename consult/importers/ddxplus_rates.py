"""Probabilities from DDXPlus patients: counts per condition, smoothed by empirical Bayes. Arrays in, arrays out.

Every strength of smoothing s is the one of `STRENGTHS` with the greatest marginal likelihood (Beta-binomial for yes/no,
Dirichlet-multinomial for categories: Minka, "Estimating a Dirichlet distribution", 2000, eq. 53); the mean that a
condition is shrunk to is that of the *other* conditions. docs/ddxplus.md has the formulas. Imports no consult model
but the records read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from consult.importers.ddxplus_files import Evidence, Pathology
from consult.importers.ddxplus_patients import PatientRow
from consult.knowledge.model import FindingKind
from consult.terms import Sex

Array = NDArray[np.float64]

EPS: Final = 1e-4
"""P(present) of a finding that a condition does not list, and the clip of every estimate: one ticked box in a synthetic
record never excludes a condition."""
STRENGTHS: Final = tuple(2.0**k for k in range(-2, 8))
"""1/4 to 128 pseudo-patients."""
SCALE_STRENGTH: Final = 4.0
"""Pseudo-patients of the pooled histogram on a 0-10 scale (the kernel makes its marginal likelihood meaningless;
accuracy is flat between 1 and 16)."""
KERNEL_SD: Final = 1.5
"""Points: standard deviation of the Gaussian that spreads an answer on a 0-10 scale to its neighbours."""
AGE_STARTS: Final = (0, 1, 5, 15, 30, 45, 60, 75)
"""First whole year of DDXPlus' own age bands; the last is open."""

_lgamma: Callable[[Array], Array] = np.frompyfunc(math.lgamma, 1, 1)


@dataclass(frozen=True, slots=True)
class Rates:
    """Estimates; rows are conditions in the order of the file."""

    prior: Array
    age: Array
    """(conditions, bands): P(band | condition)."""
    sex: Array
    """(conditions, 2): P(female), P(male)."""
    present: Array
    """(conditions, binaries)."""
    complaint: Array
    """(conditions, binaries): P(came with it | condition)."""
    values: Mapping[str, Array]
    """(conditions, values) by evidence, given that its parent is present; for a multi evidence the default value's
    probability, and the others' given that the answer is not the default."""
    pooled: Mapping[str, Array]
    """(values,): the same over all patients, for conditions without any."""


class Counts:
    """What was counted; rows are conditions."""

    def __init__(
        self,
        pathologies: Mapping[str, Pathology],
        evidences: Mapping[str, Evidence],
        patients: Sequence[PatientRow],
    ) -> None:
        self.evidences = evidences
        self.patients = patients
        self.binary = [e.name for e in evidences.values() if not e.values]
        self._column = {e: i for i, e in enumerate(self.binary)}
        row = {name: i for i, name in enumerate(pathologies)}
        self.row = np.array([row[p.pathology] for p in patients], dtype=np.intp)
        self.listed = np.array([[e in c.listed for e in self.binary] for c in pathologies.values()], dtype=bool)
        self.antecedent = np.array([evidences[e].is_antecedent for e in self.binary], dtype=bool)
        n, width = len(pathologies), len(self.binary)
        self.patients_of = np.bincount(self.row, minlength=n).astype(np.float64)
        self.age, self.sex = np.zeros((n, len(AGE_STARTS))), np.zeros((n, 2))
        self.present, self.complaint = np.zeros((n, width)), np.zeros((n, width))
        for c, p in zip(self.row, patients, strict=True):
            self.age[c, int(np.searchsorted(AGE_STARTS, p.age, "right")) - 1] += 1
            self.sex[c, list(Sex).index(p.sex)] += 1
            self.present[c, [self._column[e] for e in p.present]] += 1
            if p.initial in self._column:
                self.complaint[c, self._column[p.initial]] += 1

    @cached_property
    def _names(self) -> list[str]:
        return [e.name for e in self.evidences.values() if e.values]

    def of_values(self) -> dict[str, tuple[Array, Array]]:
        """(how often each value was given, how many answered) by evidence, among patients with its parent."""
        n = len(self.patients_of)
        out = {e: (np.zeros((n, len(self.evidences[e].values))), np.zeros(n)) for e in self._names}
        index = {e: {v: i for i, v in enumerate(self.evidences[e].values)} for e in self._names}
        for c, p in zip(self.row, self.patients, strict=True):
            for e, values in p.values.items():
                parent = self.evidences[e].parent
                if parent is not None and parent not in p.present:
                    continue  # an answer about a pain that is not there says nothing
                k, answered = out[e]
                answered[c] += 1
                for v in values:
                    k[c, index[e][v]] += 1
        return out


def estimate(
    pathologies: Mapping[str, Pathology], evidences: Mapping[str, Evidence], patients: Sequence[PatientRow]
) -> Rates:
    """All probabilities that a knowledge needs. Deterministic; linear in the patients."""
    counts = Counts(pathologies, evidences, patients)
    prior = (counts.patients_of + 1) / (counts.patients_of + 1).sum()
    present = _binary(counts)
    symptoms = present * ~counts.antecedent
    expected = symptoms / np.maximum(symptoms.sum(axis=1, keepdims=True), EPS)
    values: dict[str, Array] = {}
    pooled: dict[str, Array] = {}
    for name, (k, answered) in counts.of_values().items():
        e = evidences[name]
        values[name], pooled[name] = _multi(e, k, answered) if e.kind is FindingKind.MULTI else _categorical(e, k)
    return Rates(
        prior,
        _dirichlet(counts.age, (counts.age.sum(axis=0) + 1) / (counts.age.sum() + len(AGE_STARTS))),
        _dirichlet(counts.sex, (counts.sex.sum(axis=0) + 1) / (counts.sex.sum() + 2)),
        present,
        _dirichlet(counts.complaint, expected),
        values,
        pooled,
    )


def _others(x: Array) -> Array:
    """Sums over the other conditions, same shape."""
    return np.asarray(x.sum(axis=0) - x)


def _log_gamma(x: Array) -> Array:
    return np.asarray(_lgamma(x), dtype=np.float64)


def beta_strength(k: Array, n: Array, mean: Array) -> float:
    """The s with the greatest marginal likelihood of k of n under Beta(s mean, s (1 - mean)); same shapes, any."""
    asked = n > 0
    k, n, mean = k[asked], n[asked], np.clip(mean[asked], EPS, 1 - EPS)

    def fit(s: float) -> float:
        a, b = s * mean, s * (1 - mean)
        likelihood = _log_gamma(k + a) + _log_gamma(n - k + b) - _log_gamma(n + s)
        return float((likelihood - _log_gamma(a) - _log_gamma(b)).sum() + k.size * math.lgamma(s))

    return max(STRENGTHS, key=fit)


def dirichlet_strength(k: Array, mean: Array) -> float:
    """The same for rows of category counts under Dirichlet(s mean); `mean` one row or as many as `k`."""
    mean = np.broadcast_to(np.clip(mean, 1e-6, None), k.shape)
    n = k.sum(axis=1)

    def fit(s: float) -> float:
        rows = (math.lgamma(s) - _log_gamma(n + s)).sum()
        return float((_log_gamma(k + s * mean) - _log_gamma(s * mean)).sum() + rows)

    return max(STRENGTHS, key=fit)


def _dirichlet(k: Array, mean: Array) -> Array:
    s = dirichlet_strength(k, mean)
    return np.asarray((k + s * mean) / (k.sum(axis=1, keepdims=True) + s))


def _binary(c: Counts) -> Array:
    """P(present): a listed evidence around the other conditions that list it, these around their class' mean."""
    out = np.full(c.present.shape, EPS)
    for antecedent in (False, True):
        cols = np.flatnonzero(c.antecedent == antecedent)
        listed = c.listed[:, cols]
        if not listed.any():
            continue
        k, n = c.present[:, cols] * listed, c.patients_of[:, None] * listed
        class_mean = (k.sum() + 0.5) / (n.sum() + 1)
        evidence_s = beta_strength(k.sum(axis=0), n.sum(axis=0), np.full(len(cols), class_mean))
        mean = (_others(k) + evidence_s * class_mean) / (_others(n) + evidence_s)
        s = beta_strength(k[listed], n[listed], mean[listed])
        out[:, cols] = np.where(listed, np.clip((k + s * mean) / (n + s), EPS, 1 - EPS), EPS)
    return out


def _categorical(e: Evidence, k: Array) -> tuple[Array, Array]:
    if e.is_scale:
        points = np.arange(k.shape[1])
        kernel = np.exp(-0.5 * ((points[:, None] - points) / KERNEL_SD) ** 2)
        k = k @ (kernel / kernel.sum(axis=1, keepdims=True))
    mean = _others(k) + 0.5
    mean /= mean.sum(axis=1, keepdims=True)
    pooled = k.sum(axis=0) + 0.5
    pooled /= pooled.sum()
    if e.is_scale:
        return (k + SCALE_STRENGTH * mean) / (k.sum(axis=1, keepdims=True) + SCALE_STRENGTH), pooled
    return _dirichlet(k, mean), pooled


def mirror(e: Evidence) -> NDArray[np.intp]:
    """For each value the index of the same place on the other side, its own where there is none."""
    texts = [e.meaning(v) for v in e.values]
    index = {t: i for i, t in enumerate(texts)}
    flipped = [t.replace("(R)", "\0").replace("(L)", "(R)").replace("\0", "(L)") for t in texts]
    return np.array([index.get(t, i) for i, t in enumerate(flipped)], dtype=np.intp)


def _multi(e: Evidence, k: Array, answered: Array) -> tuple[Array, Array]:
    default = e.values.index(str(e.default_value))
    none = k[:, default].copy()
    mean_none = (_others(none) + 0.5) / (_others(answered) + 1)
    s = beta_strength(none, answered, mean_none)
    p_none = np.clip((none + s * mean_none) / (answered + s), EPS, 1 - EPS)

    other = mirror(e)
    paired = other != np.arange(len(other))
    k = k.copy()
    k[:, default] = 0
    k = k + np.where(paired, k[:, other], 0)  # left and right have one rate: twice the answers for it
    n = (answered - none)[:, None] * np.where(paired, 2.0, 1.0)
    mean = (_others(k) + 0.1) / (_others(n) + 1)
    s = beta_strength(k, n, mean)
    p = np.clip((k + s * mean) / (n + s), EPS, 1 - EPS)
    p[:, default] = p_none
    pooled = np.clip((k.sum(axis=0) + 0.1) / (n.sum(axis=0) + 1), EPS, 1 - EPS)
    pooled[default] = (none.sum() + 0.5) / (answered.sum() + 1)
    return p, pooled
