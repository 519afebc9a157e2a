"""`consult replay --html`: one consultation as a page that plays, and what it shows beside the dialogue.

Owns the state at each moment: record, triage, belief, mood, orders, facts. Must not import sim, agents or score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consult.events import Belief, Event, MoodChange, Ordered, RecordUpdate, Result, Triaged, Utterance
from consult.html.consultation import Fact, Reader, order_words
from consult.html.page import render
from consult.html.picture import LineChart, line_chart
from consult.show.names import Names
from consult.show.words import safe, worth_a_bar
from consult.store.transcript import Transcript

_MOODS: Final = ("trust", "irritation", "anxiety")
_SECTIONS: Final = {
    "chief_complaint": "Chief complaint",
    "present_illness": "Present illness",
    "past_history": "Past history",
}
_LINES: Final = 5
"""Conditions whose belief is drawn, at most."""
_SEEN: Final = 0.05
"""A condition that was never believed in more than this is not drawn."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that stands from an event on, until the next of its kind: rows of a name and a share."""

    seq: int
    turn: int
    rows: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Triage:
    """A prediction of triage, shown where it differs from the one before."""

    seq: int
    turn: int
    place: str
    urgency: str
    runner_up: str
    rules: tuple[tuple[str, str], ...]
    """The words for it, and what it favours."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of the record, an order or a fact, with the beat it comes from."""

    seq: int
    turn: int
    source: int
    text: str
    more: str = ""
    fact: Fact | None = None


def page(transcript: Transcript, names: Names) -> str:
    """The page. `names` gives the words for ids."""
    reader = Reader(transcript, names)
    return render(
        "replay.html.jinja",
        scripts=("common.js", "replay.js"),
        reader=reader,
        header=reader.header,
        beats=reader.beats,
        turns=max((b.turn for b in reader.beats), default=0),
        moods=_moods(reader.events),
        mood_chart=_mood_chart(reader),
        beliefs=_beliefs(reader),
        belief_chart=_belief_chart(reader),
        triages=_triages(reader),
        complaints=[(e.seq, safe(e.chief_complaint)) for e in reader.events if isinstance(e, RecordUpdate)],
        record=_record(reader),
        orders=_orders(reader),
        facts=_facts(reader),
        answer=reader.answer(),
        families=reader.families(),
        audit=reader.audit(),
    )


def _turns(events: tuple[Event, ...]) -> int:
    return max((e.turn for e in events), default=0)


def _moods(events: tuple[Event, ...]) -> list[Moment]:
    moved = [e for e in events if isinstance(e, MoodChange)]
    return [Moment(e.seq, e.turn, tuple((name, getattr(e, name)) for name in _MOODS)) for e in moved]


def _mood_chart(reader: Reader) -> LineChart | None:
    by_turn = {e.turn: e for e in reader.events if isinstance(e, MoodChange)}
    if not by_turn:
        return None
    series = [(name.capitalize(), [(turn, getattr(e, name)) for turn, e in by_turn.items()]) for name in _MOODS]
    text = "The patient's mood after each question, from 0 to 100 %."
    return line_chart("Mood over the questions", text, series, turns=_turns(reader.events))


def _beliefs(reader: Reader) -> list[Moment]:
    held = [e for e in reader.events if isinstance(e, Belief)]
    return [Moment(e.seq, e.turn, tuple((reader.name(c), p) for c, p in worth_a_bar(e.top[:_LINES]))) for e in held]


def _belief_chart(reader: Reader) -> LineChart | None:
    """The conditions that were most believed at any time; what is not among a turn's first is not drawn there."""
    by_turn = {e.turn: dict(e.top) for e in reader.events if isinstance(e, Belief)}
    if not by_turn:
        return None
    peak: dict[str, float] = {}
    for top in by_turn.values():
        for condition, p in top.items():
            peak[condition] = max(peak.get(condition, 0.0), p)
    shown = [c for c in sorted(peak, key=lambda c: (-peak[c], c))[:_LINES] if peak[c] >= _SEEN]
    series = [(reader.name(c), [(turn, top[c]) for turn, top in by_turn.items() if c in top]) for c in shown]
    text = "The doctor's probability of the conditions it believed in most, before each question."
    return line_chart("Belief over the questions", text, series, turns=_turns(reader.events))


def _triages(reader: Reader) -> list[Triage]:
    out: list[Triage] = []
    for e in reader.events:
        if isinstance(e, Triaged):
            rules = tuple((reader.names.rule(r), reader.name(r.favours) if r.favours else "") for r in e.rules)
            place, urgency = reader.place(e.department), e.urgency.replace("_", " ")
            made = Triage(e.seq, e.turn, place, urgency, reader.place(e.runner_up), rules)
            if not out or (made.place, made.urgency, made.runner_up, made.rules) != (
                out[-1].place, out[-1].urgency, out[-1].runner_up, out[-1].rules,
            ):  # fmt: skip
                out.append(made)
    return out


def _record(reader: Reader) -> list[tuple[str, list[Noted]]]:
    sections: dict[str, list[Noted]] = {name: [] for name in _SECTIONS}
    for e in reader.events:
        for s in e.statements if isinstance(e, RecordUpdate) else ():
            state = {"present": "", "absent": "no ", "unknown": "unknown: ", "not_noticed": "not noticed: "}[s.state]
            words = state + (safe(s.text) or reader.finding(s.finding, s.values))
            source = reader.cited((s.source,))
            seq, turn = (source[0].seq, source[0].turn) if source else (e.seq, e.turn)
            sections[s.section].append(Noted(e.seq, turn, seq, words, safe(s.heading)))
    return [(_SECTIONS[name], lines) for name, lines in sections.items() if lines]


def _orders(reader: Reader) -> list[Noted]:
    out = []
    asked = {e.order: e.seq for e in reader.events if isinstance(e, Ordered)}
    for e in reader.events:
        if isinstance(e, Result):
            source = reader.cited((asked.get(e.order, e.seq),))
            out.append(Noted(e.seq, e.turn, source[0].seq if source else e.seq, reader.name(e.order), order_words(e)))
    return out


def _facts(reader: Reader) -> list[Noted]:
    out = []
    for e in reader.events:
        if isinstance(e, (Utterance, Result)):
            source = reader.cited((e.seq,))[0].seq
            out += [Noted(e.seq, e.turn, source, "", fact=reader.fact(t)) for t in e.told]
    return out
