"""Another consultation beside the one on the screen, kept in step with it question by question.

Owns which one it is and how it is picked; must not know the screen it stands on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text
from textual import work
from textual.message import Message

from consult.clean import one_line
from consult.errors import ConsultError
from consult.players import DOCTOR
from consult.show.timeline import Timeline
from consult.tui.dialogue import Dialogue
from consult.tui.feed import Kept, Opened
from consult.tui.pick import Pick
from consult.tui.sources import LEFT, Column, Row, consultations

if TYPE_CHECKING:
    from consult.events import Header
    from consult.tui.app import ConsultApp

_COLUMNS: Final = (
    Column("scenario", 22, grows=True), Column("persona", 12), Column("doctor", 12), Column("diagnosis", 12, spare=1),
)  # fmt: skip


def who(h: Header) -> str:
    """What tells a consultation from another one, first what does so among those of the same case."""
    return one_line(f"{h.persona} · {h.agents.get(DOCTOR, '?')} · {h.scenario}", limit=120)


class Beside(Dialogue):
    """A second dialogue. Posts `Changed` when there is another one, or none any more."""

    app: ConsultApp

    class Changed(Message):
        """Another consultation is there, or none."""

        def __init__(self, *, there: bool) -> None:
            super().__init__()
            self.there = there

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.shown: Timeline | None = None
        self.display = False

    def keep_step(self, turn: int, *, at_end: bool) -> None:
        """Shows as many questions as there are on the other side; all of it where the other is at its end."""
        if self.shown is not None:
            self.show(len(self.shown) if at_end else self.shown.start_of(turn + 1), over=True)

    def clear(self) -> None:
        """Takes it away."""
        self.shown, self.display = None, False
        self.post_message(self.Changed(there=False))

    def choose(self, db: Path, scenario: str, this: str) -> None:
        """Lets a person pick one other than `this`; those of the same case come first."""
        self._read(db, scenario, this)

    @work(thread=True, group="beside")
    def _read(self, db: Path, scenario: str, this: str) -> None:
        try:
            rows = [row for row in consultations(db).rows if row.key != this and not row.key.startswith(LEFT)]
        except ConsultError as e:
            self.app.call_from_thread(self.app.tell, e)
            return
        rows.sort(key=lambda row: row.cells[0] != scenario)
        self.app.call_from_thread(self._pick, rows)

    def _pick(self, rows: list[Row]) -> None:
        self.app.push_screen(Pick("Set beside", _COLUMNS, rows, empty="Nothing else is kept."), self._picked)

    def _picked(self, row: Row | None) -> None:
        if row is not None:
            self._load(row.key)

    @work(thread=True, group="beside")
    def _load(self, key: str) -> None:
        found: list[Any] = []
        Kept.of(self.app.db, key).run(found.append)
        self.app.call_from_thread(self._set, found)

    def _set(self, found: list[Any]) -> None:
        if not isinstance(found[0], Opened):
            self.app.tell(found[0].problem)
            return
        self.shown, self.display = Timeline(found[0].header, found[1]), True
        self.border_title = Text(f" {who(found[0].header)} ")
        self.watch_over(self.shown, found[0].scene.names)
        self.post_message(self.Changed(there=True))
