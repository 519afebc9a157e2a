"""The keys: the footer, and the help of a screen: its own words, and all its keys. Made from the bindings, so that it cannot be out of date."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static

from consult.tui.themes import NARROW


class Keys(Footer):
    """The footer; where the keys need all the room, the palette's is not shown."""

    _shown: object = None
    """The keys as they were drawn last."""

    def on_resize(self) -> None:
        """Goes by the width."""
        self.show_command_palette = self.app.size.width >= NARROW

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
            yield Static(Text("\n\n".join(parts) + "\n"), id="help-words")
            yield Static(self._keys(), id="help-keys")

    def _keys(self) -> Text:
        out = Text()
        for command, what in getattr(self._about, "typed_commands", {}).items():
            out.append(f"{command:>14}  ", style="bold").append(what + "\n")
        seen: set[str] = set()
        for active in self._about.active_bindings.values():
            b = active.binding
            line = b.description or ""
            if not line or b.action in seen:
                continue
            seen.add(b.action)
            keys = b.key_display or self.app.get_key_display(b)
            out.append(f"{keys:>14}  ", style="bold").append(line + "\n")
        return out
