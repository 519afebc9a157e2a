"""What each answer to each question would do to a belief: rows of P(answer | condition), and expected entropies.

The answers of a binary or categorical finding are listed; those of a multi finding (any subset of its values) are
represented by a fixed stratified sample per condition. Internal to `consult.knowledge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from consult.knowledge.model import FindingKind

if TYPE_CHECKING:
    from consult.knowledge.belief import Belief

Array = NDArray[np.float64]
Index = NDArray[np.intp]

SAMPLES: Final = 7
"""Sampled answers per condition to a multi question; a prime, so that i -> a*i + b (mod 7) shuffles."""
HEAVY: Final = 1e-3
"""Only conditions above this share of the likeliest one lend their sampled answers."""


def xlogx(a: Array) -> Array:
    """a log a, 0 at 0."""
    return np.asarray(a * np.log(np.maximum(a, 1e-300)))


def dot(rows: Array, p: Array) -> Array:
    """Matrix times vector without BLAS: its threads cost more than they save here, and its sums differ by machine."""
    return np.asarray(np.einsum("ij,j->i", rows, p))


@dataclass(frozen=True, slots=True)
class Listed:
    """The listed answers of several findings, stacked: `starts[i]` is the first row of `findings[i]`."""

    findings: tuple[str, ...]
    parents: tuple[str | None, ...]
    starts: Index
    rows: Array
    x_rows: Array

    def entropies(self, p: Array) -> Array:
        """Expected entropy (nats) after each finding's answer, shape (findings,)."""
        t = dot(self.rows, p)
        return np.asarray(np.add.reduceat(xlogx(t) - dot(self.rows, xlogx(p)) - dot(self.x_rows, p), self.starts))


@dataclass(frozen=True, slots=True)
class Sampled:
    """A multi finding: sampled answers (rows), the condition each came from and its weight, and P(none)."""

    parent: str | None
    reach: Array
    rows: Array
    x_rows: Array
    source: Index
    weight: Array
    none: Array | None

    def entropy(self, p: Array, *, parent_known: bool) -> float:
        """Expected entropy (nats) after its answer."""
        q, base = p, 0.0
        if not parent_known:
            q, no = p * self.reach, p * (1 - self.reach)
            base = float(xlogx(no.sum()) - xlogx(no).sum())
        some = float(q.sum())
        if self.none is not None:
            none = q * self.none
            base += float(xlogx(none.sum()) - xlogx(none).sum())
            some -= float(none.sum())
        at = np.flatnonzero((q > HEAVY * q.max())[self.source])
        rows, x_rows = self.rows.take(at, axis=0), self.x_rows.take(at, axis=0)
        t = np.maximum(dot(rows, q), 1e-300)
        each = np.log(t) - (dot(rows, xlogx(q)) + dot(x_rows, q)) / t
        weight = q.take(self.source.take(at)) * self.weight.take(at)
        return base + float((each * weight).sum()) * some / max(float(weight.sum()), 1e-300)


class Answers:
    """All questions of a knowledge, ready to be compared."""

    def __init__(self, plain: Listed, under_unknown: Listed, sampled: Mapping[str, Sampled]) -> None:
        self.plain = plain
        """Every listed finding, its parent (if any) being present."""
        self.under_unknown = under_unknown
        """Listed findings with a parent that is not known: "not even that" is one more answer."""
        self.sampled = dict(sampled)

    def gains(self, p: Array, states: Mapping[str, str], *, guessing: bool) -> dict[str, float]:
        """Expected fall of entropy per finding not in `states` whose parent is not ruled out; `p` sums to 1.

        `guessing` off leaves out what has a parent that is not known to be present.
        """
        now = -float(xlogx(p).sum())
        out: dict[str, float] = {}
        for part, want in ((self.plain, "present"), (self.under_unknown, "")):
            if not part.findings or (not guessing and not want):
                continue
            got = {f for f, state in states.items() if state == want}
            got = got if want else {parent for parent in part.parents if parent is not None and parent not in states}
            for f, parent, h in zip(part.findings, part.parents, part.entropies(p).tolist(), strict=True):
                if (parent is None or parent in got) and f not in states:
                    out[f] = now - h
        for f, s in self.sampled.items():
            state = states.get(s.parent, "") if s.parent is not None else "present"
            if f not in states and (state == "present" or (guessing and not state)):
                out[f] = now - s.entropy(p, parent_known=state == "present")
        return out


def build_answers(b: Belief) -> Answers:
    """Compile the rows of a belief."""
    plain: list[tuple[str, str | None, list[Array]]] = []
    unknown: list[tuple[str, str | None, list[Array]]] = []
    sampled: dict[str, Sampled] = {}
    for f in b.knowledge.findings:
        if f.kind is FindingKind.TEXT:
            continue
        reach = b.reach(f.id)
        if f.kind is FindingKind.MULTI:
            sampled[f.id] = _sample(b, f.id, f.none, reach)
            continue
        if f.values:
            rows = list(b.value[f.id].values())
            rows.append(np.maximum(1 - np.sum(rows, axis=0), 0))
        else:
            rows = [b.present[f.id], 1 - b.present[f.id]]
        plain.append((f.id, f.parent, rows))
        if f.parent is not None:
            ruled_out = [1 - reach] if f.values else []
            under = [r * reach for r in rows] + ruled_out
            if not f.values:
                under[1] = 1 - under[0]
            unknown.append((f.id, f.parent, under))
    return Answers(_stack(plain), _stack(unknown), sampled)


def _stack(parts: list[tuple[str, str | None, list[Array]]]) -> Listed:
    starts = np.cumsum([0, *(len(r) for _, _, r in parts)])[:-1].astype(np.intp)
    rows = np.array([row for _, _, r in parts for row in r]) if parts else np.zeros((0, 0))
    return Listed(tuple(f for f, _, _ in parts), tuple(p for _, p, _ in parts), starts, rows, xlogx(rows))


def _sample(b: Belief, finding: str, none: str | None, reach: Array) -> Sampled:
    """Stratified: in the samples of a condition, a value of probability q is named in about q of them."""
    named = [v for v in b.value[finding] if v != none]
    q = np.array([b.value[finding][v] for v in named]).T  # (conditions, values)
    n_cond, n_val = q.shape
    c, v, i = np.arange(n_cond)[:, None, None], np.arange(n_val)[None, None, :], np.arange(SAMPLES)[None, :, None]
    shuffled = ((1 + (c * 5 + v * 3) % (SAMPLES - 1)) * i + c * 7 + v * 11) % SAMPLES
    offset = ((c * 29 + v * 13) % 31 + 0.5) / 31
    pick = ((shuffled + offset) / SAMPLES < q[:, None, :]).reshape(n_cond * SAMPLES, n_val).astype(np.float64)
    p_none = b.value[finding][none] if none is not None else None
    log_rows = pick @ (np.log(q) - np.log1p(-q)).T + np.log1p(-q).sum(axis=1)
    if p_none is not None:
        log_rows = log_rows + np.log1p(-p_none)
    rows = np.exp(log_rows - log_rows.max(axis=1, keepdims=True))
    source = np.repeat(np.arange(n_cond), SAMPLES)
    some = 1 - p_none if p_none is not None else np.ones(n_cond)
    return Sampled(
        b.knowledge.finding[finding].parent, reach, rows, xlogx(rows), source, some[source] / SAMPLES, p_none
    )
