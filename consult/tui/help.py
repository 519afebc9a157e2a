"""The keys: the footer, and the help of a screen: its own words, and all its keys.

Made from the bindings, so that it cannot be out of date.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static
from textual.widgets._footer import FooterKey  # Textual exports it nowhere, and a footer is made of them

_HELP: Final = ("app.help", "help")
_AROUND: Final = 3
"""Columns around a key and its words; the palette's, apart from the others, takes two more."""


class Keys(Footer):
    """The footer: as many keys as there is room for, whole ones, and always the one for help, which tells the others."""

    _fits = 0
    """The width that its keys were chosen for."""

    def compose(self) -> ComposeResult:
        """Keys in their order, help last; one that is too long is passed over."""
        self._fits = left = self.app.size.width
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        chosen: list[FooterKey] = []
        for key in sorted(keys, key=lambda key: key.action not in _HELP):
            wide = len(key.key_display) + len(key.description) + _AROUND + 2 * key.has_class("-command-palette")
            if wide <= left:
                left -= wide
                chosen.append(key)
        yield from (*chosen[1:], *chosen[:1])

    _shown: object = None
    """The keys as they were drawn last."""

    def on_resize(self) -> None:
        """Other keys have room."""
        if self._fits not in (0, self.app.size.width):
            self.call_after_refresh(self.recompose)

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Makes the keys anew only where others are to be seen: Textual tells of a change at every move."""
        keys = [(*key[1:], self.app.get_key_display(key.binding)) for key in screen.active_bindings.values()]
        if self.app.app_focus and self._shown != (now := (keys, self.show_command_palette)):
            self._shown = now
            super().bindings_changed(screen)


class HelpScreen(ModalScreen[None]):
    """What a screen is for, and every key that does something there."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1,enter", "dismiss", "Close")]

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """The words, and the keys below them."""
        with VerticalScroll(id="help") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc closes"
            words = (getattr(self._about, "HELP", "") or self._about.__doc__ or "").strip()
            parts = (" ".join(part.split()) for part in words.split("\n\n"))
            text = Text("\n\n".join(parts) + "\n")
            for n, (command, what) in enumerate(getattr(self._about, "typed_commands", {}).items()):
                text.append("" if n else "\n").append(f"{command:>14}  ", style="bold").append(f"{what}\n")
            yield Static(text, id="help-words")
            yield Static(self._keys(), id="help-keys")

    def _keys(self) -> Table:
        """In two columns: those of the footer first, then the screen's others, then those of what has the keys."""
        named: dict[str, tuple[str, str]] = {}
        active = sorted(
            self._about.active_bindings.values(), key=lambda a: (not a.binding.show, a.node is not self._about)
        )
        for b in (a.binding for a in active if a.binding.description):
            named.setdefault(b.action, (b.key_display or self.app.get_key_display(b), b.description))
        rows = list(named.values())
        half = (len(rows) + 1) // 2
        table = Table.grid(padding=(0, 1), expand=True)
        for _ in range(2):
            table.add_column(justify="right", style="bold", no_wrap=True)
            table.add_column(ratio=1)
        for left, right in zip_longest(rows[:half], rows[half:], fillvalue=("", "")):
            table.add_row(*map(Text, (*left, *right)))
        return table
