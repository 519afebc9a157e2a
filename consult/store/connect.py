"""Opening the results database, and its errors in plain words.

Owns connections and the one place where an sqlite3 error becomes a StoreError. Knows nothing of rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from consult.clean import one_line
from consult.errors import StoreError
from consult.store.migrations import MIGRATIONS, applied, migrate
from consult.wal import in_wal

_BACKUP: Final = "restore a backup, or give another --db"
_MENDS: Final = (
    ("not a database", "is no SQLite database", "give another file to --db"),
    ("locked", "is locked by another program", "wait until it has finished, or give another --db"),
    ("readonly", "cannot be written", "check the permissions of the file and its folder, or give another --db"),
    ("unable to open", "cannot be opened", "check the permissions of the file and its folder, or give another --db"),
    ("full", "the disk is full", "make room, then run the same command again"),
    ("malformed", "is damaged", _BACKUP),
    ("decode", "is damaged", _BACKUP),
    ("no such module", "needs an SQLite with FTS5, which this Python does not have", "use another build of Python"),
    ("no such", "is damaged, or another program changed its tables", _BACKUP),
    ("disk I/O", "cannot be read or written: the disk failed or is full", "check the disk, or give another --db"),
)


def to_write(path: Path, timeout: float) -> sqlite3.Connection:
    """The database, made if it is not there and brought up to date. Raises StoreError."""
    _check_no_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        problem = f"its folder cannot be made: {e.strerror or e}"
        raise StoreError(f"{path}: {problem} (mend: give another --db)") from None
    conn = _connect(path, "rwc", timeout)
    with _closing_on_error(path, conn):
        applied(conn)  # before the first change: another program's file is left as it is
        in_wal(conn, timeout)
        conn.execute("pragma foreign_keys = on")
        migrate(conn)
    return conn


def to_read(path: Path, timeout: float) -> sqlite3.Connection:
    """The database for reading only; an older one is brought up to date first. Raises StoreError."""
    _check_no_folder(path)
    if not path.is_file():
        raise StoreError(f"{path}: is not there (mend: `consult run` makes it, or give another --db)")
    # a file in WAL mode, in a folder where nothing may be written, opens only as immutable; not while a log holds more
    modes = ("ro",) if _log_size(path) else ("ro", "ro&immutable=1")
    for mode in modes:
        conn = _connect(path, mode, timeout)
        try:
            with _closing_on_error(path, conn):
                current = applied(conn) == MIGRATIONS[-1].number
        except StoreError as e:
            if mode != modes[-1] and any(sign in str(e) for sign in ("cannot be opened", "cannot be written")):
                continue
            raise
        if current:
            return conn
        conn.close()
        break
    return to_write(path, timeout)


def _log_size(path: Path) -> int:
    try:
        return Path(f"{path}-wal").stat().st_size
    except OSError:
        return 0


def _check_no_folder(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"{path}: is a folder (mend: give a file to --db)")


def _connect(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    with guarded(path):
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        conn = sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)
    conn.row_factory = sqlite3.Row
    return conn


@contextmanager
def _closing_on_error(path: Path, conn: sqlite3.Connection) -> Iterator[None]:
    try:
        with guarded(path):
            yield
    except BaseException:
        conn.close()
        raise


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns what SQLite raises inside into a StoreError of one line that names the file."""
    try:
        yield
    except sqlite3.Error as e:
        raise _explained(path, str(e)) from None
    except json.JSONDecodeError:
        raise StoreError(f"{path}: is damaged (mend: {_BACKUP})") from None
    except StoreError as e:
        text = str(e)
        raise e if text.startswith(f"{path}: ") else StoreError(f"{path}: {text}") from None


def _explained(path: Path, text: str) -> StoreError:
    for sign, problem, mend in _MENDS:
        if sign in text:
            return StoreError(f"{path}: {problem} (mend: {mend})")
    return StoreError(f"{path}: {one_line(text)} (mend: {_BACKUP})")
