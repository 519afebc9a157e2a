"""How good the triage was: department, urgency in both directions, and how soon it was right.

Owns the `triage.*` scores; see docs/scoring.md. Must not import agents, sim, store or llm.
"""

from __future__ import annotations

from collections.abc import Iterable

from consult.events import Scored, Triaged
from consult.score.base import Case, levels

ROUNDS = (1, 2, 3, 4)
"""Rounds whose accuracy is a score; the source reports the fourth. Round 1 follows the opening."""
_SILENT = "triage never spoke"


def scores(case: Case) -> Iterable[Scored]:
    """The `triage.*` scores, in a fixed order, of the last triage against the gold as this hospital is laid out."""
    gold, urgency = case.verdict.department, case.verdict.urgency
    if not case.triages:
        for name, unit in _UNITS.items():
            yield case.score(name, None, unit, case.ending, _SILENT)
        return
    last = case.triages[-1]
    said, at = last.department, (last.seq,)
    error = levels(last.urgency) - levels(urgency)
    settled = _settled(case.triages, gold.primary)
    values: tuple[tuple[float | None, str], ...] = (
        (float(said.primary == gold.primary), _instead(said.primary, gold.primary)),
        (float(said == gold), _instead(said.secondary, gold.secondary)),
        (error, f"{last.urgency} instead of {urgency}" if error else ""),
        (float(error > 0), ""),
        (float(error < 0), ""),
    )
    for (name, unit), (value, reason) in zip(_UNITS.items(), values, strict=False):
        yield case.score(name, value, unit, at, reason)
    for n in ROUNDS:
        then = case.triages[min(n, len(case.triages)) - 1]
        early = "" if n <= len(case.triages) else f"there were {len(case.triages)} rounds; the last counts on"
        for what, value in (
            ("primary", then.department.primary == gold.primary),
            ("secondary", then.department == gold),
        ):
            yield case.score(f"triage.{what}_round_{n}", float(value), "0/1", (then.seq,), early)
    yield case.score(
        "triage.primary_round",
        settled.round if settled is not None else None,
        "round",
        (settled.seq,) if settled is not None else at,
        "" if settled is not None else "the primary department was not right at the end",
    )


_UNITS = {
    "triage.primary": "0/1",
    "triage.secondary": "0/1",
    "triage.urgency_error": "levels",
    "triage.under": "0/1",
    "triage.over": "0/1",
    **{f"triage.{what}_round_{n}": "0/1" for n in ROUNDS for what in ("primary", "secondary")},
    "triage.primary_round": "round",
}


def _instead(said: str, right: str) -> str:
    return "" if said == right else f"{said} instead of {right}"


def _settled(triages: Iterable[Triaged], primary: str) -> Triaged | None:
    """The first triage of the unbroken stretch of right ones that reaches to the end."""
    start: Triaged | None = None
    for t in triages:
        if t.department.primary != primary:
            start = None
        elif start is None:
            start = t
    return start
