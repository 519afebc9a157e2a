"""Words on the terminal while a model is still writing them, and gone when what was written is printed as an event."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from types import TracebackType


class Ticker:
    """Call it with words as they come (None: they are void); `stop` takes them off the screen. Any thread may."""

    def __init__(self, console: Console, who: str) -> None:
        self._console = console
        self._who = who
        self._text = ""
        self._live: Live | None = None
        self._lock = Lock()

    def __call__(self, words: str | None) -> None:
        """Show more words."""
        with self._lock:
            self._text = self._text + words if words is not None else ""
            if self._live is None:
                self._live = Live(console=self._console, transient=True, auto_refresh=False)
                self._live.start()
            self._live.update(Text(f"{self._who}: {self._text} …", style="dim"), refresh=True)

    def stop(self) -> None:
        """Nothing is shown any more."""
        with self._lock:
            live, self._live, self._text = self._live, None, ""
            if live is not None:
                live.stop()

    def __enter__(self) -> Ticker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
