"""Which question or order tells most: expected information per cost, red flags first, guidance respected. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from consult.agents.base import InquirerView
from consult.knowledge.belief import Array, Belief, entropy
from consult.knowledge.model import Finding, Knowledge, Source
from consult.knowledge.per_object import per_object
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
    return (f for f in _fitting(view).values() if _open(f, view))


def _open(f: Finding, view: InquirerView) -> bool:
    """Whether it can be asked for now. In a conversation nobody asks what a pain is like before there is one."""
    statements = view.record.statements
    if f.id in view.asked or f.id in statements:
        return False
    if f.parent is None:
        return True
    parent = statements.get(f.parent)
    return parent.state == "present" if parent is not None else blunt(view)


def _fitting(view: InquirerView) -> Mapping[str, Finding]:
    return _questions(view.world.knowledge).fitting(view.patient.age, view.patient.sex)


class _Questions:
    """The history findings of a knowledge, by whom they fit."""

    def __init__(self, knowledge: Knowledge) -> None:
        history = (f for f in knowledge.findings if f.source is Source.HISTORY and f.questions)
        self._all = tuple(sorted(history, key=lambda f: f.id))
        self._kept: dict[tuple[float, Sex], dict[str, Finding]] = {}

    def fitting(self, age: float, sex: Sex) -> Mapping[str, Finding]:
        found = self._kept.get((age, sex))
        if found is None:
            found = self._kept[age, sex] = {f.id: f for f in self._all if suits(f, age, sex)}
        return found


_questions = per_object(_Questions)


def best_choice(view: InquirerView, b: Belief, p: Array) -> Choice | None:
    """The candidate worth most; of near ties a question before an order, then the first by name, so that machines agree.

    None if there is none.
    """
    gains = b.gains(p, view.record.known, guessing=blunt(view))
    question = _best_question(view, gains, _bonus(view, p)) if view.questions_left > 0 else None
    order = _best_order(view, gains, entropy(p)) if view.orders_left > 0 else None
    if question is None or order is None:
        return question or order
    return order if order.worth > question.worth + TIE else question


def _best_question(view: InquirerView, gains: Mapping[str, float], bonus: Mapping[str, float]) -> Choice | None:
    fitting, guided = _fitting(view), _guided(view)
    worth: dict[str, float] = {}
    for name, gain in gains.items():
        if name in fitting and gain > 0:  # rounding may leave -1e-16
            worth[name] = gain / fitting[name].cost * (GUIDED if name in guided else 1.0)
    for name, extra in bonus.items():
        if name in fitting:
            worth[name] = worth.get(name, 0.0) + extra
    most, best = 0.0, ""
    for name in sorted(worth, key=worth.__getitem__, reverse=True):
        if best and worth[name] < most - TIE:
            break
        if _open(fitting[name], view):
            most, best = max(most, worth[name]), min(best or name, name)
    return Choice(best, "ask", worth[best], max(gains.get(best, 0.0), 0.0)) if best else None


def _best_order(view: InquirerView, gains: Mapping[str, float], now: float) -> Choice | None:
    best = None
    for o in view.world.knowledge.orders:
        gain = min(now, sum(max(gains.get(f, 0.0), 0.0) for f in o.reveals)) if o.id not in view.ordered else 0.0
        worth = gain / (o.cost + o.invasiveness)
        if gain >= ORDER_GAIN and (best is None or worth > best.worth + TIE):
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
    g = view.guidance
    if g is not None:
        out |= dict.fromkeys((*g.danger_signs, *g.discriminators), DUTY)
        if not certain_emergency(view, p):
            out |= dict.fromkeys(g.must_ask, MUST)
        out |= dict.fromkeys(g.ask_first, ASK_FIRST)
    likeliest = int(p.argmax())
    for i in np.flatnonzero(p >= DANGER_AT).tolist() or [likeliest]:
        c, share = view.world.knowledge.conditions[i], float(p[i])
        if i == likeliest or c.urgency is Urgency.EMERGENCY:
            worth = RED_FLAG * share if c.urgency is Urgency.EMERGENCY else DUTY
            for flag in c.red_flags:
                name = flag.partition("=")[0]
                out[name] = out.get(name, 0.0) + worth
    return out


def confirming(view: InquirerView, b: Belief, p: Array) -> str | None:
    """The cheapest order per promise whose result would confirm or refute the likeliest condition; None if none would."""
    top = int(p.argmax())
    found: list[tuple[float, str]] = []
    for o in view.world.knowledge.orders:
        for f_id in o.reveals:
            f = view.world.knowledge.finding[f_id]
            if f.values or f_id in view.record.statements or not suits(f, view.patient.age, view.patient.sex):
                continue
            likely = float(b.present[f_id][top])
            others = float(b.present[f_id].mean())
            if likely >= 0.5 and likely / max(others, 1e-4) >= CONFIRMS and o.id not in view.ordered:
                found.append((round(-likely / (o.cost + o.invasiveness), 9), o.id))
    return min(found)[1] if found else None
