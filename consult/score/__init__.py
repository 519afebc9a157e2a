"""Scores of one consultation, read from its events. What each one means: docs/scoring.md.

Owns the list of scorers. Reads events and the case, never graph state. Must not import agents, sim, store or cli.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from consult.events import Event, Scored
from consult.score import communication, diagnosis, information, inquiry, mdbench, safety, triage
from consult.score.base import Case, score

Scorer = Callable[[Case], Iterable[Scored]]
SCORERS: Final[tuple[Scorer, ...]] = (
    diagnosis.scores,
    triage.scores,
    inquiry.scores,
    information.scores,
    communication.scores,
    safety.scores,
    mdbench.scores,
)
"""In the order in which their scores are written."""

__all__ = ["SCORERS", "Case", "Scorer", "assess", "score"]


def assess(case: Case) -> list[Event]:
    """The verdict, then every score, always all of them and in the same order; `seq` and `turn` are the caller's."""
    out: list[Event] = [diagnosis.verdict(case)]
    for scorer in SCORERS:
        out.extend(scorer(case))
    return out
