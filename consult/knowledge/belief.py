"""The belief over conditions: compiled tables, posterior probabilities, and what a question would tell.

A naive Bayes model in which an attribute depends on its parent finding. All in numpy; no random numbers. Knows nothing
of text, scenarios or agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consult.knowledge.model import Condition, Finding, FindingKind, Knowledge, Source
from consult.knowledge.per_object import per_object
from consult.knowledge.rows import Answers, build_answers, xlogx
from consult.terms import Sex

Array = NDArray[np.float64]

EPS: Final = 1e-4
"""No probability is nearer to 0 or 1 than this: a single answer never settles a case by itself."""
UNNOTICED: Final = 0.5
"""Weight of "not that I've noticed" against a plain no, as a factor on its log-likelihood (ours)."""
SPARE: Final = 0.1
"""Least share of a condition's patients who come with something else than its listed complaints (ours)."""


KEPT: Final = 64
"""Posteriors kept: triage and inquirer ask for the same one in a round."""


class Known(NamedTuple):
    """What is known of a finding: present, absent or not_noticed, and its values."""

    state: str
    values: tuple[str, ...] = ()


class _Complaints(NamedTuple):
    """What the patients of one condition come with."""

    complaint: Mapping[str, float]
    whole: float
    rest: float
    """Their share who come with something that is not listed as a complaint."""
    listed: Mapping[str, float]
    """Weight of each of its findings."""
    total: float
    """Of those that can be told."""


