"""A list of any length: only the rows on the screen are drawn. Filter, search and sort; keys and mouse.

Owns how a row looks and which rows are left; what stands in them comes from `consult.tui.sources`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from consult.clean import one_line
from consult.tui.sources import Column, Row

_GAP = 2


class Listing(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows in columns. Posts `Chosen` when one is opened and `Moved` when the mark is on another one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"listing--head", "listing--cursor", "listing--odd", "listing--empty"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "move(-1000000000)", "First", show=False),
        Binding("end,G", "move(1000000000)", "Last", show=False),
        Binding("enter", "choose", "Open"),
    ]
    cursor = reactive(0)

    class Chosen(Message):
        """A row was opened."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    class Moved(Message):
        """The mark is on another row, or on none."""

        def __init__(self, row: Row | None) -> None:
            super().__init__()
            self.row = row

    class Headed(Message):
        """The head of a column was clicked."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._columns: Sequence[Column] = ()
        self._rows: Sequence[Row] = ()
        self.rows: list[Row] = []
        """The rows that are left."""
        self.empty = ""
        """What is said where there are none."""
        self._sorted: tuple[int, bool] | None = None
        self._places: list[tuple[int, int, int]] = []
        self._said: list[str] = []

    def fill(self, columns: Sequence[Column], rows: Sequence[Row], *, empty: str) -> None:
        """Other columns and rows; the mark goes to the first row."""
        self._columns, self._rows, self.empty, self._sorted = columns, rows, empty, None
        self.narrow("", ())

    def narrow(self, words: str, tests: Sequence[Callable[[Row], bool]]) -> None:
        """Leaves the rows that hold every word and pass every test, in the order they are sorted in."""
        wanted = words.casefold().split()
        self.rows = [
            row for row in self._rows if all(w in row.sought for w in wanted) and all(test(row) for test in tests)
        ]
        if self._sorted is not None:
            self._sort(*self._sorted)
        self._changed()

    def sort_by(self, column: int, *, down: bool) -> None:
        """Sorts by a column; what is missing stands last."""
        self._sorted = (column, down)
        self._sort(column, down)
        self._changed()

    def _sort(self, column: int, down: bool) -> None:
        here = [row for row in self.rows if row.cells[column] is not None]
        missing = [row for row in self.rows if row.cells[column] is None]
        self.rows = sorted(here, key=lambda row: _order(row.cells[column]), reverse=down) + missing

    def _changed(self) -> None:
        self.cursor = 0
        self._lay_out()
        self.scroll_to(y=0, animate=False, immediate=True)
        self.post_message(self.Moved(self.row))

    @property
    def row(self) -> Row | None:
        """The row under the mark."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def _lay_out(self) -> None:
        width = max(20, self.size.width - 2)
        self._places = _places(self._columns, width)
        said = "" if self.rows else "Nothing fits." if self._rows else one_line(self.empty)
        self._said = [line.plain for line in Text(said).wrap(self.app.console, max(10, width - 2))] if said else []
        self.virtual_size = Size(self.size.width, len(self.rows) + 1)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Columns are left out or grow with the room; the marked row is kept in sight."""
        self._lay_out()
        self._follow()

    def render_line(self, y: int) -> Strip:
        """The head stands still above the rows."""
        width = self.size.width
        if y == 0:
            return self._strip(
                [c.title for c in self._columns], self.get_component_rich_style("listing--head"), " ", width
            )
        n = self.scroll_offset.y + y - 1
        if n >= len(self.rows):
            style = self.get_component_rich_style("listing--empty")
            words = f"  {self._said[n]}" if n < len(self._said) else ""
            return Strip([Segment(words, style)]).adjust_cell_length(width, style)
        here = n == self.cursor
        name = "listing--cursor" if here else "listing--odd" if n % 2 else ""
        style = self.get_component_rich_style(name) if name else self.rich_style
        return self._strip(self.rows[n].cells, style, "▸" if here else " ", width)

    def _strip(self, cells: Sequence[Any], style: Style, mark: str, width: int) -> Strip:
        line = Text(mark, end="", no_wrap=True)
        for index, start, wide in self._places:
            text = Text(shown(cells[index]))
            text.truncate(wide, overflow="ellipsis")
            before = start - line.cell_len + (wide - text.cell_len if self._columns[index].right else 0)
            line.append(" " * before).append_text(text)
        segments = [Segment(line.plain, style)]
        return Strip(segments).adjust_cell_length(width, style)

    def watch_cursor(self, old: int, new: int) -> None:
        """The marked row is kept in sight."""
        self._follow()
        self.refresh()
        if self.is_mounted:
            self.post_message(self.Moved(self.row))

    def _follow(self) -> None:
        """Brings the marked row into sight, by force: a scrollbar that is not laid out yet forbids to scroll."""
        top, room = self.scroll_offset.y, max(1, self.size.height - 1)
        if not top <= self.cursor < top + room:
            y = self.cursor if self.cursor < top else self.cursor - room + 1
            self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def mark(self, key: str) -> None:
        """Puts the mark on the row of this key, if it is there."""
        self.cursor = next((n for n, row in enumerate(self.rows) if row.key == key), self.cursor)

    def action_move(self, by: int) -> None:
        """Up or down."""
        self.cursor = min(max(self.cursor + by, 0), max(0, len(self.rows) - 1))

    def action_page(self, by: int) -> None:
        """A screenful up or down."""
        self.action_move(by * max(1, self.size.height - 2))

    def action_choose(self) -> None:
        """Opens the marked row."""
        if self.row is not None:
            self.post_message(self.Chosen(self.row))

    def on_click(self, event: events.Click) -> None:
        """A click marks a row, a second one opens it; a click on the head sorts."""
        if event.y == 0:
            for index, start, wide in self._places:
                if start <= event.x < start + wide + _GAP:
                    self.post_message(self.Headed(index))
            return
        n = self.scroll_offset.y + event.y - 1
        if n < len(self.rows):
            again = n == self.cursor and event.chain > 1
            self.cursor = n
            if again:
                self.action_choose()


def shown(value: Any) -> str:
    """A value as it stands in a list."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return one_line(str(value), limit=200)


def _order(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _places(columns: Sequence[Column], width: int) -> list[tuple[int, int, int]]:
    """Which columns fit: (number, where it begins, how wide it is); the most dispensable are left out first."""
    here = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[n].width + _GAP for n in here)

    while len(here) > 1 and needed() > width:
        dispensable = max(here, key=lambda n: (columns[n].spare, n))
        here.remove(dispensable)
    growing = [n for n in here if columns[n].grows]
    left = max(0, width - needed())
    out, at = [], 2
    for n in here:
        wide = columns[n].width
        if n in growing:
            wide += left // len(growing) + (left % len(growing) if n == growing[0] else 0)
        wide = min(wide, max(1, width - at))
        out.append((n, at, wide))
        at += wide + _GAP
    return out
