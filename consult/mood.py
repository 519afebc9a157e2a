"""How a mood moves: causes, their ordinary effects, and a persona's sensitivity to each. Pure. The figures are ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from consult.events import MoodChange, Query
from consult.persona import Cause, Mood, Persona

EFFECTS: Final[dict[Cause, tuple[float, float, float]]] = {
    # trust, irritation, anxiety
    Cause.EMPATHY: (0.08, -0.04, -0.05),
    Cause.CUE_ANSWERED: (0.05, -0.04, -0.06),
    Cause.EXPLANATION: (0.04, -0.01, -0.02),
    Cause.PLAIN_WORDS: (0.004, 0.0, 0.0),
    Cause.CUE_IGNORED: (-0.05, 0.06, 0.05),
    Cause.REPEAT: (-0.03, 0.08, 0.0),
    Cause.STACKED: (-0.01, 0.04, 0.02),
    Cause.JARGON: (-0.03, 0.03, 0.04),
    Cause.MISUNDERSTOOD: (-0.02, 0.05, 0.0),
    Cause.LONG_INTERVIEW: (0.0, 0.015, 0.0),
}
PATIENCE: Final = 10
"""Questions after which each further one counts as a long interview."""
EMPATHY_WORTH: Final = 4
"""Times that empathy without a cue is still believed; after that it is a phrase."""


def moved(mood: Mood, cause: Cause, persona: Persona) -> Mood:
    """The mood after one cause."""
    factor = persona.temper.sensitivity.get(cause, 1.0)
    trust, irritation, anxiety = (round(e * factor, 4) for e in EFFECTS[cause])
    return Mood(
        trust=_unit(mood.trust + trust),
        irritation=_unit(mood.irritation + irritation),
        anxiety=_unit(mood.anxiety + anxiety),
    )


def causes(
    said: Sequence[Cause], query: Query, *, cue: str, asked: Collection[str], turn: int, empathies: int
) -> list[Cause]:
    """What moves the mood this turn, from how it was said (`said`), what it asks, and what went before.

    `cue`: the cue the patient gave last, "" if none; an empathic answer takes it up, any other ignores it.
    `asked`: findings asked before; `turn`: questions so far; `empathies`: times that empathy has moved the mood.
    """
    repeated = bool(query.findings) and not query.open and set(query.findings) <= set(asked)
    out: list[Cause] = []
    empathic = Cause.EMPATHY in said
    if cue:
        out.append(Cause.CUE_ANSWERED if empathic or Cause.EXPLANATION in said else Cause.CUE_IGNORED)
    elif empathic and empathies < EMPATHY_WORTH:
        out.append(Cause.EMPATHY)
    out += [c for c in said if c is not Cause.EMPATHY]
    if Cause.JARGON not in said and Cause.STACKED not in said:
        out.append(Cause.PLAIN_WORDS)
    if repeated:
        out.append(Cause.REPEAT)
    if turn > PATIENCE:
        out.append(Cause.LONG_INTERVIEW)
    if not (query.findings or query.topics or query.open or query.asks_nothing):
        out.append(Cause.MISUNDERSTOOD)
    return out


def change(mood: Mood, all_causes: Sequence[Cause], persona: Persona, turn: int) -> tuple[Mood, list[MoodChange]]:
    """The mood after all causes, and one event for each that moved it."""
    events = []
    for cause in all_causes:
        after = moved(mood, cause, persona)
        if after != mood:
            values: dict[str, Any] = after.model_dump()
            events.append(MoodChange(cause=cause.value, turn=turn, **values))
        mood = after
    return mood, events


def _unit(x: float) -> float:
    return round(min(1.0, max(0.0, x)), 4)
