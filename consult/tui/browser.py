"""The application behind a page of `consult serve`: the same one, with a server where the terminal would be.

It must end when that server does, however that ended and whatever the application is doing: an orphan at full load has
been seen.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Final

from textual import messages
from textual.drivers.web_driver import WebDriver

from consult.tui.app import ConsultApp

GRACE: Final = 3.0
"""Seconds to leave in order once the server is gone."""


class Browser(WebDriver):
    """Textual's driver for a server, which would go on for ever when its input has ended."""

    def run_input_thread(self) -> None:
        """Reads until the input ends, or the application closes; then it leaves in order, if it can."""
        super().run_input_thread()
        threading.Thread(target=_end_with_the_server, name="end", daemon=True).start()
        with suppress(RuntimeError):  # it has left already
            self._loop.call_soon_threadsafe(self._app.post_message, messages.ExitApp())


def _end_with_the_server() -> None:
    """Ends the process when nobody can write to it any more, also where the application is stuck."""
    while os.read(0, 1024):
        pass
    sleep(GRACE)
    os._exit(1)


def main() -> None:
    """The process of one page; its argument is the results database."""
    ConsultApp(Path(sys.argv[1])).run()
