"""The database's tables, as numbered steps that are only ever added to. Each says why it exists.

Owns the schema and nothing else. sqlite-utils (which loads numpy) is imported only when a step is due, so that reading
a store stays light.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consult.errors import StoreError
from consult.store.compact import compact

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID: Final = 0x636F6E73
"""SQLite's mark of whose file it is: "cons"."""
TABLE: Final = "migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, why it was needed, and what it does."""

    number: int
    reason: str
    apply: Callable[[Database], None]


def _first(db: Database) -> None:
    db.table("runs").create(
        {"id": int, "name": str, "plan": str, "created": str}, pk="id", not_null={"name", "plan", "created"}
    )
    db.table("runs").create_index(["name"], unique=True)
    texts = "id run cell parent scenario persona hospital knowledge inquirer agents stop_reason gold top created"
    numbers = "epoch turns orders rank correct correct_primary correct_secondary urgency_error clean"
    columns: dict[str, type] = dict.fromkeys(texts.split(), str) | dict.fromkeys(numbers.split(), int)
    columns |= {"seed": str, "transcript": str}  # a seed has 64 bits without a sign: more than an INTEGER holds
    db.table("consultations").create(columns, pk="id", not_null={"scenario", "persona", "created", "transcript"})
    for column in ("scenario", "persona", "cell"):
        db.table("consultations").create_index([column])
    db.table("scores").create(
        {
            "consultation": str,
            "name": str,
            "version": int,
            "value": float,
            "unit": str,
            "reason": str,
            "evidence": str,
        },
        pk=("consultation", "name", "version"),
        foreign_keys=[("consultation", "consultations", "id")],
    )


def _members(db: Database) -> None:
    db.table("members").create(
        {"run": str, "cell": str, "consultation": str},
        pk=("run", "cell"),
        foreign_keys=[("run", "runs", "name"), ("consultation", "consultations", "id")],
    )
    db.table("members").create_index(["consultation"])


def _waits(db: Database) -> None:
    db.conn.execute(
        """create table waits (consultation integer not null references consultations, role text not null,
            seconds text not null, kept integer not null, primary key (consultation, role)) without rowid"""
    )


def _latest(db: Database) -> None:
    db.conn.execute("drop view outcomes")
    db.conn.execute(
        """create view outcomes as select c.*, r.version, r.gold, r.top, r.rank, r.correct, r.correct_primary,
            r.correct_secondary, r.urgency_error, r.clean from consultations c left join results r
            on r.consultation = c.number and r.version =
            (select version from (select version, max(number) from results where consultation = c.number))"""
    )


MIGRATIONS: Final = (
    Migration(1, "the first tables: runs, consultations with their transcripts, scores", _first),
    Migration(2, "one consultation may belong to several runs, and a retried cell replaces its failure", _members),
    Migration(
        3,
        "small rows: transcripts compressed, scores in one row for each version of the scorers, words in an index",
        lambda db: compact(db.conn),
    ),
    Migration(4, "how long models' answers took: a measurement, which no transcript may hold", _waits),
    Migration(
        5, "the latest scores are those made last: what had failed is made up for under an older version", _latest
    ),
)


def applied(conn: sqlite3.Connection) -> int:
    """The number of the last step this database has taken; 0 for an empty one. Raises StoreError if it is not ours."""
    tables = {row[0] for row in conn.execute("select name from sqlite_master where type = 'table'")}
    if TABLE not in tables:
        if tables:
            raise StoreError("is a database, but not one of consult (mend: give another file to --db)")
        return 0
    if conn.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError("is a database, but not one of consult (mend: give another file to --db)")
    number = int(conn.execute(f"select coalesce(max(number), 0) from {TABLE}").fetchone()[0])  # noqa: S608 - our own name
    if number > MIGRATIONS[-1].number:
        raise StoreError("was written by a newer consult (mend: update consult)")
    return number


def migrate(conn: sqlite3.Connection) -> None:
    """Takes the steps that are due, all of them or none; the caller holds no transaction."""
    if applied(conn) == MIGRATIONS[-1].number:
        return
    from sqlite_utils import Database

    conn.execute("begin immediate")
    try:
        done = applied(conn)  # another process may have been first
        if done == 0:
            conn.execute(f"pragma application_id = {APPLICATION_ID}")
            conn.execute(f"create table if not exists {TABLE} (number integer primary key, reason text not null)")
        db = Database(conn, execute_plugins=False)
        for step in MIGRATIONS[done:]:
            step.apply(db)
            conn.execute(f"insert into {TABLE} values (?, ?)", (step.number, step.reason))  # noqa: S608 - our own name
        conn.execute("commit")
    except BaseException:
        if conn.in_transaction:
            conn.execute("rollback")
        raise
