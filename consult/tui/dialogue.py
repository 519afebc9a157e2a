"""The dialogue: a window on what `consult.show` prints, laid out a little at a time, so that it never holds up a key.

Owns which lines are on the screen. What an event looks like, and that no text in it is markup, is `consult.show`'s.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, ClassVar, Final

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from consult.show import EventPrinter, Level, Lines
from consult.show.names import Names
from consult.show.paint import LEAST_WIDTH
from consult.show.timeline import Timeline

AT_ONCE: Final = 0.02
"""Seconds of laying out between two looks at the keyboard."""


class Dialogue(ScrollView, can_focus=True, inherit_bindings=False):
    """The first so many events of a timeline, as far as they are part of the talk, or all that goes on."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"dialogue--marked"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._timeline: Timeline | None = None
        self._names = Names()
        self._level = Level.TALK
        self._upto = 0
        self._over = False
        self._problem = ""
        self._trouble: list[Text] = []
        """The problem in lines; they stand below all else."""
        self._marked: int | None = None
        self._width = 0
        self._begin()

    def watch_over(self, timeline: Timeline, names: Names) -> None:
        """Shows another consultation, none of it yet."""
        self._timeline, self._names = timeline, names
        self._again()

    def show(self, upto: int, *, over: bool, marked: int | None = None, problem: str = "") -> None:
        """The first `upto` events; `over`: nothing comes after the last one, and the score card may stand there.

        `marked`: the `seq` of an event to be seen and set off. The view follows the end unless somebody has scrolled up.
        """
        follow = self.scroll_offset.y >= self.max_scroll_y - 1 or upto != self._upto
        self._upto, self._over, self._marked, self._problem = upto, over, marked, problem
        self._lay_out(follow=follow)

    def level(self, level: Level) -> None:
        """How much is shown."""
        if level is not self._level:
            self._level = level
            self._again()

    @property
    def shown_level(self) -> Level:
        """How much is shown now."""
        return self._level

    @property
    def text(self) -> str:
        """The lines that stand here, whether on the screen or not."""
        return "\n".join(line.plain for line in self._lines.lines[: self._height])

    @property
    def settled(self) -> bool:
        """Whether all that is to be shown has been laid out."""
        return self._timeline is None or (len(self._ends) >= self._wanted and (self._finished or not self._at_end))

    def _begin(self) -> None:
        self._lines = Lines(max(LEAST_WIDTH, self._width))
        self._ends: list[int] = []
        self._start = 0
        self._finished = False
        self._printer: EventPrinter | None = None

    def _again(self) -> None:
        self._begin()
        self._lay_out(follow=True)

    @property
    def _at_end(self) -> bool:
        return self._timeline is not None and self._over and self._upto >= len(self._timeline)

    @property
    def _wanted(self) -> int:
        return min(self._upto, len(self._timeline)) if self._timeline is not None else 0

    @property
    def _height(self) -> int:
        if self._at_end and self._finished:
            return len(self._lines.lines)
        n = min(self._wanted, len(self._ends))
        return self._ends[n - 1] if n else self._start

    def _lay_out(self, *, follow: bool) -> None:
        """Prints what is missing, for a moment; what is left, a moment later."""
        if self._width <= 0:
            return
        words = Text(f"✗ {self._problem}" if self._problem else "", style="bold red")
        self._trouble = words.wrap(self.app.console, self._width)[:] if words else []
        if self._timeline is None:
            self.refresh()
            return
        if self._printer is None:
            self._printer = EventPrinter(self._lines, self._timeline.header, self._names, level=self._level)
            self._printer.start()
            self._start = len(self._lines.lines)
        until = perf_counter() + AT_ONCE
        while len(self._ends) < self._wanted and perf_counter() < until:
            self._printer.event(self._timeline.events[len(self._ends)])
            self._ends.append(len(self._lines.lines))
        if len(self._ends) < self._wanted:
            self.set_timer(0.001, lambda: self._lay_out(follow=follow))
        elif self._at_end and not self._finished:
            self._printer.finish()
            self._finished = True
        self.virtual_size = Size(self.size.width, self._height + (1 + len(self._trouble) if self._trouble else 0))
        if follow:
            self._follow()
        self.refresh()

    def _follow(self) -> None:
        y = self.max_scroll_y
        if self._marked is not None and self._marked < len(self._ends):
            first = self._ends[self._marked - 1] if self._marked else self._start
            y = min(y, max(0, first - self.size.height // 3))
        self.scroll_to(y=y, animate=False, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        """Lines are broken anew at another width."""
        width = self.scrollable_content_region.width - 1
        if width > 0 and width != self._width:
            self._width = width
            self._again()

    def _is_marked(self, n: int) -> bool:
        m = self._marked
        if m is None or m >= len(self._ends):
            return False
        return (self._ends[m - 1] if m else self._start) <= n < self._ends[m]

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        n = self.scroll_offset.y + y
        width, style = self.size.width, self.rich_style
        if n < self._height:
            line = self._lines.lines[n]
            if self._is_marked(n):
                style = self.get_component_rich_style("dialogue--marked")
        elif 0 < n - self._height <= len(self._trouble):
            line = self._trouble[n - self._height - 1]
        else:
            return Strip([Segment(" " * width, style)], width)
        strip = Strip(list(line.render(self.app.console)))
        return strip.adjust_cell_length(width, style).apply_style(style)
