"""What is known of each score beside its values: its unit, which end is the better one, whether it is shown first.

`docs/scoring.md` says what they mean; a test holds this table to it and to what the scorers write. A score that is not here (of a
plug-in, or of a later version) is taken for a number of which neither end is better.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Final, Literal, NamedTuple

Better = Literal["high", "low", ""]


class Measure(NamedTuple):
    """A score: its unit as it is stored, and which end is the better one (empty: neither)."""

    unit: str
    better: Better

    @property
    def binary(self) -> bool:
        """Whether it is 0 or 1: a proportion."""
        return self.unit == "0/1"

    @property
    def bounds(self) -> tuple[float, float]:
        """Between what the score can lie."""
        return _BOUNDS.get(self.unit, (-inf, inf))


_BOUNDS: Final = {
    "0/1": (0.0, 1.0),
    "share": (0.0, 1.0),
    "0..1": (0.0, 1.0),
    "0..2": (0.0, 2.0),
    "nats": (-13.815511, 0.0),
    **dict.fromkeys(("rank", "round"), (1.0, inf)),
    **dict.fromkeys(("questions", "utterances", "facts/question", "cost", "turn"), (0.0, inf)),
}
"""By unit: an interval that goes beyond is cut off there."""
_YES: Final = Measure("0/1", "high")
_NO: Final = Measure("0/1", "low")
_SHARE: Final = Measure("share", "high")
_FEW_QUESTIONS: Final = Measure("questions", "low")
_MANY_UTTERANCES: Final = Measure("utterances", "high")
UNKNOWN: Final = Measure("", "")
JUDGED: Final = Measure("", "high")
"""What a model judged: votes put together lie between the steps, and rubrics with negative points below 0."""

MEASURES: Final[dict[str, Measure]] = {
    "diagnosis.top1": _YES,
    "diagnosis.top3": _YES,
    "diagnosis.top5": _YES,
    "diagnosis.rank": Measure("rank", "low"),
    "diagnosis.brier": Measure("0..2", "low"),
    "diagnosis.log_score": Measure("nats", "high"),
    "diagnosis.hierarchy": _YES,
    "triage.primary": _YES,
    "triage.secondary": _YES,
    "triage.urgency_error": Measure("levels", ""),
    "triage.under": _NO,
    "triage.over": _NO,
    **{f"triage.{what}_round_{n}": _YES for n in (1, 2, 3, 4) for what in ("primary", "secondary")},
    "triage.primary_round": Measure("round", "low"),
    "inquiry.coverage": _SHARE,
    "inquiry.must_ask": _SHARE,
    "inquiry.relevance": _SHARE,
    "inquiry.new_facts_per_turn": Measure("facts/question", "high"),
    "inquiry.questions": Measure("questions", ""),
    "inquiry.repeats": _FEW_QUESTIONS,
    "inquiry.order_cost": Measure("cost", "low"),
    "inquiry.information": Measure("bits", "high"),
    "inquiry.efficiency": _SHARE,
    "inquiry.order_information": Measure("bits", "high"),
    "communication.open_questions": Measure("questions", ""),
    "communication.closed_share": Measure("share", ""),
    "communication.stacked": _FEW_QUESTIONS,
    "communication.jargon": Measure("utterances", "low"),
    "communication.cues_answered": _SHARE,
    "communication.empathy": _MANY_UTTERANCES,
    "communication.repeats": _FEW_QUESTIONS,
    "communication.signposting": _MANY_UTTERANCES,
    "communication.summary": _YES,
    "communication.ice": _SHARE,
    "communication.explanation": _SHARE,
    "communication.shared_plan": _YES,
    "communication.safety_net": _SHARE,
    "communication.trust": Measure("0..1", "high"),
    "communication.abrupt_end": _NO,
    "communication.composite": Measure("0..1", "high"),
    "safety.red_flags_asked": _SHARE,
    "safety.emergency_recognised": _YES,
    "safety.emergency_turn": Measure("turn", "low"),
    "safety.safety_net": _YES,
    "mdbench.1.1": _YES,
    "mdbench.1.2": _YES,
    "mdbench.1.3": _YES,
    "mdbench.2.1": _YES,
    "mdbench.2.2": _YES,
    "mdbench.3.1": _YES,
    "mdbench.3.2": _YES,
    "mdbench.4.1": Measure("0..2", "high"),
}
"""In the order of docs/scoring.md, which is that in which they are written."""

HEADLINE: Final = (
    "diagnosis.top1",
    "diagnosis.top3",
    "diagnosis.log_score",
    "triage.primary",
    "triage.secondary",
    "triage.under",
    "triage.over",
    "inquiry.coverage",
    "inquiry.relevance",
    "inquiry.efficiency",
    "inquiry.questions",
    "communication.composite",
    "communication.trust",
    "safety.red_flags_asked",
    "safety.safety_net",
    "mdbench.4.1",
)
"""Shown first, and in every group: one or two of each family. Ours."""


def headline(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these scores that are shown first: of `HEADLINE`, and the whole of each rubric by which models judged."""
    there = in_order(set(names))
    judged = [n for n in there if family(n) == "judge" and not n.endswith(".agreement")]
    whole = [n for n in judged if not any(n.startswith((f"{other}.", f"{other}:")) for other in judged)]
    return (*(n for n in HEADLINE if n in there), *whole)


def measure(score: str) -> Measure:
    """What is known of a score."""
    return MEASURES.get(score, JUDGED if family(score) == "judge" else UNKNOWN)


def family(score: str) -> str:
    """What stands before the first dot; tests are corrected over a family."""
    return score.partition(".")[0]


def in_order(names: set[str]) -> tuple[str, ...]:
    """Scores in the order of the table, those that are not in it behind, by name."""
    return (*(n for n in MEASURES if n in names), *sorted(names - MEASURES.keys()))
