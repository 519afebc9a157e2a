"""The application: which screen is open, the themes, and loading of what is heavy behind the first paint.

Owns no list and no consultation. Must import nothing of sim, store, scenario or knowledge when it is imported: the first
screen is drawn before any of them is there.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.actions import SkipAction
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from consult.clean import one_line
from consult.tui.home import Home
from consult.tui.themes import DARK, NARROW, TERMINAL, THEMES, WIDE

if TYPE_CHECKING:
    from rich.terminal_theme import TerminalTheme

    from consult.tui.feed import Ended
    from consult.tui.table import Table

LAST_WORDS: Final = 10.0
"""Seconds that an application whose terminal is gone, or that is told to end, may take to leave (ours)."""


class ConsultApp(App[None]):
    """consult in a terminal. `db` is the results database, made when the first consultation is kept."""

    TITLE = "consult"
    CSS_PATH = "consult.tcss"
    HORIZONTAL_BREAKPOINTS = [
        (0, "-narrow"),
        (NARROW, "-normal"),
        (WIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", show=False, key_display="?"),
        Binding("ctrl+t", "next_theme", "Theme", show=False),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
        Binding("ctrl+c", "interrupt", "Quit, or copy", show=False, priority=True),  # in a box, too
        # First of all, or what is typed right behind them still goes to the field before.
        Binding("tab", "focus_next", "Next field", show=False, priority=True),
        Binding("shift+tab", "focus_previous", "Field before", show=False, priority=True),
    ]

    def __init__(self, db: Path) -> None:
        super().__init__()
        self.animation_level = "none"  # a page that slides is drawn ten times
        self.db = db
        self.tables: dict[str, Table] = {}
        """What happens now, by what was chosen; on a screen or not."""
        self._warmed = False
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = next(iter(THEMES))

    def on_mount(self) -> None:
        """A terminal that is closed ends the application, not the consultation."""
        if not self.is_headless:
            for name in ("SIGHUP", "SIGTERM"):
                if hasattr(signal, name):  # not on every system
                    number = getattr(signal, name)
                    asyncio.get_running_loop().add_signal_handler(number, self._end_by, number)
        self.call_after_refresh(gc.enable)

    def _end_by(self, number: int) -> None:
        """Leaves as by the keys; but Textual may wait for ever to write its last words to a terminal that is gone."""
        last = threading.Timer(LAST_WORDS, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        self.exit()

    @property
    def ansi_theme(self) -> TerminalTheme:
        """The terminal's colours go with the theme, in one step: Textual's own two would draw everything twice."""
        return TERMINAL.get(self.theme, TERMINAL[DARK.name])

    def get_default_screen(self) -> Screen[None]:
        """Home."""
        return Home()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: what Textual offers, and the keys of the screen by name."""
        yield from super().get_system_commands(screen)
        seen = {"app.quit"}  # it is there
        for node, binding, enabled, _ in screen.active_bindings.values():
            if enabled and node is not self and binding.description and binding.action not in seen:
                seen.add(binding.action)
                words = f"Key {binding.key_display or binding.key}"
                yield SystemCommand(binding.description, words, partial(self.run_action, binding.action, node))

    def warm(self) -> None:
        """Loads the graph behind the first paint. A daemon: who leaves at once need not wait for it."""
        if not self._warmed:
            self._warmed = True
            threading.Thread(target=_load_the_heavy, name="warm", daemon=True).start()

    def action_interrupt(self) -> None:
        """Leaves, but for a selection, which is copied."""
        if self.screen.get_selected_text() or getattr(self.focused, "selected_text", ""):
            raise SkipAction
        self.exit()

    def action_next_theme(self) -> None:
        """Dark, light, high contrast, and again."""
        names = list(THEMES)
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]
        self.notify(self.theme.removeprefix("consult-"), title="Theme", timeout=2)

    def action_help(self) -> None:
        """What the keys of this screen do."""
        from consult.tui.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def ended_behind(self, ended: Ended) -> None:
        """A consultation that nobody looked at any more is over."""
        if ended.problem:
            self.tell(ended.problem)
        if isinstance(self.screen, Home):
            self.screen.action_read_again()

    def tell(self, error: object) -> None:
        """One line about what went wrong; never markup."""
        self.notify(
            one_line(str(error), limit=400), title="That did not work", severity="error", markup=False, timeout=12
        )


def _load_the_heavy() -> None:
    for name in ("consult.tui.consultation", "consult.tui.start", "consult.sim.session"):
        import_module(name)
