"""The line that says where in a consultation one is, how fast it plays, and lets the mouse go anywhere in it."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from consult.show.paint import Signs


class Tape(Widget):
    """`▶ playing ×4  question 3 of 14  ███░░░  event 42 of 174`. Posts `Sought` when it is clicked."""

    class Sought(Message):
        """A place on it was clicked, as a share of the whole."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.words = ""
        self.share = 0.0
        self.note = ""

    def set(self, words: str, share: float, note: str) -> None:
        """What it says: before the bar, the bar, behind it."""
        self.words, self.share, self.note = words, share, note
        self.refresh()

    @property
    def _bar(self) -> tuple[int, int]:
        start = len(self.words) + 2
        return start, max(4, self.size.width - start - len(self.note) - 2)

    def render(self) -> Text:
        """The line."""
        _, wide = self._bar
        line = Text(f"{self.words}  ", no_wrap=True, overflow="ellipsis")
        return line.append(Signs().bar(self.share, wide), style="blue").append(f"  {self.note}", style="dim")

    def on_click(self, event: events.Click) -> None:
        """Goes there."""
        start, wide = self._bar
        if start <= event.x < start + wide:
            self.post_message(self.Sought((event.x - start + 1) / wide))
