"""The verdict, and how good the diagnosis was: rank, probability, and nearness in the tree of conditions.

Owns the `diagnosis.*` scores; see docs/scoring.md. An abstention is a wrong answer, never a missing one. Must not
import agents, sim, store or llm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from consult.events import Scored, Verdict
from consult.score.base import Case

FLOOR: Final = 1e-6
"""The least probability that the logarithmic score tells apart from none; ln(1e-6) = -13.8."""
_ABSTAINED: Final = "no diagnosis was given"


def verdict(case: Case) -> Verdict:
    """The answer key beside what was answered, its names matched to the knowledge."""
    return case.verdict


def scores(case: Case) -> Iterable[Scored]:
    """The `diagnosis.*` scores, in a fixed order; all missing where it is open which condition was named."""
    for one in _scores(case):
        open_ = case.verdict.unsettled
        yield one.model_copy(update={"value": None, "reason": open_}) if open_ and not case.void else one


def _scores(case: Case) -> Iterable[Scored]:
    v, evidence = case.verdict, case.ending
    why = _why_wrong(v)
    for k in (1, 3, 5):
        right = v.rank is not None and v.rank <= k
        late = f"named at rank {v.rank}" if v.rank is not None else why
        yield case.score(f"diagnosis.top{k}", float(right), "0/1", evidence, "" if right else late)
    yield case.score("diagnosis.rank", v.rank, "rank", evidence, "" if v.rank is not None else why)
    named, missing = _probabilities(v)
    wrong = [p for condition, p in named if condition not in v.accepted]
    right_p = sum(p for condition, p in named if condition in v.accepted)
    brier = None if missing else (1 - right_p) ** 2 + sum(p * p for p in wrong)
    note = missing or ("" if v.differential else _ABSTAINED)
    yield case.score("diagnosis.brier", brier, "0..2", evidence, note)
    log_score = None if missing else math.log(max(min(right_p, 1.0), FLOOR))
    yield case.score("diagnosis.log_score", log_score, "nats", evidence, note)
    near, how = _hierarchy(case)
    yield case.score("diagnosis.hierarchy", near, "0/1", evidence, how)


def _why_wrong(v: Verdict) -> str:
    if not v.differential:
        return _ABSTAINED
    unknown = [d.name for d in v.differential if d.condition is None]
    text = "the right diagnosis is not in the differential"
    return text + (f"; not known to the knowledge: {', '.join(unknown[:3])[:200]}" if unknown else "")


def _probabilities(v: Verdict) -> tuple[list[tuple[str | None, float]], str]:
    """(condition, probability) of each entry, and why they cannot be scored if they cannot.

    What the differential leaves over is on no condition. A sum above 1 is scaled to 1.
    """
    without = sum(d.probability is None for d in v.differential)
    if without:
        what = "no probabilities were given" if without == len(v.differential) else "not every entry has a probability"
        return [], what
    total = max(1.0, sum(d.probability or 0.0 for d in v.differential))
    return [(d.condition, (d.probability or 0.0) / total) for d in v.differential], ""


def _hierarchy(case: Case) -> tuple[float, str]:
    """1 where the first diagnosis is accepted, or a broader or narrower name of the gold; and in which way."""
    v = case.verdict
    top = v.differential[0].condition if v.differential else None
    if top is None:
        return 0.0, _ABSTAINED if not v.differential else "the first diagnosis is not known to the knowledge"
    if top in v.accepted:
        return 1.0, ""
    if top in case.knowledge.ancestors(v.gold):
        return 1.0, f"{top} is broader than {v.gold}"
    if v.gold in case.knowledge.ancestors(top):
        return 1.0, f"{top} is narrower than {v.gold}"
    return 0.0, f"{top} is neither above nor below {v.gold}"
