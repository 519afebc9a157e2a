"""A new SQLite file is brought into WAL mode though somebody else has it at that moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from consult.wal import in_wal


def opened(path: Path) -> sqlite3.Connection:
    """Without a time-out: SQLite itself waits for nobody."""
    return sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)


def test_a_file_that_is_held_is_waited_for(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "a.db")) as first, closing(opened(tmp_path / "a.db")) as second:
        first.execute("begin exclusive")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            in_wal(second, 0)
        waiting = Thread(target=in_wal, args=(second, 60))
        waiting.start()
        first.execute("commit")
        waiting.join()
        assert second.execute("pragma journal_mode").fetchone() == ("wal",)


def test_what_is_no_lock_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "b.db").write_bytes(b"no database at all" * 100)
    with closing(opened(tmp_path / "b.db")) as conn, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        in_wal(conn, 60)
