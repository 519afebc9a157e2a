"""The score card: the answer beside the answer key, the scores by family, and the audit of the patient.

Collects what it needs while events go by. Must not import score: it shows what the events say and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from consult.clean import one_line
from consult.events import Audited, Event, Header, Ordered, Question, Scored, Stopped, Verdict
from consult.show.names import Names
from consult.show.paint import BAD, GOOD, QUIET, Canvas
from consult.show.words import BREACHES, LEAST, SHARES, named_words, safe, value_words
from consult.terms import Department

_MISSED: Final = "inquiry.efficiency"
"""The score whose reason is the list of what had better been asked."""
_HEADLINES: Final = {
    "triage": ("primary", "secondary", "urgency_error", "under", "over", "primary_round"),
    "communication": ("composite", "cues_answered", "ice", "explanation", "safety_net", "trust"),
    "mdbench": ("4.1",),
}
"""In families of many scores, those with a line of their own; the others share one, and `--json` has their reasons."""
_NAME_WIDTH: Final = 22
_UNIT_WIDTH: Final = 14
_NOTE_INDENT: Final = 4
_NOTE_ROOM: Final = 18
"""Columns below which a note of several lines is a tower of words, and stands below instead."""


class Card:
    """Takes the events of one consultation and draws what it came to."""

    def __init__(self, header: Header, names: Names) -> None:
        self._header = header
        self._names = names
        self._turn_of: dict[int, int] = {}
        self._scores: dict[str, Scored] = {}
        self._verdict: Verdict | None = None
        self._audit: Audited | None = None
        self._stop: Stopped | None = None
        self.turns = 0
        self.orders = 0

    @property
    def ended(self) -> bool:
        """Whether the consultation came to an end, and was not just cut off."""
        return self._stop is not None

    @property
    def has_any(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self._verdict or self._scores or self._audit)

    def add(self, event: Event) -> None:
        """Takes note of one event."""
        self._turn_of[event.seq] = event.turn
        if isinstance(event, Question):
            self.turns += 1
        elif isinstance(event, Ordered):
            self.orders += 1
        elif isinstance(event, Scored):
            self._scores[event.name] = event
        elif isinstance(event, Verdict):
            self._verdict = event
        elif isinstance(event, Audited):
            self._audit = event
        elif isinstance(event, Stopped):
            self._stop = event

    def draw(self, canvas: Canvas) -> None:
        """The whole card."""
        canvas.blank()
        canvas.rule("score card", style="bold", heavy=canvas.signs.heavy)
        if self._stop is not None and not self._stop.reason.clinical:
            why = str(self._stop.reason).replace("_", " ")
            canvas.block("diagnosis", Text(f"{canvas.signs.none} not judged: {why}"), "bold")
        elif self._verdict is not None:
            self._draw_diagnosis(canvas, self._verdict)
            self._draw_triage(canvas, self._verdict)
        self._draw_scores(canvas)
        self._draw_missed(canvas)
        self._draw_audit(canvas)
        canvas.blank()
        dot = f" {canvas.signs.dot} "
        end = str(self._stop.reason).replace("_", " ") if self._stop else "no end"
        parts = [_count(self.turns, "question"), _count(self.orders, "order"), end, self._header.consultation_id]
        canvas.block("", Text(dot.join(safe(p) for p in parts), style=QUIET))

    def _draw_diagnosis(self, canvas: Canvas, v: Verdict) -> None:
        gold = self._name(v.gold)
        named = [named_words(d, self._name) for d in v.differential]
        if v.unsettled:
            canvas.block("diagnosis", f"not judged: {one_line(v.unsettled, limit=200)}", "bold")
            return
        if v.rank == 1:
            line = _mark(canvas, right=True, words=f"right: {named[0]}")
            if v.differential[0].condition != v.gold:
                line.append(f" (accepted for {gold})")
        elif not named:
            line = _mark(canvas, right=False, words=f"none given; it was {gold}")
        else:
            place = f"named at rank {v.rank}" if v.rank else "not named"
            line = _mark(canvas, right=False, words=f"{named[0]}; it was {gold} ({place})")
        canvas.block("diagnosis", line, "bold")
        for n, (name, d) in enumerate(zip(named[:5], v.differential, strict=False), 1):
            right = d.condition in v.accepted
            if n == 1 or right or d.probability is None or d.probability >= LEAST:
                self._draw_entry(canvas, n, name, d.probability, accepted=right)

    def _draw_entry(self, canvas: Canvas, n: int, name: str, p: float | None, *, accepted: bool) -> None:
        wide = min(34, canvas.room // 2)
        text = Text(f"{n}. {name}")
        text.truncate(wide, overflow="ellipsis", pad=True)
        if p is not None:
            text.append(" ").append(canvas.signs.bar(p, min(20, canvas.room - wide - 20)), style="blue")
            text.append(f" {p * 100:3.0f} %")
        if accepted:
            text.append(f"  {canvas.signs.left} right", style=GOOD)
        canvas.block("", text)

    def _draw_triage(self, canvas: Canvas, v: Verdict) -> None:
        right, said = v.department, v.triaged
        if said is None:
            canvas.block(
                "triage", Text(f"{canvas.signs.none} never given; it was {self._place(canvas, right)}"), "bold"
            )
            return
        line = _mark(canvas, right=said == right, words=self._place(canvas, said))
        if said != right:
            half = "the primary department is right; " if said.primary == right.primary else ""
            line.append(f"; {half}it was {self._place(canvas, right)}")
        canvas.block("triage", line, "bold")
        urgency = v.triaged_urgency
        if urgency is not None:
            off = urgency.level - v.urgency.level
            line = _mark(canvas, right=off == 0, words=urgency.replace("_", " "))
            if off:
                side = "too late" if off > 0 else "too soon"
                line.append(f"; it was {v.urgency.replace('_', ' ')} ({_count(abs(off), 'level')} {side})")
            canvas.block("urgency", line, "bold")

    def _draw_scores(self, canvas: Canvas) -> None:
        families: dict[str, list[Scored]] = {}
        for event in self._scores.values():
            families.setdefault(event.name.partition(".")[0], []).append(event)
        for family, events in families.items():
            heads = [self._scores[n] for h in _HEADLINES.get(family, ()) if (n := f"{family}.{h}") in self._scores]
            heads = heads or events
            lines = [self._score_line(canvas, event) for event in heads]
            if rest := [e for e in events if e not in heads]:
                lines.append(self._shared_line(canvas, rest))
            canvas.blank()
            canvas.block(family.replace("_", " "), lines[0], "bold")
            for line in lines[1:]:
                canvas.block("", line)

    @staticmethod
    def _shared_line(canvas: Canvas, events: Sequence[Scored]) -> Text:
        """Names and values in a row, broken between them only."""
        dot = f" {canvas.signs.dot} "
        rows = [""]
        for e in events:
            name = one_line(e.name.partition(".")[2], limit=60).replace("_", " ")
            part = f"{name} {canvas.signs.none if e.value is None else value_words(e.value, e.unit)}"
            row = rows[-1] + dot + part if rows[-1] else part
            if cell_len(row) <= canvas.room:
                rows[-1] = row
            else:
                rows.append(part)
        return Text("\n".join(rows), style=QUIET)

    def _score_line(self, canvas: Canvas, e: Scored) -> Text:
        line = Text(one_line(e.name.partition(".")[2] or e.name, limit=60).replace("_", " "))
        line.truncate(_NAME_WIDTH, overflow="ellipsis", pad=True)
        if e.value is None:
            line.append(f" {canvas.signs.none:>6}  ").append(" " * _UNIT_WIDTH)
            return _hanging(canvas, line, safe(self._names.reason(e)) or "not given")
        line.append(f" {value_words(e.value, e.unit):>6}  ", style="bold")
        if e.unit in SHARES:
            line.append(canvas.signs.bar(e.value, 10).ljust(_UNIT_WIDTH), style="blue")
        else:
            unit = "" if e.unit == "0/1" else one_line(e.unit, limit=40)
            unit_text = Text(unit, style=QUIET)
            unit_text.truncate(_UNIT_WIDTH - 1, overflow="ellipsis", pad=True)
            line.append_text(unit_text).append(" ")
        notes = [n for n in (self._turns(e.evidence), one_line(self._names.reason(e))) if n and e.name != _MISSED]
        return _hanging(canvas, line, f" {canvas.signs.dot} ".join(notes))

    def _draw_missed(self, canvas: Canvas) -> None:
        """The turns at which most was missed, and what had better been asked."""
        e = self._scores.get(_MISSED)
        if e is not None and e.value is not None and e.reason:
            canvas.blank()
            for n, line in enumerate(safe(e.reason).split("; ")):
                canvas.block("" if n else "better asked", line, "bold")

    def _turns(self, evidence: tuple[int, ...]) -> str:
        turns = sorted({self._turn_of[seq] for seq in evidence if seq in self._turn_of})
        if not turns:
            return ""
        listed = ", ".join(str(t) for t in turns[:6]) + (" …" if len(turns) > 6 else "")
        return f"turn {listed}" if len(turns) == 1 else f"turns {listed}"

    def _draw_audit(self, canvas: Canvas) -> None:
        canvas.blank()
        a = self._audit
        if a is None:
            canvas.block("audit", Text(f"{canvas.signs.none} the patient was not audited"), "bold")
            return
        counts = [(getattr(a, field), one, many) for field, one, many in BREACHES]
        found = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
        found += ["an early end"] if a.early_end else []
        words = "; ".join(found) if found else "the patient kept to the law: no leak, no invention, no break of role"
        line = _mark(canvas, right=a.clean, words=words)
        where = self._turns(a.evidence)
        canvas.block("audit", line.append(f" ({where})" if where else ""), "bold")

    def _place(self, canvas: Canvas, d: Department) -> str:
        return f"{self._name(d.primary)} {canvas.signs.into} {self._name(d.secondary)}"

    def _name(self, identifier: str) -> str:
        return self._names.of(identifier)


def _hanging(canvas: Canvas, line: Text, note: str) -> Text:
    """`line` with a quiet note behind it, whose further lines stand below its first one.

    A note with a word too long for the rest of the line, an id mostly, stands below the line and is not torn; so does
    one of several lines where hardly any room is left.
    """
    indent = line.cell_len
    longest = max((cell_len(word) for word in note.split()), default=0)
    left = canvas.room - indent
    below = longest > max(12, left) or (left < _NOTE_ROOM and cell_len(note) > left)
    indent = _NOTE_INDENT if below else indent
    rows = Text(note, style=QUIET).wrap(canvas.console, max(12, canvas.room - indent))
    for n, row in enumerate(rows):
        row.rstrip()
        line.append("\n" + " " * indent if n or below else "").append_text(row)
    return line


def _mark(canvas: Canvas, *, right: bool, words: str) -> Text:
    sign = canvas.signs.yes if right else canvas.signs.no
    return Text(f"{sign} {words}", style=GOOD if right else BAD)


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
