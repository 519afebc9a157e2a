"""SQLite files in WAL mode, so that they can be read while somebody writes. Imports nothing of consult."""

from __future__ import annotations

import sqlite3
from time import monotonic, sleep
from typing import Final

_PAUSE: Final = 0.01


def in_wal(conn: sqlite3.Connection, patience: float) -> None:
    """Brings the file into WAL mode; waits up to `patience` seconds for others that do the same.

    SQLite asks no busy handler where two change the mode of a new file at once: the second is told at once that it is
    locked, whatever the connection's time-out. Raises sqlite3.Error.
    """
    deadline = monotonic() + patience
    while True:
        try:
            conn.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= deadline:
                raise
            sleep(_PAUSE)
        else:
            return
