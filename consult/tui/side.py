"""The panels' column: where it scrolls, and which keys it leaves to the screen. What stands in it is the screen's."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message


class Side(VerticalScroll, can_focus=True, inherit_bindings=False):
    """The panels; leaves the arrow keys that step to the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    class Seen(Message):
        """The panels have come into sight."""

    def on_show(self) -> None:
        """What is out of sight is not drawn."""
        self.post_message(self.Seen())
