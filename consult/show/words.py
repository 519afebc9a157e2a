"""The words for what is in a transcript, the same in the terminal and on a page: names, states, ends, reading time.

Knows events; knows nothing of how things are drawn. Must not import rich, sim, agents or score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from consult.clean import clean, one_line
from consult.events import Event, Named, Pictured, Shown, StopReason, Suggested
from consult.settings import MAX_TEXT

LEAST: Final = 0.005
"""A probability below this is drawn nowhere: it would read as 0 %."""
READING: Final = 18.0
"""Characters a second at speed 1; a brisk reader."""
LONGEST: Final = 12.0
"""Seconds that a pause lasts at most, at speed 1."""
SHARES: Final = ("share", "0..1", "probability", "fraction")
"""Units whose values lie between 0 and 1."""
STATES: Final = {"present": "+", "absent": "-", "unknown": "?", "not_noticed": "?", "withheld": "withheld "}
BREACHES: Final = (
    ("leaks", "leak", "leaks"),
    ("unreleased", "fact told too soon", "facts told too soon"),
    ("inventions", "invention", "inventions"),
    ("contradictions", "contradiction", "contradictions"),
    ("role_breaks", "break of role", "breaks of role"),
)
ENDS: Final = {
    StopReason.CONCLUDED: "the doctor concluded",
    StopReason.REFERRED: "the doctor referred the patient",
    StopReason.PATIENT_LEFT: "the patient left",
    StopReason.TURN_LIMIT: "no questions are left",
    StopReason.ORDER_LIMIT: "no orders are left",
    StopReason.BUDGET: "the budget is spent",
    StopReason.TIME_LIMIT: "the time is over",
    StopReason.REFUSED: "the doctor refused",
    StopReason.MODEL_ERROR: "a model failed",
    StopReason.INFRASTRUCTURE_ERROR: "the machinery failed",
    StopReason.CANCELLED: "cancelled",
}
_SPEAKERS: Final = {"self": "Patient", "patient": "Patient", "parent": "Parent", "carer": "Carer"}


def safe(text: str) -> str:
    """Text from a transcript, fit to be shown, at most `MAX_TEXT` characters."""
    return clean(text, limit=MAX_TEXT).strip()


def speaker(names: Mapping[str, str]) -> str:
    """Who speaks for the patient, by the names of a header."""
    who = names.get("speaker", "patient")
    return _SPEAKERS.get(who, who)


def shown(e: Shown) -> str:
    """What a model was shown of the pictures: `control: wrong; the picture, 640 by 480, 24 kB`."""
    control = f"control: {e.control}; " if e.control != "none" else ""
    return control + "; ".join(map(_picture, e.pictures))


def _picture(p: Pictured) -> str:
    if p.how == "image":
        width, height = p.pixels or (0, 0)
        return f"the picture, {width} by {height}, {(p.bytes or 0) / 1000:.0f} kB"
    if p.how == "url":
        return f"the picture at {one_line(p.url, limit=200)}"
    what = "the caption only" if p.how == "caption" else "nothing of the picture"
    return f"{what} ({safe(p.why)})"


def suggested(e: Suggested) -> str:
    """What a classifier told a model: `resnet: Stye 60 %, Chalazion 12 %`."""
    named = (safe(n.name) + (f" {n.probability * 100:.0f} %" if n.probability is not None else "") for n in e.top)
    return f"{safe(e.classifier)}: {', '.join(named)}"


def worth_a_bar(named: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The first of a differential, and of the rest what would not read as 0 %."""
    return [(name, p) for n, (name, p) in enumerate(named) if n == 0 or p >= LEAST]


def value_words(value: float, unit: str) -> str:
    """The value of a score: yes or no, a whole number, or two decimals."""
    if unit == "0/1":
        return "yes" if value else "no"
    return f"{value:.0f}" if value == int(value) and unit not in SHARES else f"{round(value, 2) + 0.0:.2f}"


def reading_time(event: Event) -> float:
    """Seconds it takes to read what was said, at speed 1; 0 where nothing was."""
    words = getattr(event, "text", "") or getattr(event, "explanation", "")
    return min(len(words) / READING, LONGEST)


def named_words(d: Named, name: Callable[[str], str]) -> str:
    """An entry of a verdict: its condition's plain name, or what was written; and the model that matched the two, if one did."""
    if d.condition is None:
        return one_line(d.name, limit=80)
    matched = f" (“{one_line(d.name, limit=60)}”, matched by {one_line(d.by, limit=60)})" if d.by else ""
    return name(d.condition) + matched
