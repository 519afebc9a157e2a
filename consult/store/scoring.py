"""Scores of several versions: adding what newer scorers made of a consultation, and reading what older ones did.

Nothing is overwritten but a missing judgement, once there is one. Functions on an open database; the transactions are
the store's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from consult.errors import UsageError
from consult.events import EVENT, Event, Scored
from consult.store.packed import unpacked
from consult.store.rows import Judged, Missing
from consult.store.versions import ScoredBy

LATEST: Final = "(select version from (select version, max(number) from results where consultation = {}))"
"""The version that scored a consultation last, which need not be the newest: what had failed is made up for under its own."""


def now() -> str:
    """The time that is written beside a row."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def inserted(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> int:
    """Inserts a row; its number."""
    marks = ", ".join("?" * len(row))
    sql = f"insert into {table} ({', '.join(row)}) values ({marks})"  # noqa: S608 - our own names
    return db.execute(sql, list(row.values())).lastrowid or 0


def _number(db: sqlite3.Connection, table: str, key: Mapping[str, Any], rest: Mapping[str, Any]) -> int:
    """The number of the row with this key, which is made if it is not there."""
    tests = " and ".join(f"{name} = ?" for name in key)
    found = db.execute(f"select rowid from {table} where {tests}", list(key.values())).fetchone()  # noqa: S608 - our own names
    return int(found[0]) if found is not None else inserted(db, table, {**key, **rest})


def _version(db: sqlite3.Connection, by: ScoredBy) -> int:
    rest = {"consult": by.consult, "source": by.commit, "created": now()}
    return _number(db, "scorings", {"scorers": by.scorers}, rest)


def judge(db: sqlite3.Connection, consultation: int, new: Judged | Missing) -> bool:
    """Adds what a version of the scorers made of a consultation; whether anything was added."""
    version = _version(db, new.by)
    sql = "select number, missing from results where consultation = ? and version = ?"
    there = db.execute(sql, (consultation, version)).fetchone()
    if there is not None:
        if there["missing"] is None or (isinstance(new, Missing) and there["missing"] == new.reason):
            return False
        db.execute("delete from results where number = ?", (there["number"],))
    row: dict[str, Any] = {"consultation": consultation, "version": version}
    if isinstance(new, Judged):
        row["form"] = _number(db, "forms", {"names": new.names, "units": new.units}, {})
        row |= new.columns | {"scores": new.scores, "reasons": new.reasons, "marks": new.marks}
    else:
        row |= _nothing(db, consultation) | {"missing": new.reason}
    inserted(db, "results", row)
    return True


def _nothing(db: sqlite3.Connection, consultation: int) -> dict[str, Any]:
    """The scores that the latest version had, each of them missing. What the right answer is remains."""
    sql = """select r.form, f.names, r.gold from results r join forms f on f.form = r.form
        where r.consultation = ? order by r.number desc limit 1"""
    last = db.execute(sql, (consultation,)).fetchone()
    if last is None:
        return {"form": _number(db, "forms", {"names": "[]", "units": "[]"}, {}), "scores": "[]"}
    return {"form": last["form"], "gold": last["gold"], "scores": json.dumps([None] * len(json.loads(last["names"])))}


def unjudged(db: sqlite3.Connection, run: int, scorers: str, after: int, limit: int) -> list[sqlite3.Row]:
    """Consultations of a run that these scorers have not judged, beyond a number."""
    sql = """select c.number, t.jsonl from consultations c join transcripts t on t.consultation = c.number
        where c.number > ? and c.number in (select consultation from members where run = ?)
        and not exists (select 1 from results r join scorings s on s.version = r.version
            where r.consultation = c.number and s.scorers = ? and r.missing is null)
        order by c.number limit ?"""
    return db.execute(sql, (after, run, scorers, limit)).fetchall()


def scorings(db: sqlite3.Connection, run: int | None) -> list[dict[str, Any]]:
    """The versions that there are; for a run: how many of its consultations have each, and for how many it is the latest."""
    within = "" if run is None else "where r.consultation in (select consultation from members where run = ?)"
    sql = f"""select s.version, s.consult, s.source as "commit", s.scorers, s.created, count(*) as consultations,
        sum(r.version = {LATEST.format("r.consultation")}) as latest,
        sum(r.missing is not null) as missing
        from scorings s join results r on r.version = s.version {within} group by s.version order by s.version"""  # noqa: S608 - our own names
    return [dict(row) for row in db.execute(sql, () if run is None else (run,))]


def check_version(db: sqlite3.Connection, version: int) -> None:
    """Raises UsageError if there is no such version."""
    known = [str(row["version"]) for row in db.execute("select version from scorings order by 1")]
    if str(version) not in known:
        there = f"one of: {', '.join(known)}" if known else "nothing is scored yet"
        raise UsageError(f"--scores: there is no version {version} (mend: {there})")


def marks_of(db: sqlite3.Connection, ids: Sequence[str], version: int | None) -> Iterator[tuple[str, bytes]]:
    """The packed marks of consultations that have some of a version (None: the latest) beside their transcript."""
    latest = LATEST.format("c.number") if version is None else "?"
    own = [] if version is None else [version]
    for some in (ids[n : n + 100] for n in range(0, len(ids), 100)):
        sql = f"""select c.id, r.marks from consultations c join results r on r.consultation = c.number
            and r.version = {latest} where r.marks is not null and c.id in ({", ".join("?" * len(some))})"""  # noqa: S608 - question marks
        yield from ((row["id"], row["marks"]) for row in db.execute(sql, [*own, *some]).fetchall())


def names(db: sqlite3.Connection, run: int, version: int | None) -> list[str]:
    """The names of all scores that consultations of a run have, by a version (None: the latest of each)."""
    latest = LATEST.format("r.consultation") if version is None else "?"
    sql = f"""select names from forms where form in (select distinct r.form from results r
        where r.version = {latest} and r.consultation in (select consultation from members where run = ?))"""  # noqa: S608 - our own names
    rows = db.execute(sql, [*([] if version is None else [version]), run])
    return sorted({name for row in rows for name in json.loads(row["names"])})


def marks(db: sqlite3.Connection, consultation: int, version: int | None, file: str) -> Sequence[Event] | None:
    """What an assessor of a version (None: the latest) said; None if that is in the transcript."""
    chosen = "" if version is None else " and r.version = ?"
    sql = f"""select r.*, f.names, f.units from results r join forms f on f.form = r.form
        where r.consultation = ?{chosen} order by r.number desc limit 1"""  # noqa: S608 - our own names
    row = db.execute(sql, (consultation,) if version is None else (consultation, version)).fetchone()
    if row is None:
        return () if version is not None else None
    if row["missing"] is not None:
        named = zip(json.loads(row["names"]), json.loads(row["units"]), strict=True)
        return [Scored(name=name, value=None, unit=unit, reason=row["missing"]) for name, unit in named]
    if row["marks"] is None:
        return None
    return [EVENT.validate_python(json.loads(line)) for line in unpacked(row["marks"], file).split("\n") if line]
