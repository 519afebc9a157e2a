"""The console script: the application, where nothing else is asked for on a terminal; else the commands.

Imports no click: the application has no use for it, and it would stand between the key and the first paint.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from pathlib import Path

from consult.clean import one_line


def main() -> int:
    """`consult`, with or without words behind it."""
    atexit.register(gc.freeze)  # to look all through for garbage at the end took a fifth of a short command's time
    if len(sys.argv) > 1 or not on_a_terminal():
        from consult.cli.main import main as commands

        return commands()
    try:
        open_application()
    except (Exception, KeyboardInterrupt) as e:
        from consult.cli.main import code_of

        error = e

        def again() -> None:
            raise error

        return code_of(again)
    return 0


def somebody_sits_there() -> bool:
    """Whether keys can be pressed, and what comes of it is seen."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def on_a_terminal() -> bool:
    """Whether there is a terminal for the application; a dumb one cannot place a character."""
    return somebody_sits_there() and os.environ.get("TERM") != "dumb"


def say_what_is_passed_over() -> None:
    """Folders of CONSULT_PATH that are none."""
    for folder in os.environ.get("CONSULT_PATH", "").split(os.pathsep):
        if folder and not os.path.isdir(folder) and sys.stderr is not None:
            sys.stderr.write(one_line(f"CONSULT_PATH: {folder} is no folder; it is passed over") + "\n")


def open_application() -> None:
    """Until it is left."""
    say_what_is_passed_over()
    gc.disable()  # until the first paint, behind which the application turns it on: of what is made now, nothing is let go
    from consult.settings import DEFAULT_DB
    from consult.tui.app import ConsultApp  # textual: about 0.2 s

    ConsultApp(Path(os.environ.get("CONSULT_DB") or DEFAULT_DB)).run()
