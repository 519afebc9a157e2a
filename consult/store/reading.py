"""Reading many rows of the database: consultations with what the scorers made of them, one by one.

Owns the one query behind lists, reports and exports. Nothing is collected. Must not write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

from consult.errors import UsageError
from consult.stats.waits import Waits
from consult.store.rows import COLUMNS, JUDGED, as_row
from consult.store.scoring import LATEST

_AT_ONCE: Final = 500
"""Rows read at a time."""


@dataclass(frozen=True)
class Wanted:
    """Which consultations: those of a run (by number), judged by a version, whose columns have these values."""

    run: int | None = None
    version: int | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    """Only so many, the newest."""

    def sql(self, columns: str) -> tuple[str, list[Any]]:
        """The query, in no order, and its values."""
        unknown = sorted(set(self.filters) - set(COLUMNS))
        if unknown:
            raise UsageError(f"no column {unknown[0]!r} (mend: one of: {', '.join(COLUMNS)})")
        within = "" if self.run is None else " and c.number in (select consultation from members where run = ?)"
        tests = "".join(f" and {_column(name)} {_is(value)}" for name, value in self.filters.items())
        values: list[Any] = [] if self.version is None else [self.version]
        values += [] if self.run is None else [self.run]
        values += [str(v) if name == "seed" else v for name, v in self.filters.items() if not isinstance(v, bool)]
        version = LATEST.format("c.number") if self.version is None else "?"
        return (
            f"select {columns} from consultations c left join results r on r.consultation = c.number"  # noqa: S608 - our own names
            f" and r.version = {version} where 1{within}{tests}",
            values,
        )


def _column(name: str) -> str:
    return f"{'r' if name in JUDGED else 'c'}.{name}"


def _is(value: Any) -> str:
    """A test for equality; of what is true or false with the value in it, as the indexes of such rows have it."""
    return f"= {int(value)}" if isinstance(value, bool) else "is ?"


def each(db: sqlite3.Connection, wanted: Wanted, scores: Collection[str] | None) -> Iterator[dict[str, Any]]:
    """The rows, oldest first, each with its scores: those named, or all."""
    listed = "null" if scores is not None and not scores else "r.scores"
    sql, values = wanted.sql(", ".join(map(_column, COLUMNS)) + f", r.form, {listed}")
    if wanted.limit is None:
        sql += " order by c.number"
    else:  # the newest are found first, then put in order
        numbers, bounds = wanted.sql("c.number")
        sql += f" and c.number in ({numbers} order by c.number desc limit ?) order by c.number"
        values = [*values, *bounds, wanted.limit]
    cursor = db.cursor()
    cursor.row_factory = None  # tuples: half the time
    found = cursor.execute(sql, values)
    forms = _forms(db, scores)  # read after: what another process adds meanwhile may be among them, and is not missed
    while rows := found.fetchmany(_AT_ONCE):
        for row in rows:
            out = as_row(row)
            out["scores"] = {} if row[-1] is None else _scores(row[-1], *forms[row[-2]])
            yield out


def _scores(listed: str, names: list[str], chosen: list[bool] | None) -> dict[str, float | None]:
    values = json.loads(listed)
    return dict(zip(names, values if chosen is None else compress(values, chosen), strict=True))


def count(db: sqlite3.Connection, wanted: Wanted) -> int:
    """How many there are, whatever the limit."""
    return int(db.execute(*wanted.sql("count(*)")).fetchone()[0])


def waits(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, dict[str, Waits]]:
    """How long models' answers took in these consultations, by role."""
    out: dict[str, dict[str, Waits]] = {}
    for some in (ids[n : n + _AT_ONCE] for n in range(0, len(ids), _AT_ONCE)):
        sql = f"""select c.id, w.role, w.seconds, w.kept from consultations c join waits w on w.consultation = c.number
            where c.id in ({", ".join("?" * len(some))}) order by w.role"""  # noqa: S608 - question marks
        for row in db.execute(sql, list(some)):
            data = {"seconds": json.loads(row["seconds"]), "kept": row["kept"]}
            out.setdefault(row["id"], {})[row["role"]] = Waits.of(data)
    return out


def _forms(db: sqlite3.Connection, wanted: Collection[str] | None) -> dict[int, tuple[list[str], list[bool] | None]]:
    """The names of the scores of each form, and which of its values are wanted (None: all)."""
    out: dict[int, tuple[list[str], list[bool] | None]] = {}
    for row in db.execute("select form, names from forms"):
        names = json.loads(row["names"])
        chosen = None if wanted is None else [name in wanted for name in names]
        out[row["form"]] = (names if chosen is None else list(compress(names, chosen)), chosen)
    return out
