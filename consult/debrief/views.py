"""The patient's own idea, concern and expectation: whether each was asked for, told, and taken up."""

from __future__ import annotations

from collections.abc import Iterator

from consult.debrief.model import View
from consult.debrief.subject import Subject
from consult.language.manner import manner
from consult.language.tokens import tokens
from consult.mood import takes_up
from consult.scenario import State
from consult.score.communication import ICE
from consult.score.speech import Spoken, asked, spoken

_TELLING = 5
"""Letters from which a word tells what something is about; ours."""


def views(s: Subject) -> tuple[View, ...]:
    """All three, as far as the knowledge has them."""
    return tuple(_view(s, part) for part in ICE if part in s.knowledge.finding)


def _view(s: Subject, part: str) -> View:
    fact = s.case.scenario.by_finding.get(part)
    held = fact is not None and fact.state is State.PRESENT
    told = s.case.told.get(part)
    words = fact.text if fact is not None else ""
    took_up = next((a.seq for a in _answers(s, told, words)), None) if told is not None and held else None
    return View(
        part=part,
        held=held,
        words=words,
        asked=s.cite(next((a.seq for a in asked(s.case) if part in a.query.findings), None)),
        told=s.cite(told),
        answered=s.cite(took_up),
    )


def _answers(s: Subject, told: int, words: str) -> Iterator[Spoken]:
    """What the doctor said that took it up: the next words, with feeling or a reason; any later that speak of it."""
    about = {t for t in tokens(words) if len(t) >= _TELLING}
    later = [a for a in spoken(s.case) if a.seq > told]
    for n, a in enumerate(later):
        kind = n == 0 and takes_up(manner(a.text, a.query, s.knowledge))
        if kind or about.intersection(tokens(a.text)):
            yield a
