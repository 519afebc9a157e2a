"""Picking one row of a list in a box: a place to jump to, a consultation to set beside. Search and Enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from consult.tui.listing import Listing
from consult.tui.sources import Column, Row


class Pick(ModalScreen[Row | None]):
    """A list in a box: type to search, Enter takes the marked row."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("down", "to_list", "To the list", show=False),
    ]

    def __init__(self, title: str, columns: Sequence[Column], rows: Sequence[Row], *, empty: str) -> None:
        super().__init__()
        self._title, self._columns, self._rows, self._empty = title, columns, rows, empty

    def compose(self) -> ComposeResult:
        """A search above a list."""
        with Vertical(id="pick") as box:
            box.border_title = self._title
            box.border_subtitle = "type to search · Enter takes · Esc back"
            yield Input(placeholder="search", compact=True)
            yield Listing()

    def on_mount(self) -> None:
        """Everything is there at first."""
        self.query_one(Listing).fill(self._columns, self._rows, empty=self._empty)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one(Listing).narrow(event.value, ())

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one(Listing).action_choose()

    def action_to_list(self) -> None:
        """From the search into the list."""
        self.query_one(Listing).focus()
        self.query_one(Listing).action_move(1)

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        event.stop()
        self.dismiss(event.row)

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        event.stop()
