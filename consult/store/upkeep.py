"""Keeping a database: a copy of it while others write, and giving back room that nothing needs.

What is garbage: a consultation that failed around the doctor inside a run, and whose cell has since been played again.
Everything else stays: single consultations, forks and what they were forked from, results of content that changed, and
scores of every version.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from consult.errors import DataError, UsageError
from consult.events import StopReason
from consult.store.connect import guarded
from consult.store.packed import searchable, unpacked

UNFINISHED = tuple(str(r) for r in StopReason if not r.clinical)
"""Ends that say nothing about the doctor: the same command plays such a cell again."""


def backup(db: sqlite3.Connection, to: Path) -> int:
    """A copy in one file, as the database is at this moment, without what it has no use for; bytes.

    Written whole or not at all. Raises UsageError, StoreError.
    """
    if to.exists():
        raise UsageError(f"FILE: {to} is there already, and is not overwritten (mend: give another name)")
    if not to.absolute().parent.is_dir():
        raise UsageError(f"FILE: {to.parent} is no folder (mend: make it, or give another place)")
    scratch = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    try:
        with guarded(to):
            db.execute("vacuum into ?", (str(scratch),))
        with scratch.open("rb+") as copy:
            os.fsync(copy.fileno())
        os.replace(scratch, to)
    finally:
        scratch.unlink(missing_ok=True)
    return to.stat().st_size


def garbage(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """The consultations that nothing needs: number, id, run, scenario, persona, stop_reason, created, and bytes."""
    marks = ", ".join("?" * len(UNFINISHED))
    sql = f"""select c.number, c.id as consultation_id, c.run, c.scenario, c.persona, c.stop_reason, c.created,
        coalesce(length(t.jsonl), 0) as bytes from consultations c left join transcripts t on t.consultation = c.number
        where c.run is not null and c.parent is null and c.stop_reason in ({marks})
        and c.number not in (select consultation from members)
        and c.id not in (select parent from consultations where parent is not null) order by c.number"""  # noqa: S608
    return [dict(row) for row in db.execute(sql, UNFINISHED)]


def unused(db: sqlite3.Connection) -> int:
    """Bytes of pages that hold nothing."""
    pages, size = (db.execute(f"pragma {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    return int(pages * size)


def remove(db: sqlite3.Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Removes consultations; the caller holds a transaction. One whose words cannot be read stays. Those that went."""
    gone = []
    for row in rows:
        number = row["number"]
        kept = db.execute("select jsonl from transcripts where consultation = ?", (number,)).fetchone()
        try:
            words = searchable(unpacked(kept["jsonl"] if kept is not None else b"", row["consultation_id"]))
        except DataError:  # the index forgets only what it is told
            continue
        db.execute("insert into said (said, rowid, text) values ('delete', ?, ?)", (number, words))
        for table, column in (
            ("results", "consultation"),
            ("transcripts", "consultation"),
            ("waits", "consultation"),
            ("consultations", "number"),
        ):
            db.execute(f"delete from {table} where {column} = ?", (number,))  # noqa: S608 - our own names
        gone.append(row)
    return gone


def shrink(db: sqlite3.Connection) -> None:
    """Gives room back to the disk. Needs as much again while it works."""
    db.execute("insert into said (said) values ('optimize')")
    db.execute("vacuum")
    db.execute("pragma wal_checkpoint(truncate)")
