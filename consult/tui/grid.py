"""The cells of a batch as a grid: a row for each scenario, a sign for each cell. Only what is on the screen is drawn.

Owns how a cell looks and which one is marked; how it stands comes from `consult.batch.board`.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from consult.batch.board import Board, Mark, Place, Spot
from consult.clean import one_line

SIGNS: Final = {
    Mark.WAITING: "·",
    Mark.TAKEN: "▸",
    Mark.RIGHT: "✓",
    Mark.WRONG: "✗",
    Mark.UNJUDGED: "o",
    Mark.FAILED: "!",
}
"""A sign for each; the colour says the same again."""
_LABEL: Final = 26
"""Columns that a scenario's name takes at the most."""
_NAME: Final = 4
"""Columns that a group takes at the least, for its name."""
_HEAD: Final = ("temperament", "doctor", "right so far")
"""Lines above the rows."""


class Grid(ScrollView, can_focus=True, inherit_bindings=False):
    """Cells to walk through. Posts `Chosen` when one is opened, and `Moved` when another one is marked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--head", "grid--cursor"} | {
        f"grid--{mark.name.lower()}" for mark in Mark
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "Up", show=False),
        Binding("down,j", "move(1, 0)", "Down", show=False),
        Binding("left,h", "move(0, -1)", "Left", show=False),
        Binding("right,l", "move(0, 1)", "Right", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "corner(0)", "First", show=False),
        Binding("end", "corner(-1)", "Last", show=False),
        Binding("enter", "choose", "Open"),
    ]

    class Chosen(Message):
        """A cell was opened."""

        def __init__(self, spot: Spot) -> None:
            super().__init__()
            self.spot = spot

    class Moved(Message):
        """Another cell is marked."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.board = Board()
        self.row = self.column = 0
        self._wide = 1
        """Columns of a cell."""
        self._group = _NAME + 1
        """Columns of a group, with the gap behind it; of a scenario's name below."""
        self._label = 0

    def show(self, board: Board) -> None:
        """Another look at the cells; the mark stays where it is."""
        self.board = board
        self._lay_out()

    @property
    def place(self) -> Place | None:
        """The marked cell."""
        return self.board.place(self.row, self.column) if self._rows and self._columns else None

    @property
    def spot(self) -> Spot:
        """What is known of the marked cell."""
        here = self.place
        return self._at(here) if here is not None else Spot(Mark.WAITING)

    def _at(self, place: Place) -> Spot:
        return self.board.spots.get(place) or Spot(Mark.WAITING)

    @property
    def _rows(self) -> int:
        return len(self.board.scenarios)

    @property
    def _columns(self) -> int:
        return len(self.board.groups) * self.board.epochs

    def _start(self, column: int) -> int:
        """Where a column begins, from the first one on."""
        group, epoch = divmod(column, self.board.epochs)
        return group * self._group + epoch * self._wide

    def _lay_out(self) -> None:
        """Where there is room, cells are wide and the names of groups are whole."""
        groups, epochs = len(self.board.groups), self.board.epochs
        self._label = min(_LABEL, max((len(name) for name in self.board.scenarios), default=0)) + 2
        room = (self.size.width - self._label - 1) // max(1, groups) - 1
        self._wide = 2 if epochs * 2 <= room else 1
        longest = max((len(name) for group in self.board.groups for name in group), default=0)
        self._group = max(epochs * self._wide, min(longest, room), _NAME) + 1
        width = self._label + groups * self._group
        size = Size(max(width, self.size.width - 1), self._rows + len(_HEAD))
        if size != self.virtual_size:
            self.virtual_size = size
            self.call_after_refresh(self._follow)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Cells are wide where there is room; the marked one is kept in sight."""
        self._lay_out()
        self.call_after_refresh(self._follow)

    def render_line(self, y: int) -> Strip:
        """The names of groups stand still above the rows, those of scenarios before them."""
        width, plain = self.size.width, self.rich_style
        if y < len(_HEAD):
            parts = self._head(y)
        elif (row := self.scroll_offset.y + y - len(_HEAD)) < self._rows:
            parts = self._cells(row)
        else:
            return Strip.blank(width, plain)
        line = Strip(parts).crop(self.scroll_offset.x, self.scroll_offset.x + max(0, width - self._label))
        name = self.board.scenarios[row] if y >= len(_HEAD) else _HEAD[y]
        label = _cut(one_line(name), self._label - 2)
        style = self.get_component_rich_style("grid--head") if y < len(_HEAD) or row == self.row else plain
        return Strip([Segment(f" {label} ", style), *line]).adjust_cell_length(width, plain)

    def _head(self, y: int) -> list[Segment]:
        """Names stand once above the groups that share them; below, the share of right diagnoses of each."""
        style, board = self.get_component_rich_style("grid--head"), self.board
        if y == len(_HEAD) - 1:
            shares = ("–" if share is None else f"{share:.0%}" for share in board.shares.values())
            return [Segment(share.ljust(self._group), style) for share in shares]
        runs = ((one_line(name), len(list(same))) for name, same in groupby(group[y] for group in board.groups))
        return [Segment(_cut(name, n * self._group - 1) + " ", style) for name, n in runs]

    def _cells(self, row: int) -> list[Segment]:
        """Signs; those in a run that look alike are one piece, for a screen has thousands of them."""
        plain, cursor = self.rich_style, self.get_component_rich_style("grid--cursor")
        styles = {mark: self.get_component_rich_style(f"grid--{mark.name.lower()}") for mark in Mark}
        board, pieces = self.board, [("", plain)]
        blank = " " if not board.planned else SIGNS[Mark.WAITING]
        at = 0
        for column in range(*self._seen()):
            spot = board.spots.get(board.place(row, column))
            sign, style = (SIGNS[spot.mark], styles[spot.mark]) if spot else (blank, styles[Mark.WAITING])
            start = self._start(column)
            before, last = pieces[-1]
            pieces[-1] = before + " " * (start - at), last
            if (row, column) == (self.row, self.column):
                pieces += [(sign, style + cursor), ("", plain)]
            elif style is last:
                pieces[-1] = pieces[-1][0] + sign, style
            else:
                pieces.append((sign, style))
            at = start + 1
        return [Segment(text, style) for text, style in pieces if text]

    def _seen(self) -> tuple[int, int]:
        """The first column that is in sight, and the one behind the last."""
        left = self.scroll_offset.x
        right = left + max(0, self.size.width - self._label)
        first = left // self._group * self.board.epochs
        return first, min(self._columns, (right // self._group + 1) * self.board.epochs)

    def mark(self, row: int, column: int) -> None:
        """Marks a cell and brings it into sight."""
        old, before = self.row, self.scroll_offset
        self.row = min(max(row, 0), max(0, self._rows - 1))
        self.column = min(max(column, 0), max(0, self._columns - 1))
        self._follow()
        if self.scroll_offset == before:
            for line in {old, self.row}:
                self.refresh_line(line + len(_HEAD))
        else:
            self.refresh()
        self.post_message(self.Moved())

    def _follow(self) -> None:
        """Brings the marked cell into sight, by force: scrollbars that are not laid out yet forbid to scroll."""
        x, y = self.scroll_offset
        room, wide = max(1, self.size.height - len(_HEAD) - 1), max(1, self.size.width - self._label - 2)
        start = self._start(self.column)
        x = start if start < x else max(x, start + self._wide - wide)
        y = self.row if self.row < y else max(y, self.row - room + 1)
        self.scroll_to(x, y, animate=False, immediate=True, force=True)

    def seek(self, *marks: Mark) -> bool:
        """Goes to the next cell that stands so, round and round; whether there is one."""
        wanted = {place for place, spot in self.board.spots.items() if spot.mark in marks}
        total = self._rows * self._columns
        here = self.row * self._columns + self.column
        for step in range(1, total + 1 if wanted else 0):
            row, column = divmod((here + step) % total, self._columns)
            if self.board.place(row, column) in wanted:
                self.mark(row, column)
                return True
        return False

    def action_move(self, rows: int, columns: int) -> None:
        """Up, down, left, right."""
        self.mark(self.row + rows, self.column + columns)

    def action_page(self, by: int) -> None:
        """A screenful up or down."""
        self.mark(self.row + by * max(1, self.size.height - len(_HEAD) - 1), self.column)

    def action_corner(self, which: int) -> None:
        """The first or the last cell."""
        self.mark(which % self._rows if self._rows else 0, which % self._columns if self._columns else 0)

    def action_choose(self) -> None:
        """Opens the marked cell."""
        self.post_message(self.Chosen(self.spot))

    def on_click(self, event: events.Click) -> None:
        """A click marks a cell, a second one opens it."""
        row = self.scroll_offset.y + event.y - len(_HEAD)
        group, within = divmod(self.scroll_offset.x + event.x - self._label, self._group)
        column = group * self.board.epochs + min(within // self._wide, self.board.epochs - 1)
        if event.y >= len(_HEAD) and event.x >= self._label and row < self._rows and column < self._columns:
            again = (row, column) == (self.row, self.column) and event.chain > 1
            self.mark(row, column)
            if again:
                self.action_choose()


def _cut(name: str, wide: int) -> str:
    """A name in so many columns; one that is longer says so."""
    return (name if len(name) <= wide else f"{name[: wide - 1]}…").ljust(wide)