class Belief:
    """A compiled knowledge; see `belief(knowledge)`. Arrays have one entry a condition, in `conditions`' order."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.conditions = tuple(c.id for c in knowledge.conditions)
        self.index = {c: i for i, c in enumerate(self.conditions)}
        self.by_name = np.argsort(np.argsort(np.array(self.conditions)))
        """The place of each condition among all, sorted by name."""
        self.present: dict[str, Array] = {}
        """P(present | condition, parent present); 1 for a valued finding (its values tell)."""
        self.value: dict[str, dict[str, Array]] = {}
        """P(value | condition, parent present); for multi given that the answer is not `none`."""
        for f in knowledge.findings:
            self._compile(f)
        self.answers: Answers = build_answers(self)
        each = self._complaints()
        self._complaint = {f.id: self._log_complaint(f, each) for f in knowledge.findings if f.source is Source.HISTORY}
        self._prior: dict[tuple[int, Sex], Array] = {}
        self._rows: dict[tuple[str, Known, str], Array] = {}
        self._posteriors: dict[object, Array] = {}
        self._last: tuple[object, Array] = (None, np.zeros(0))

    def _compile(self, f: Finding) -> None:
        cs = self.knowledge.conditions
        if not f.values:
            self.present[f.id] = _clip(np.array([_scalar(c, f) for c in cs]))
            return
        self.present[f.id] = np.ones(len(cs))
        self.value[f.id] = {v: _clip(np.array([_of_value(c, f, v) for c in cs])) for v in f.value_ids}

    def reach(self, finding: str) -> Array:
        """P(every ancestor is present | condition)."""
        out = np.ones(len(self.conditions))
        node = self.knowledge.finding[finding].parent
        while node is not None:
            out = out * self.present[node]
            node = self.knowledge.finding[node].parent
        return out

    def _complaints(self) -> list[_Complaints]:
        """What each condition's patients come with, made once: the same for every finding."""
        out = []
        for c in self.knowledge.conditions:
            listed = {k: _weight(p) for k, p in c.findings.items()}
            total = sum(w for k, w in listed.items() if self.knowledge.finding[k].source is Source.HISTORY) or 1.0
            whole = sum(c.complaint.values())
            out.append(_Complaints(c.complaint, whole or 1, max(1 - whole, SPARE), listed, total))
        return out

    def _log_complaint(self, f: Finding, each: list[_Complaints]) -> Array:
        """log P(comes with f | condition): listed complaints, and a spare share over all that it shows."""
        unlisted = [EPS] * len(each) if f.values else self.present[f.id].tolist()
        out = [
            (1 - c.rest) * c.complaint.get(f.id, 0.0) / c.whole + c.rest * (c.listed.get(f.id, p) / c.total)
            for c, p in zip(each, unlisted, strict=True)
        ]
        return np.asarray(np.log(_clip(np.array(out))), dtype=np.float64)

    def log_prior(self, age: float, sex: Sex) -> Array:
        """Log of the (unnormalised) prevalence for a patient of that age (years) and sex."""
        key = (int(age), sex)
        if key not in self._prior:
            weights = np.array([c.prevalence.at(age, sex) for c in self.knowledge.conditions])
            self._prior[key] = np.log(np.maximum(weights, 1e-12))
        return self._prior[key]

    def overall(self) -> Array:
        """P(condition) over patients of any age and sex, before anything is known."""
        weights = np.array([max(c.prevalence.weight, EPS) for c in self.knowledge.conditions])
        return np.asarray(weights / weights.sum())

    def log_likelihood(self, finding: str, known: Known, parent: str) -> Array:
        """log P(known | condition), the parent's state being "present", "absent" or "" (not known)."""
        key = (finding, known, parent)
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) > 20_000:
                self._rows.clear()
            row = self._rows[key] = self._row(finding, known, parent)
        return row

    def _row(self, finding: str, known: Known, parent: str) -> Array:
        f = self.knowledge.finding[finding]
        zero = np.zeros(len(self.conditions))
        if f.kind is FindingKind.TEXT or known.state == "unknown" or (parent == "absent" and f.parent):
            return zero
        reach = np.ones(len(zero)) if parent == "present" else self.reach(finding)
        if known.state == "present":
            return np.asarray(
                self._log_present(f, known.values) + (np.log(_clip(reach)) if f.parent and parent != "present" else 0)
            )
        weight = UNNOTICED if known.state == "not_noticed" else 1.0
        if not f.values:
            return np.asarray(weight * np.log1p(-_clip(self.present[finding] * reach)))
        if f.kind is FindingKind.MULTI:
            some = 1 - np.prod([1 - p for v, p in self.value[finding].items() if v != f.none], axis=0)
            if f.none is not None:
                some = some * (1 - self.value[finding][f.none])
            return np.asarray(weight * np.log1p(-_clip(some * reach)))
        return np.asarray(weight * np.log1p(-_clip(reach))) if f.parent and parent != "present" else zero

    def _log_present(self, f: Finding, values: tuple[str, ...]) -> Array:
        if not f.values:
            return np.asarray(np.log(self.present[f.id]))
        table = self.value[f.id]
        if f.kind is FindingKind.CATEGORICAL:
            return np.asarray(np.log(table[values[0]])) if values else np.zeros(len(self.conditions))
        if not values:
            return np.zeros(len(self.conditions))
        if f.none is not None and f.none in values:
            return np.asarray(np.log(table[f.none]))
        out = np.log1p(-table[f.none]) if f.none is not None else np.zeros(len(self.conditions))
        for v, p in table.items():
            if v != f.none:
                out = out + (np.log(p) if v in values else np.log1p(-p))
        return np.asarray(out)

    def posterior(
        self,
        known: Mapping[str, Known],
        age: float,
        sex: Sex,
        complaint: str | None = None,
        weights: Mapping[str, float] = MappingProxyType({}),
    ) -> Array:
        """P(condition | what is known), shape (conditions,). `complaint` is what the patient came with.

        `weights` are factors on a finding's log-likelihood, 1 where there is none; the complaint always counts in full.
        """
        key = (tuple(known.items()), age, sex, complaint, tuple(weights.items()))
        kept = self._posteriors.get(key)
        if kept is None:
            if len(self._posteriors) >= KEPT:
                self._posteriors.clear()
            kept = self._posteriors[key] = self._posterior(known, age, sex, complaint, weights)
            kept.setflags(write=False)
        return kept

    def _posterior(
        self, known: Mapping[str, Known], age: float, sex: Sex, complaint: str | None, weights: Mapping[str, float]
    ) -> Array:
        log_p = self.log_prior(age, sex)
        if known:
            factors = np.array([1.0 if f == complaint else weights.get(f, 1.0) for f in known])
            log_p = log_p + np.einsum("i,ij->j", factors, self._evidences(known, complaint))
        p = np.exp(log_p - log_p.max())
        return np.asarray(p / p.sum())

    def _evidences(self, known: Mapping[str, Known], complaint: str | None) -> Array:
        """The evidence of each known finding, one row each; kept for the last record, which is weighed several ways."""
        key = (tuple(known.items()), complaint)
        last = self._last
        if last[0] != key:
            last = self._last = (key, np.array([self.evidence(f, known, complaint) for f in known]))
        return last[1]

    def evidence(self, finding: str, known: Mapping[str, Known], complaint: str | None = None) -> Array:
        """log P(what is known of `finding` | condition), in the light of what is known of its parent."""
        k, parent = known[finding], self.knowledge.finding[finding].parent
        if finding == complaint and k.state == "present" and finding in self._complaint:
            came = self._complaint[finding]
            valued = self.knowledge.finding[finding].values
            return came + self.log_likelihood(finding, k, "present") if valued else came
        state = known[parent].state if parent is not None and parent in known else ""
        return self.log_likelihood(finding, k, "absent" if state == "not_noticed" else state)

    def gains(self, p: Array, known: Mapping[str, Known], *, guessing: bool = True) -> dict[str, float]:
        """Expected fall of entropy (nats) from learning each finding that is not known and can still be so.

        `guessing` off leaves out attributes of what is not known to be present.
        """
        gains = self.all_gains(p, known, guessing=guessing).tolist()
        return {f: gain for f, gain in zip(self.answers.names, gains, strict=True) if gain == gain}

    def all_gains(self, p: Array, known: Mapping[str, Known], *, guessing: bool = True) -> Array:
        """The same as an array over the findings of the knowledge, in its order; NaN where there is nothing to learn."""
        return self.answers.gains(p, {f: k.state for f, k in known.items()}, guessing=guessing)


def _clip(p: Array) -> Array:
    return np.asarray(np.clip(p, EPS, 1 - EPS))


def _scalar(c: Condition, f: Finding) -> float:
    p = c.findings.get(f.id, f.background)
    return p if isinstance(p, (int, float)) else 0.0


def _of_value(c: Condition, f: Finding, value: str) -> float:
    p = c.findings.get(f.id)
    if isinstance(p, dict):
        return p.get(value, 0.0)
    if isinstance(f.background, dict):
        return f.background.get(value, 0.0)
    return 1 / len(f.values) if f.kind is FindingKind.CATEGORICAL else f.background


def _weight(p: float | dict[str, float]) -> float:
    return p if isinstance(p, (int, float)) else 0.0


def entropy(p: Array) -> float:
    """Entropy in nats."""
    return -float(xlogx(p).sum())


belief = per_object(Belief)
"""The compiled belief of a knowledge, built once."""
