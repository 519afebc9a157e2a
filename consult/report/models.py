"""What models took and what judges said, gathered from transcripts: usage by role, agreement, and who judged itself.

Fed line by line by `peek`, with what was measured beside the transcripts. Owns these sums; computes no interval. Must not read the store.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from consult.events import Judgement
from consult.judge.marks import table
from consult.report.model import Agreed, Matched, Taken
from consult.stats.agreement import agreement
from consult.stats.waits import Waits

USED: Final = "usage"
JUDGED: Final = "judgement"


@dataclass
class _Role:
    """Sums over the usage events of a role."""

    consultations: int = 0
    models: dict[str, None] = field(default_factory=dict)
    sums: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    """Consultations that do not say a figure."""

    def add(self, event: Mapping[str, Any]) -> None:
        self.consultations += 1
        self.models |= dict.fromkeys(event["models"])
        self.sums["calls"] += event["calls"]
        if not event["calls"]:  # none was answered: nothing is unknown of it
            return
        for name in ("prompt_tokens", "completion_tokens", "cost"):
            if event[name] is None:
                self.unknown[name] += 1
            else:
                self.sums[name] += event[name]

    def known(self, name: str) -> Any:
        """The sum; None if it is not known of every consultation."""
        return None if self.unknown[name] else self.sums[name]


@dataclass
class Models:
    """What the transcripts that were looked into say of models."""

    roles: dict[str, _Role] = field(default_factory=dict)
    waits: dict[str, Waits] = field(default_factory=dict)
    """How long answers took, by role."""
    votes: dict[str, dict[int, str]] = field(default_factory=dict)
    """By rubric: the judge of each vote."""
    rows: dict[str, list[list[float | None]]] = field(default_factory=dict)
    """By rubric: what was judged, a rating a vote."""
    matchers: dict[str, Counter[str]] = field(default_factory=dict)
    """By matcher: sums over the verdicts."""
    itself: Counter[str] = field(default_factory=Counter)
    """Consultations in which a judge was the model that it judged."""

    def used(self, line: str) -> None:
        """Takes in a usage event."""
        event = json.loads(line)
        self.roles.setdefault(event["role"], _Role()).add(event)

    def waited(self, by_role: Mapping[str, Waits]) -> None:
        """Takes in how long the answers of one consultation took."""
        for role, waits in by_role.items():
            self.waits.setdefault(role, Waits()).take_in(waits)

    def verdict(self, event: Mapping[str, Any], *, settled: bool) -> None:
        """Takes in a verdict for which a model was to match names; not settled: nothing was judged."""
        asked = event["by_model"]
        sums = self.matchers.setdefault(asked["matcher"], Counter())
        if not settled:
            sums["unanswered"] += asked["unanswered"] is not None
            return
        sums.update(consultations=1, named=len(event["differential"]), asked=asked["asked"], matched=asked["matched"])
        for name, rank in (("_by_rule", asked["rank"]), ("", event["rank"])):
            sums.update({f"top{k}{name}": rank is not None and rank <= k for k in (1, 3)})

    def judged(self, lines: list[str]) -> None:
        """Takes in the judgements of one consultation."""
        said = [Judgement.model_validate_json(line) for line in lines]
        for rubric in dict.fromkeys(j.rubric for j in said):
            own = [j for j in said if j.rubric == rubric]
            self.votes.setdefault(rubric, {}).update({j.vote: j.judge for j in own})
            self.rows.setdefault(rubric, []).extend(table(own))
        self.itself.update({f"{j.judge} played {', '.join(j.same_as)}" for j in said if j.same_as})

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What each role took."""
        return tuple(
            Taken(
                role=role,
                models=tuple(r.models),
                consultations=r.consultations,
                calls=r.known("calls"),
                prompt_tokens=r.known("prompt_tokens"),
                completion_tokens=r.known("completion_tokens"),
                cost=None if r.unknown["cost"] else round(r.sums["cost"], 6),
                measured=waits.measured,
                given_back=waits.kept,
                median=waits.median,
                p95=waits.p95,
            )
            for role, r in sorted(self.roles.items())
            for waits in (self.waits.get(role, Waits()),)
        )

    @property
    def matched(self) -> tuple[Matched, ...]:
        """What each matcher made of the names that it was asked for."""
        counts = ("consultations", "unanswered", "named", "asked", "matched")
        shares = ("top1_by_rule", "top1", "top3_by_rule", "top3")
        return tuple(
            Matched(
                matcher=matcher,
                **{name: sums[name] for name in counts},
                **{
                    name: round(sums[name] / sums["consultations"], 6) if sums["consultations"] else None
                    for name in shares
                },
            )
            for matcher, sums in sorted(self.matchers.items())
        )

    @property
    def agreed(self) -> tuple[Agreed, ...]:
        """How far the votes agree on each rubric that has several."""
        return tuple(
            Agreed(rubric=rubric, judges=tuple(votes[n] for n in sorted(votes)), **_agreement(self.rows[rubric]))
            for rubric, votes in self.votes.items()
            if len(votes) > 1
        )


def _agreement(rows: list[list[float | None]]) -> dict[str, Any]:
    most = max(map(len, rows))
    found = asdict(agreement([row + [None] * (most - len(row)) for row in rows]))
    return {k: round(v, 6) if isinstance(v, float) else v for k, v in found.items()}
