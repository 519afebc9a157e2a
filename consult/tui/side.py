"""The panels' column: where it scrolls, how its lines are broken, and which keys it leaves to the screen.

What stands in it is the screen's.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from rich.console import Console
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

_SIGN: Final = re.compile(r" ?[^\w\s(“]+ ")
"""What a line begins with that others below it begin with, too."""


def hung(text: Text, width: int, console: Console) -> Text:
    """Lines broken at a width; what goes on below stands behind the sign, so that signs stand by themselves."""
    out: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        sign = _SIGN.match(line.plain)
        parts = line.wrap(console, width)
        out.append(parts[0] if parts else line)
        if len(parts) > 1:
            margin = Text(" " * (sign.end() if sign else 0))
            rest = line[len(parts[0]) :]
            rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
            out += [margin + part for part in rest.wrap(console, width - len(margin))]
    return Text("\n").join(out)


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
