"""Facts of the case that never came out, and which part of the disclosure law, or whose silence, kept each of them in.

Asks `consult.disclosure`, as patient and audit do, with the trust that stood at each answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from consult.debrief.model import Unsaid, Why
from consult.debrief.subject import Subject
from consult.disclosure import admits, ancestors, is_direct
from consult.events import MoodChange, Query, Result, Utterance
from consult.scenario import Fact, Release, State


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that was answered, as the patient understood it and as it was put."""

    seq: int
    query: Query
    meant: Query
    trust: float
    slipped: frozenset[str]
    """Findings that did not come to mind."""


def unsaid(s: Subject) -> tuple[Unsaid, ...]:
    """In the order of the case."""
    out = {t.finding for e in s.case.events if isinstance(e, (Utterance, Result)) for t in e.told if t.state in ("present", "absent")}  # fmt: skip
    asked = tuple(_asked(s))
    return tuple(_why(s, fact, asked) for fact in s.case.scenario.facts if fact.finding not in out)


def _asked(s: Subject) -> Iterator[_Asked]:
    trust = s.setup.persona.temper.start.trust
    meant = {m.event.seq: m.meant for m in s.moves}
    question = {u.seq: x.question.seq for x in s.case.exchanges for u in x.answers}
    for e in s.case.events:
        if isinstance(e, MoodChange):
            trust = e.trust
        elif isinstance(e, Utterance) and e.query is not None and e.seq in question:
            seq = question[e.seq]
            slipped = frozenset(t.finding for t in e.told if t.rule == "recall")
            yield _Asked(seq, e.query, meant.get(seq) or e.query, trust, slipped)


def _why(s: Subject, fact: Fact, asked: tuple[_Asked, ...]) -> Unsaid:
    law = partial(
        admits, fact, facts=s.case.scenario.by_finding, topic_of=s.knowledge.topic_of, parent_of=s.knowledge.parent_of,
        covered_by=s.knowledge.covered_by,
    )  # fmt: skip
    direct = [a for a in asked if is_direct(fact.finding, a.query, s.knowledge.parent_of)]
    meant = [a for a in asked if is_direct(fact.finding, a.meant, s.knowledge.parent_of)]
    room = [a for a in asked if law(a.query, trust=a.trust)]
    why, cited = Why.NOT_ASKED, asked[:0]
    if fact.release is Release.ORDER_ONLY:
        why = Why.ORDER_ONLY
    elif fact.release is Release.UNKNOWN:
        why = Why.UNKNOWN
    elif direct and not any(law(a.query, trust=a.trust) for a in direct):
        why, cited = Why.TRUST, tuple(direct)
    elif any(fact.finding in a.slipped for a in direct):
        why, cited = Why.RECALL, tuple(direct)
    elif direct:
        why, cited = Why.PASSED, tuple(direct)
    elif meant:
        why, cited = Why.CLINICAL, tuple(meant)
    elif room:
        why, cited = Why.ROOM, tuple(room)
    needed = _needed(s, fact)
    return Unsaid(
        finding=fact.finding, name=s.finding(fact.finding, fact.values), present=fact.state is State.PRESENT,
        words=fact.text, why=why, rule=fact.release.value, needed=needed,
        trust=max((a.trust for a in cited or asked), default=None) if needed is not None else None,
        order=s.name(fact.order) if fact.order else "", cites=s.cites(a.seq for a in cited),
    )  # fmt: skip


def _needed(s: Subject, fact: Fact) -> float | None:
    """The trust that it takes to be told, with what it belongs to; None where it takes none."""
    facts = s.case.scenario.by_finding
    above = (facts.get(f) for f in ancestors(fact.finding, s.knowledge.parent_of))
    return max((f.trust for f in (fact, *above) if f is not None and f.release is Release.SENSITIVE), default=None)
