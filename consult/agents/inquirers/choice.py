"""Which question or order tells most: expected information per cost, red flags first, guidance respected. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from consult.agents.base import InquirerView
from consult.knowledge.belief import Array, Belief, entropy
from consult.knowledge.model import Finding, Knowledge, Source
from consult.knowledge.per_object import per_object
from consult.knowledge.rows import Index
from consult.language.lexicon import suits
from consult.terms import Sex, Urgency

STOP_DOUBT: Final = 1e-4
"""Doubt (1 - the likeliest condition's probability) from which nothing more need be asked."""
STOP_GAIN: Final = 1e-3
"""Expected information (nats) below which a question is not worth asking."""
DANGER_AT: Final = 0.02
"""Probability of an emergency from which its red flags come first."""
RED_FLAG: Final = 0.3
"""Worth (nats) of a red flag of a certain emergency; in proportion below that."""
TIE: Final = 1e-9
"""Differences in worth below this are rounding, which differs by machine."""
DUTY: Final = 0.02
"""Worth (nats) of what safety wants asked, however sure the belief is; it keeps the dialogue going."""
MUST: Final = 0.04
"""The same of what the department must know of every patient with this complaint (ours)."""
DANGER: Final = 0.06
"""The same of a red flag that the department or the likeliest condition names: it comes before what must be known (ours)."""
GUIDED: Final = 1.5
"""Factor on the information of what the department's guidance wants asked: it tells triage as well (ours)."""
ORDER_GAIN: Final = 0.05
"""Expected information (nats) from which an order is worth placing: tests cost more than words."""
CERTAIN: Final = 0.99
"""Probability of an emergency from which nothing is asked any more but red flags."""
ASK_FIRST: Final = 10.0
"""Worth of what a hard rule wants asked before all else."""
CONFIRMS: Final = 5.0
"""Likelihood ratio (likeliest condition against the others) from which a result counts as confirming."""


class Choice(NamedTuple):
    """A candidate and what it is worth."""

    target: str
    """A finding to ask for, or an order to place."""
    kind: str
    worth: float
    gain: float
    """Expected information in nats."""


def posterior(view: InquirerView, b: Belief) -> Array:
    """The belief given the record."""
    return b.posterior(view.record.known, view.patient.age, view.patient.sex, view.record.complaint)


def settled(p: Array) -> bool:
    """Whether the belief leaves nothing to ask."""
    return 1 - float(p.max()) <= STOP_DOUBT


def blunt(view: InquirerView) -> bool:
    """Whether attributes may be asked for before what they belong to: ticked boxes may be, people not."""
    return not view.world.knowledge.open_questions


def askable(view: InquirerView) -> Iterable[Finding]:
    """History findings that fit the patient, not asked yet and not on record, by name."""
    return (f for f in _fitting(view).findings.values() if _open(f, view))


def _open(f: Finding, view: InquirerView) -> bool:
    """Whether it can be asked for now. In a conversation nobody asks what a pain is like before there is one."""
    statements = view.record.statements
    if f.id in view.asked or f.id in statements:
        return False
    if f.parent is None:
        return True
    parent = statements.get(f.parent)
    return parent.state == "present" if parent is not None else blunt(view)


class _Fitting(NamedTuple):
    """The history findings that fit a patient, by name: where they stand in the knowledge, and what a question costs."""

    findings: Mapping[str, Finding]
    number: Mapping[str, int]
    at: Index
    cost: Array


def _fitting(view: InquirerView) -> _Fitting:
    return _questions(view.world.knowledge).fitting(view.patient.age, view.patient.sex)


class _Questions:
    """The history findings of a knowledge, by whom they fit; and what its orders reveal."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._place = {f.id: i for i, f in enumerate(knowledge.findings)}
        history = (f for f in knowledge.findings if f.source is Source.HISTORY and f.questions)
        self._all = tuple(sorted(history, key=lambda f: f.id))
        self._kept: dict[tuple[float, Sex], _Fitting] = {}
        self.revealed = np.array([self._place[f] for o in knowledge.orders for f in o.reveals], dtype=np.intp)
        """Places of what orders reveal, and by which order."""
        self.by = np.array([n for n, o in enumerate(knowledge.orders) for _ in o.reveals], dtype=np.intp)

    def fitting(self, age: float, sex: Sex) -> _Fitting:
        found = self._kept.get((age, sex))
        if found is None:
            fits = {f.id: f for f in self._all if suits(f, age, sex)}
            found = self._kept[age, sex] = _Fitting(
                fits,
                {name: i for i, name in enumerate(fits)},
                np.array([self._place[name] for name in fits], dtype=np.intp),
                np.array([f.cost for f in fits.values()]),
            )
        return found


_questions = per_object(_Questions)


def best_choice(view: InquirerView, b: Belief, p: Array) -> Choice | None:
    """The candidate worth most; of near ties a question before an order, then the first by name, so that machines agree.

    None if there is none.
    """
    gains = np.fmax(b.all_gains(p, view.record.known, guessing=blunt(view)), 0.0)  # rounding may leave -1e-16
    question = _best_question(view, gains, _bonus(view, p)) if view.questions_left > 0 else None
    order = _best_order(view, gains, entropy(p)) if view.orders_left > 0 else None
    if question is None or order is None:
        return question or order
    return order if order.worth > question.worth + TIE else question


def _best_question(view: InquirerView, gains: Array, bonus: Mapping[str, float]) -> Choice | None:
    fits = _fitting(view)
    gain = gains[fits.at]
    worth = gain / fits.cost
    worth[[fits.number[name] for name in _guided(view) if name in fits.number]] *= GUIDED
    for name, extra in bonus.items():
        if name in fits.number:
            worth[fits.number[name]] += extra
    names = tuple(fits.findings)
    most, best = 0.0, ""
    for i in np.argsort(-worth).tolist():
        name, here = names[i], float(worth[i])
        if here <= 0 or (best and here < most - TIE):
            break
        if _open(fits.findings[name], view):
            most, best = max(most, here), min(best or name, name)
    at = fits.number.get(best, 0)
    return Choice(best, "ask", float(worth[at]), float(gain[at])) if best else None


def _best_order(view: InquirerView, gains: Array, now: float) -> Choice | None:
    orders, all_ = view.world.knowledge.orders, _questions(view.world.knowledge)
    told = np.minimum(np.bincount(all_.by, weights=gains[all_.revealed], minlength=len(orders)), now)
    best = None
    for i in np.flatnonzero(told >= ORDER_GAIN).tolist():
        o, gain = orders[i], float(told[i])
        worth = gain / (o.cost + o.invasiveness)
        if o.id not in view.ordered and (best is None or worth > best.worth + TIE):
            best = Choice(o.id, "order", worth, gain)
    return best


def certain_emergency(view: InquirerView, p: Array) -> bool:
    """Whether there is no time, and no need, for more than the red flags."""
    top = int(p.argmax())
    return float(p[top]) >= CERTAIN and view.world.knowledge.conditions[top].urgency is Urgency.EMERGENCY


def _guided(view: InquirerView) -> frozenset[str]:
    """What the guidance at hand wants asked."""
    g = view.guidance
    return frozenset((*g.must_ask, *g.danger_signs, *g.discriminators)) if g is not None else frozenset()


def _bonus(view: InquirerView, p: Array) -> dict[str, float]:
    """What safety and guidance add to a question's worth."""
    out: dict[str, float] = {}
    g, findings = view.guidance, view.world.knowledge.finding
    if g is not None:
        out |= dict.fromkeys((*g.danger_signs, *g.discriminators), DUTY)
        if not certain_emergency(view, p):
            out |= dict.fromkeys(g.must_ask, MUST)
        out |= dict.fromkeys((name for name in g.danger_signs if findings[name].red_flag), DANGER)
        out |= dict.fromkeys(g.ask_first, ASK_FIRST)
    likeliest = int(p.argmax())
    for i in np.flatnonzero(p >= DANGER_AT).tolist() or [likeliest]:
        c, share = view.world.knowledge.conditions[i], float(p[i])
        if i == likeliest or c.urgency is Urgency.EMERGENCY:
            worth = RED_FLAG * share if c.urgency is Urgency.EMERGENCY else DUTY
            for flag in c.red_flags:
                name = flag.partition("=")[0]
                out[name] = out.get(name, 0.0) + worth
                if i == likeliest and findings[name].red_flag:
                    out[name] = max(out[name], DANGER)
    return out


def confirming(view: InquirerView, b: Belief, p: Array) -> str | None:
    """The cheapest order per promise whose result would confirm or refute the likeliest condition; None if none would."""
    top = int(p.argmax())
    knowledge, tests = view.world.knowledge, _tests(b)
    found: list[tuple[float, str]] = []
    for i in np.flatnonzero(tests.confirms[:, top]).tolist():
        o, f = knowledge.orders[tests.order[i]], tests.findings[i]
        if f.id in view.record.statements or not suits(f, view.patient.age, view.patient.sex):
            continue
        if o.id not in view.ordered:
            found.append((round(-float(b.present[f.id][top]) / (o.cost + o.invasiveness), 9), o.id))
    return min(found)[1] if found else None


class _Tests(NamedTuple):
    """Each yes-or-no finding that an order reveals: the order's number, and which conditions its presence confirms."""

    order: tuple[int, ...]
    findings: tuple[Finding, ...]
    confirms: NDArray[np.bool_]
    """Shape (tests, conditions)."""


def _compiled(b: Belief) -> _Tests:
    k = b.knowledge
    pairs = [(n, k.finding[f]) for n, o in enumerate(k.orders) for f in o.reveals if not k.finding[f].values]
    likely = np.array([b.present[f.id] for _, f in pairs]).reshape(len(pairs), len(b.conditions))
    ratio = likely / np.maximum(likely.mean(axis=1, keepdims=True), 1e-4)
    return _Tests(tuple(n for n, _ in pairs), tuple(f for _, f in pairs), (likely >= 0.5) & (ratio >= CONFIRMS))


_tests = per_object(_compiled)
