"""What was never asked or ordered, ranked by the information it was expected to give; danger signs first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import log2
from typing import Final

from consult.agents.inquirers.choice import ORDER_GAIN
from consult.agents.inquirers.wording import question
from consult.debrief.model import Missed
from consult.debrief.subject import BITS, Move, Subject
from consult.events import Result
from consult.knowledge.belief import Known
from consult.knowledge.model import Finding, Source
from consult.language.lexicon import suits
from consult.scenario import Fact, Release, State
from consult.score.base import finding_of
from consult.seeds import rng

WORTH: Final = 0.05
"""Bits from which something not asked is named; ours. What is a danger sign or a must is named in any case."""
LISTED: Final = 8
"""Of the questions that are neither."""
ORDERS: Final = 3


def missed(s: Subject) -> tuple[Missed, ...]:
    """Danger signs, then everything else, what would have told most first."""
    if not s.moves:
        return ()
    found = sorted(_questions(s), key=_rank)
    owed = [m for m in found if m.red_flag or m.must_ask]
    rest = [m for m in found if not (m.red_flag or m.must_ask) and m.bits >= WORTH][:LISTED]
    orders = sorted(_orders(s), key=_rank)[:ORDERS]
    return tuple(sorted((*owed, *rest, *orders), key=_rank))


def _rank(m: Missed) -> tuple[bool, float, bool, str]:
    return not m.red_flag, -m.bits, not m.must_ask, m.id


def _questions(s: Subject) -> Iterator[Missed]:
    gold = s.setup.scenario.gold
    dangers, musts = {finding_of(d) for d in gold.dangers}, {finding_of(m) for m in gold.must_ask}
    patient, facts = s.case.scenario.patient, s.case.scenario.by_finding
    for f in s.knowledge.findings:
        if f.source is not Source.HISTORY or not suits(f, patient.age, patient.sex):
            continue
        if s.case.raised_at(f.id) is not None:
            continue
        fact = facts.get(f.id)
        grave = f.red_flag and fact is not None and fact.state is State.PRESENT and fact.release is not Release.UNKNOWN
        best, bits = _most(s.moves, partial(_gain, f.id))
        if bits >= WORTH or grave or f.id in dangers | musts:
            yield Missed(
                kind="question", id=f.id, name=f.plain, red_flag=grave or f.id in dangers, must_ask=f.id in musts,
                bits=bits, cite=best.cite, left=s.moves[-1].gains.get(f.id, 0.0),
                towards=_towards(s, best, [fact] if fact is not None and fact.state is not State.UNKNOWN else []),
                ask=question(f, best.view, kind_words=False, chance=rng(0)), answer=_answer(s, f),
            )  # fmt: skip


def _answer(s: Subject, f: Finding) -> str:
    fact = s.case.scenario.by_finding.get(f.id)
    if fact is None:
        return "no" if s.case.scenario.closed_world else ""
    if fact.release in (Release.UNKNOWN, Release.ORDER_ONLY):
        return "the patient could not know"
    if fact.state is not State.PRESENT:
        return "no"
    if fact.text:
        return f"“{fact.text}”"
    return s.finding(f.id, fact.values).partition(": ")[2] or "yes"


def _orders(s: Subject) -> Iterator[Missed]:
    placed = {r.order for r in s.case.all(Result)}
    results = {r.order: r.result for r in s.case.scenario.orders}
    for o in s.knowledge.orders:
        if o.id in placed or o.id not in results:
            continue
        best, bits = _most(s.moves, partial(_gain_of_order, o.reveals))
        if bits >= ORDER_GAIN * BITS:
            yield Missed(
                kind="order", id=o.id, name=o.name, red_flag=False, must_ask=False, bits=bits, cite=best.cite,
                left=s.moves[-1].of_order(o.reveals), ask="", answer=results[o.id],
                towards=_towards(s, best, [f for f in s.case.scenario.facts if f.order == o.id]),
            )  # fmt: skip


def _towards(s: Subject, move: Move, facts: Iterable[Fact]) -> float | None:
    """Bits that these facts bring towards the gold."""
    told = {f.finding: Known(f.state.value, f.values) for f in facts}
    gold = [move.belief.index[c] for c in s.case.verdict.accepted if c in move.belief.index]
    if not told or not gold:
        return None
    view, patient = move.view, s.case.scenario.patient
    after = move.belief.posterior({**view.record.known, **told}, patient.age, patient.sex, view.record.complaint)
    return round(log2(float(after[gold].sum()) / float(move.p[gold].sum())), 6)


def _gain(finding: str, move: Move) -> float:
    return move.gains.get(finding, 0.0)


def _gain_of_order(reveals: tuple[str, ...], move: Move) -> float:
    return move.of_order(reveals)


def _most(moves: tuple[Move, ...], of: Callable[[Move], float]) -> tuple[Move, float]:
    """The first of the moves at which it was most, and how much."""
    best = max(moves, key=lambda m: (of(m), -m.event.seq))
    return best, of(best)
