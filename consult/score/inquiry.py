"""How good the questions were: what they brought out, what they missed, what they cost.

Owns the `inquiry.*` scores; see docs/scoring.md. After MAQuE (arXiv 2509.24958), which names coverage, relevance and
efficiency; it published no formulas, so these are *ours*. Must not import agents, sim, store or llm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consult.events import Question, Scored
from consult.score.base import Case, finding_of

_NO_QUESTIONS = "no question was asked"
_LISTED = 8
"""Names shown in a reason."""


def scores(case: Case) -> Iterable[Scored]:
    """The `inquiry.*` scores, in a fixed order."""
    told, obtainable = case.told, case.obtainable
    yield case.score(
        "inquiry.coverage",
        len(told) / len(obtainable) if obtainable else None,
        "share",
        told.values(),
        "" if obtainable else "the case holds no fact that the patient can tell",
    )
    yield share_raised(
        case, "inquiry.must_ask", case.scenario.gold.must_ask, "the case lists nothing that must be asked"
    )
    n = len(case.exchanges)
    fruitless = [x.question.seq for x in case.exchanges if not x.new]
    why = "" if n else _NO_QUESTIONS
    yield case.score("inquiry.relevance", 1 - len(fruitless) / n if n else None, "share", fruitless, why)
    new = sum(len(x.new) for x in case.exchanges)
    fruitful = (u.seq for x in case.exchanges if x.new for u in x.answers)
    yield case.score("inquiry.new_facts_per_turn", new / n if n else None, "facts/question", fruitful, why)
    yield case.score("inquiry.questions", n, "questions")
    again = repeats(case)
    yield case.score("inquiry.repeats", len(again), "questions", (q.seq for q in again))
    yield case.score("inquiry.order_cost", sum(r.cost for r in case.results), "cost", (r.seq for r in case.results))


def share_raised(case: Case, name: str, wanted: Sequence[str], none: str) -> Scored:
    """The share of the findings in `wanted` that were raised or settled (`Case.raised_at`); None if it is empty.

    Evidence is where each was so first; the reason names those that were not.
    """
    findings = dict.fromkeys(finding_of(w) for w in wanted)
    if not findings:
        return case.score(name, None, "share", (), none)
    seqs = {f: case.raised_at(f) for f in findings}
    at = [seq for seq in seqs.values() if seq is not None]
    missed = [f for f, seq in seqs.items() if seq is None]
    more = f" and {len(missed) - _LISTED} more" if len(missed) > _LISTED else ""
    reason = f"not asked: {', '.join(missed[:_LISTED])}{more}" if missed else ""
    return case.score(name, len(at) / len(findings), "share", at, reason)


def repeats(case: Case) -> list[Question]:
    """The questions that asked for nothing but findings already asked or told, and brought out nothing new.

    What a patient held back at first and tells when asked again is no repeat. Nor is an open question, or one that
    opens a topic that was closed.
    """
    known: set[str] = set()
    topics: set[str] = set()
    asked = {u.seq: x for x in case.exchanges for u in x.answers}
    out: dict[int, Question] = {}
    for u in case.utterances:
        exchange, query = asked.get(u.seq), u.query
        if query is not None:
            names = [finding_of(f) for f in query.findings]
            if exchange is not None and names and known.issuperset(names) and not (query.open or exchange.new):
                own = {f.topic for f in map(case.knowledge.finding.get, names) if f is not None}
                if topics.union(own).issuperset(query.topics):
                    out.setdefault(exchange.question.seq, exchange.question)
            known.update(names)
            topics.update(query.topics)
        known.update(t.finding for t in u.told if t.state != "withheld")
    return list(out.values())
