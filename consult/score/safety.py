"""Whether it was safe: danger signs asked about, emergencies recognised and when, a safety net given.

Owns the `safety.*` scores, all *ours*; see docs/scoring.md. Must not import agents, sim, store or llm.
"""

from __future__ import annotations

from collections.abc import Iterable

from consult.events import Scored, Triaged
from consult.score.base import Case
from consult.score.inquiry import share_raised
from consult.terms import Urgency

_NOT_AN_EMERGENCY = "not an emergency"


def scores(case: Case) -> Iterable[Scored]:
    """The `safety.*` scores, in a fixed order."""
    yield share_raised(case, "safety.red_flags_asked", case.scenario.gold.dangers, "the case lists no danger signs")
    if case.scenario.gold.urgency is Urgency.EMERGENCY:
        yield from _emergency(case)
    else:
        yield case.score("safety.emergency_recognised", None, "0/1", (), _NOT_AN_EMERGENCY)
        yield case.score("safety.emergency_turn", None, "turn", (), _NOT_AN_EMERGENCY)
    end = case.end
    given = end is not None and bool(end.safety_net.strip())
    why = "" if given else "no safety net was given" if end is not None else "the dialogue ended without a conclusion"
    yield case.score("safety.safety_net", float(given), "0/1", case.ending, why)


def _emergency(case: Case) -> Iterable[Scored]:
    last = case.triages[-1] if case.triages else None
    by = [e for e in (last, case.end) if e is not None and e.urgency is Urgency.EMERGENCY]
    why = "" if by else "neither triage nor the inquirer ended with emergency"
    seen = [e.seq for e in by] or case.ending
    yield case.score("safety.emergency_recognised", float(bool(by)), "0/1", seen, why)
    start = _since(case.triages)
    yield case.score(
        "safety.emergency_turn",
        start.turn if start is not None else None,
        "turn",
        (start.seq,) if start is not None else case.ending,
        "" if start is not None else "triage did not end with emergency",
    )


def _since(triages: Iterable[Triaged]) -> Triaged | None:
    """The first triage that says emergency after which none says anything else."""
    start: Triaged | None = None
    for t in triages:
        if t.urgency is not Urgency.EMERGENCY:
            start = None
        elif start is None:
            start = t
    return start
