"""Moving about in a consultation on the screen: the tape that plays it and its keys, flags, and what scores rest on.

Owns how far one has come. What is drawn of that is the screen's, of which this is a part; whether it happens now or again
makes no difference here: must not import feed.
"""

from __future__ import annotations

from typing import Any, Final

from textual import on
from textual.screen import Screen
from textual.timer import Timer

from consult.clean import one_line
from consult.show.timeline import Timeline
from consult.show.words import reading_time
from consult.tui.pick import Pick
from consult.tui.sources import Column, Row
from consult.tui.tape import Tape
from consult.tui.themes import NARROW

SPEEDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
"""Times reading pace."""
_LEAST: Final = 0.05
"""Seconds between two steps, however short the words."""


class Playback(Screen[None]):
    """What is shown of a consultation is its first `upto` events."""

    def __init__(self) -> None:
        super().__init__()
        self.timeline: Timeline | None = None
        self.upto = 0
        self.over = False
        """Nothing more comes."""
        self.playing = False
        self._speed = SPEEDS.index(4.0)
        self._timer: Timer | None = None
        self._marked: int | None = None
        self._kept = ""
        """The id it was kept under just now."""

    def _draw(self) -> None:
        """Shows what there is up to here."""
        raise NotImplementedError

    def _draw_tape(self, t: Timeline) -> None:
        whole, turn = self._questions(t), t.turn(self.upto)
        words = f"{self._state(t)}  question {turn} of {whole}{'' if self.over else ' at most'}"
        note = f"event {self.upto} of {len(t)}" if self.over else ""
        note += f"  kept as {self._kept}" if self._kept and self.size.width >= NARROW else ""
        share = self.upto / max(1, len(t)) if self.over else turn / max(1, whole)
        self.query_one("#tape", Tape).set(words, share, note)

    def _questions(self, t: Timeline) -> int:
        """How many there are; before the end, how many there may be."""
        asked = t.turn(len(t))
        return asked if self.over else t.header.limits.get("max_turns", asked)

    def _state(self, t: Timeline) -> str:
        """What is going on, in a word."""
        waiting = self.playing and not self.over and self.upto >= len(t)
        state = "… waiting" if waiting else "▶ playing" if self.playing else "■ stopped"
        return f"{state} ×{SPEEDS[self._speed]:g}"

    # The tape

    def _go(self, upto: int, *, marked: int | None = None) -> None:
        if self.timeline is None:
            return
        self.upto = min(max(0, upto), len(self.timeline))
        self._marked = marked
        self._draw()

    def _advance(self) -> None:
        """Shows the next words, and comes back when they have been read."""
        self._timer = None
        t = self.timeline
        if t is None or not self.playing:
            return
        if self.upto >= len(t):
            if self.over:
                self.playing = False
                self._draw()
            return  # `_take` goes on when more has come
        before = self.upto
        self._go(t.after(before))
        seconds = sum(map(reading_time, t.events[before : self.upto])) / SPEEDS[self._speed]
        self._timer = self.set_timer(max(seconds, _LEAST), self._advance)

    def _stop(self) -> None:
        self.playing = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def action_play(self) -> None:
        """Plays on from here, or stops; from the beginning where the end has been reached."""
        if self.playing:
            self._stop()
            self._draw()
            return
        if self.timeline is not None and self.over and self.upto >= len(self.timeline):
            self._go(0)
        self.playing = True
        self._advance()

    def action_step(self, by: int) -> None:
        """To the next words or the ones before."""
        self._stop()
        if self.timeline is not None:
            self._go(self.timeline.after(self.upto) if by > 0 else self.timeline.before(self.upto))

    def action_turn(self, by: int) -> None:
        """To the next question, answered, or the one before."""
        self._stop()
        if self.timeline is not None:
            turn = self.timeline.turn(self.upto) + by
            self._go(
                len(self.timeline) if turn > self.timeline.turn(len(self.timeline)) else self.timeline.answered(turn)
            )

    def action_rewind(self) -> None:
        """To the beginning."""
        self._stop()
        self._go(0)

    def action_wind(self) -> None:
        """To the end, or as far as it has come."""
        self._stop()
        if self.timeline is not None:
            self._go(len(self.timeline))

    def action_faster(self, by: int) -> None:
        """Faster or slower."""
        self._speed = min(max(self._speed + by, 0), len(SPEEDS) - 1)
        self._draw()

    @on(Tape.Sought)
    def _sought(self, event: Tape.Sought) -> None:
        self._stop()
        if self.timeline is not None:
            t = self.timeline
            self._go(round(event.share * len(t)) if self.over else t.answered(round(event.share * self._questions(t))))

    # Places

    def action_flag(self, by: int) -> None:
        """To the next flag, or the one before."""
        if self.timeline is None:
            return
        round_again = by > 0 and self.upto >= len(self.timeline)  # from the end, the first one is the next
        here = self._marked if self._marked is not None else -1 if round_again else self.upto
        flags = [m for m in self.timeline.marks() if m.flag]
        found = [m for m in flags if m.seq > here] if by > 0 else [m for m in reversed(flags) if m.seq < here]
        if not found:
            self.app.notify("no flag further on" if flags else "nothing is flagged here", timeout=3)
            return
        self._jump(found[0].seq, found[0].words)

    def _jump(self, seq: int, words: str) -> None:
        self._stop()
        if self.timeline is not None:
            self._go(max(seq + 1, self.timeline.after(seq)), marked=seq)
            turn = self.timeline.events[seq].turn
            self.app.notify(f"{words} ({f'question {turn}' if turn else 'the opening'})", markup=False, timeout=4)

    def action_evidence(self) -> None:
        """A list of flags and of what scores rest on, to jump to."""
        if self.timeline is None:
            return
        marks = self.timeline.marks()
        rows = [
            Row(str(m.seq), ("✗ flag" if m.flag else "score", _named(m.words), m.turn or "opening", self._words_at(m.seq)),
                f"{m.words} {_named(m.words)} {'flag' if m.flag else 'score'}".casefold())
            for m in marks
        ]  # fmt: skip
        columns = (
            Column("kind", 6),
            Column("what", 26, grows=True),
            Column("question", 8, right=True),
            Column("what was said there", 18, grows=True, spare=1),
        )
        pick = Pick("Jump to a flag or to a score's evidence", columns, rows, empty="Nothing to jump to.")
        self.app.push_screen(pick, lambda row: self._jump(int(row.key), str(row.cells[1])) if row else None)

    def _words_at(self, seq: int) -> str:
        event: Any = self.timeline.events[seq] if self.timeline is not None else None
        words = getattr(event, "text", "") or getattr(event, "explanation", "") or getattr(event, "type", "")
        return one_line(str(words), limit=120)


def _named(score: str) -> str:
    """`inquiry: must ask` for `inquiry.must_ask`."""
    return score.replace(".", ": ", 1).replace("_", " ")
