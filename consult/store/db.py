"""The results database: one plain SQLite file that any tool opens, one transaction a consultation.

Owns writing and finding; the tables are in `migrations`, opening in `connect`, reading of many rows in `reading`, what
a row says in `rows`. A row is never overwritten. Must not import langgraph, litellm, textual, scipy or numpy:
`migrations` imports sqlite-utils, which loads numpy, only where tables are made.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from consult.errors import StoreError, UsageError
from consult.stats.waits import Waits
from consult.store import reading, scoring, upkeep
from consult.store.connect import guarded, to_read, to_write
from consult.store.packed import unpacked
from consult.store.rows import Judged, Kept, Missing, prepared, with_marks
from consult.store.scoring import inserted, judge, now
from consult.store.search import search
from consult.store.transcript import Transcript, loads
from consult.store.upkeep import UNFINISHED

__all__ = ["Kept", "Store", "prepared"]

CONTENT: Final = "content"
"""The key in a kept plan under which the hashes of its content are."""
_FEW: Final = 5
"""Names told of what changed."""


class Store:
    """Consultations, their scores and runs in one SQLite file; use it as a context manager.

    Every method raises StoreError where the file cannot be used, UsageError where it is asked for what is not there.
    """

    def __init__(self, path: Path | str, *, readonly: bool = False, timeout: float = 30.0) -> None:
        """`timeout`: seconds to wait for another program that is writing."""
        self.path = Path(path)
        self._readonly = readonly
        self._timeout = timeout
        self._conn: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        self._conn = (to_read if self._readonly else to_write)(self.path, self._timeout)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def save(self, transcript: Transcript, run: str | None = None, *, cell: str | None = None) -> str:
        """Keeps a consultation; see `keep`."""
        return self.keep(prepared(transcript), run, cell=cell)

    def keep(self, new: Kept, run: str | None = None, *, cell: str | None = None) -> str:
        """Keeps a consultation with its scores, in one transaction, and returns the id it is kept under.

        What is there already is not kept twice; other content under the same id goes to `<id>-2`, `<id>-3` … `cell`
        is the key by which a run knows what is done.
        """
        with self._transaction() as db:
            within = self._run(db, run) if run is not None else None
            kept, number = self._place(db, new)
            if number is None:
                number = self._insert(db, kept, run)
            if within is not None:
                row = (within, cell or kept.id, number)
                db.execute("insert or replace into members (run, cell, consultation) values (?, ?, ?)", row)
        return kept.id

    def get(self, consultation: str) -> Transcript:
        """The transcript of an id, or of the beginning of one. Raises UsageError if there is none or several."""
        with self._guarded() as db:
            return self._get(db, consultation)[1]

    def scored(self, consultation: str, version: int | None = None) -> Transcript:
        """The same with the verdict, scores and audit of a version of the scorers; None: of the latest."""
        with self._guarded() as db:
            if version is not None:
                scoring.check_version(db, version)
            number, transcript = self._get(db, consultation)
            marks = scoring.marks(db, number, version, f"{self.path}#{transcript.id}")
        return transcript if marks is None else with_marks(transcript, marks)

    def texts(self, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The transcripts of these ids as JSONL text, unchecked, in no order; unknown ids are passed over."""
        for some in (ids[n : n + 100] for n in range(0, len(ids), 100)):
            with self._guarded() as db:
                sql = f"""select c.id, t.jsonl from consultations c join transcripts t on t.consultation = c.number
                    where c.id in ({", ".join("?" * len(some))})"""  # noqa: S608 - question marks
                rows = db.execute(sql, list(some)).fetchall()
            yield from ((row["id"], unpacked(row["jsonl"], f"{self.path}#{row['id']}")) for row in rows)

    def marks(self, ids: Sequence[str], version: int | None = None) -> dict[str, str]:
        """What later scorers (of a version; None: the latest) said of these ids, as JSONL; not of those whose transcript has it."""
        with self._guarded() as db:
            found = scoring.marks_of(db, ids, version)
            return {name: unpacked(packed, f"{self.path}#{name}") for name, packed in found}

    def waits(self, ids: Sequence[str]) -> dict[str, dict[str, Waits]]:
        """How long models' answers took in these consultations, by role; only of those of which it was measured."""
        with self._guarded() as db:
            return reading.waits(db, ids)

    def score_names(self, run: str, version: int | None = None) -> list[str]:
        """The names of all scores in a run (of a version of the scorers; None: the latest)."""
        with self._guarded() as db:
            return scoring.names(db, self._run(db, run), version)

    def consultations(self, run: str | None = None, **filters: Any) -> list[dict[str, Any]]:
        """One row a consultation, oldest first; `filters` name columns and the values they must have."""
        return list(self.each(run, **filters))

    def each(
        self,
        run: str | None = None,
        *,
        scores: Collection[str] | None = None,
        version: int | None = None,
        limit: int | None = None,
        **filters: Any,
    ) -> Iterator[dict[str, Any]]:
        """The rows of `consultations` one by one, so that memory does not grow with their number.

        `scores`: only the scores of these names are read; None: all. `version`: of the scorers (see `scorings`); None:
        the latest that scored the consultation. `limit`: only so many, the newest.
        """
        with self._guarded() as db:
            within = self._run(db, run) if run is not None else None
            if version is not None:
                scoring.check_version(db, version)
            for row in reading.each(db, reading.Wanted(within, version, filters, limit), scores):
                yield row | ({"run": run} if run is not None else {})

    def count(self, run: str | None = None, *, version: int | None = None, **filters: Any) -> int:
        """How many rows `each` gives without a limit."""
        with self._guarded() as db:
            within = self._run(db, run) if run is not None else None
            return reading.count(db, reading.Wanted(within, version, filters))

    def search(
        self, texts: Sequence[str], run: str | None = None, *, limit: int | None = None
    ) -> tuple[Iterator[dict[str, Any]], int]:
        """Turns in which one of `texts` was said, of the newest consultations in which all were, and how many those are.

        Each text is a phrase, taken literally. A row has `consultation_id`, `turn`, `who`, `text`, `snippet` and more.
        """
        with self._guarded() as db:
            found, count = search(db, texts, self._run(db, run) if run is not None else None, limit)
        return self._told(found), count

    def _told(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        with self._guarded():
            yield from rows

    def backup(self, to: Path) -> int:
        """Writes a copy of the database to a new file; its bytes. Others may be writing meanwhile."""
        with self._guarded() as db:
            return upkeep.backup(db, to)

    def garbage(self) -> tuple[list[dict[str, Any]], int]:
        """Consultations that nothing needs (see `upkeep`), and the bytes of the file that hold nothing."""
        with self._guarded() as db:
            return upkeep.garbage(db), upkeep.unused(db)

    def collect(self) -> list[dict[str, Any]]:
        """Removes the garbage, gives its room back to the disk, and says what went."""
        with self._transaction() as db:
            gone = upkeep.remove(db, upkeep.garbage(db))
        with self._guarded() as db:
            upkeep.shrink(db)
        return gone

    def scorings(self, run: str | None = None) -> list[dict[str, Any]]:
        """The versions of the scorers, oldest first: which code, when, and what they judged (of a run, or of all).

        `version`, `consult`, `commit`, `scorers` (a hash of their sources; empty: unknown), `created`; `consultations`:
        how many have this version, `latest`: for how many it is the latest, `missing`: how many it could not judge.
        Scores may be compared where all are of one version.
        """
        with self._guarded() as db:
            return scoring.scorings(db, self._run(db, run) if run is not None else None)

    def unjudged(self, run: str, scorers: str, *, after: int = 0, limit: int = 100) -> list[tuple[int, bytes]]:
        """Consultations of a run that these scorers have not judged: number, transcript as kept; those beyond a number."""
        with self._guarded() as db:
            rows = scoring.unjudged(db, self._run(db, run), scorers, after, limit)
        return [(row["number"], row["jsonl"]) for row in rows]

    def judge(self, new: Iterable[tuple[int, Judged | Missing]]) -> int:
        """Adds what scorers made of consultations (by number), all in one transaction; how many were new to them."""
        with self._transaction() as db:
            return sum(judge(db, number, one) for number, one in new)

    def runs(self) -> list[dict[str, Any]]:
        """The runs, oldest first: name, created, consultations (how many), plan."""
        sql = """select name, created, plan, (select count(*) from members m where m.run = r.id) as consultations
            from runs r order by id"""
        with self._guarded() as db:
            return [
                {"name": r["name"], "created": r["created"], "consultations": r["consultations"]}
                | {"plan": {k: v for k, v in json.loads(r["plan"]).items() if k != CONTENT}}
                for r in db.execute(sql)
            ]

    def ensure_run(
        self,
        name: str,
        plan: Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
        *,
        content: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the run if it is not there; `defaults` stand for what a plan does not say.

        `content`: the hash of everything the plan is played with, by name; kept with the plan. Raises UsageError if
        the run is there with another plan or other content, with the difference.
        """
        known = {CONTENT: dict(content)} if content else {}
        text = json.dumps({**plan, **known}, sort_keys=True, ensure_ascii=False)
        with self._transaction() as db:
            row = db.execute("select plan from runs where name = ?", (name,)).fetchone()
            if row is None:
                db.execute("insert into runs (name, plan, created) values (?, ?, ?)", (name, text, now()))
            if row is None or row["plan"] == text:
                return
        old, new = ({**(defaults or {}), **json.loads(plan_text)} for plan_text in (row["plan"], text))
        before, after = old.pop(CONTENT, {}), new.pop(CONTENT, {})
        changed = [k for k in sorted({*old, *new}) if old.get(k) != new.get(k)]
        parts = ", ".join(f"{k} was {_short(old.get(k))} and is now {_short(new.get(k))}" for k in changed)
        if parts:
            raise UsageError(f"--name: the run {name!r} has another plan: {parts} (mend: give another name)")
        if before and after and before != after:
            what = _difference(before, after)
            mend = "give another name, or bring back what it was"
            raise UsageError(f"--name: the run {name!r} was begun with other content: {what} (mend: {mend})")

    def is_done(self, run: str, cell: str) -> bool:
        """Whether a cell need not run again: it is kept, and is no failure around the doctor."""
        marks = ", ".join("?" * len(UNFINISHED))
        sql = f"""select 1 from runs r join members m on m.run = r.id join consultations c on c.number = m.consultation
            where r.name = ? and m.cell = ? and coalesce(c.stop_reason, '') not in ({marks})"""  # noqa: S608 - question marks
        with self._guarded() as db:
            return db.execute(sql, (run, cell, *UNFINISHED)).fetchone() is not None

    def members(self, run: str) -> dict[str, str]:
        """The consultation kept for each cell of a run."""
        with self._guarded() as db:
            sql = """select m.cell, c.id from runs r join members m on m.run = r.id
                join consultations c on c.number = m.consultation where r.name = ?"""
            return dict(db.execute(sql, (run,)).fetchall())

    def line_ups(self, run: str) -> list[dict[str, str]]:
        """Who plays in a run: agent specs by role, each line-up once."""
        sql = (
            "select distinct agents from consultations where number in (select consultation from members where run = ?)"
        )
        with self._guarded() as db:
            found = [json.loads(row["agents"]) for row in db.execute(sql, (self._run(db, run),))]
        return list({tuple(sorted(agents.items())): agents for agents in found}.values())

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        if self._conn is None:
            raise StoreError(f"{self.path}: the store is closed (mend: use it inside `with Store(path) as store:`)")
        with guarded(self.path):
            yield self._conn

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._guarded() as db:
            db.execute("begin immediate")  # deferred, a second writer would fail at once instead of waiting
            try:
                yield db
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise

    def _run(self, db: sqlite3.Connection, run: str) -> int:
        """The number of a run."""
        found = db.execute("select id from runs where name = ?", (run,)).fetchone()
        if found is None:
            names = [row["name"] for row in db.execute("select name from runs order by id")]
            known = f"one of: {', '.join(names)}" if names else "`consult batch --name` makes one"
            raise UsageError(f"--run: there is no run {run!r} (mend: {known})")
        return int(found["id"])

    def _place(self, db: sqlite3.Connection, new: Kept) -> tuple[Kept, int | None]:
        """Where a consultation will be kept, and the number it is kept under if it is there."""
        n, kept = 1, new
        while True:
            row = db.execute("select number from consultations where id = ?", (kept.id,)).fetchone()
            if row is None:
                return kept, None
            text = unpacked(kept.transcript, kept.id)
            if _same(_text(db, row["number"], f"{self.path}#{kept.id}"), text):
                return kept, int(row["number"])
            n += 1
            kept = replace(prepared(loads(text).renamed(f"{new.id}-{n}")), waits=new.waits)

    def _insert(self, db: sqlite3.Connection, kept: Kept, run: str | None) -> int:
        number = inserted(db, "consultations", kept.columns | {"run": run, "created": now()})
        inserted(db, "transcripts", {"consultation": number, "bytes": kept.size, "jsonl": kept.transcript})
        db.execute("insert into said (rowid, text) values (?, ?)", (number, kept.said))
        judge(db, number, kept.judged)
        for role, waits in kept.waits.items():
            row = {"consultation": number, "role": role, "kept": waits.kept}
            inserted(db, "waits", row | {"seconds": json.dumps(waits.plain()["seconds"])})
        return number

    def _get(self, db: sqlite3.Connection, consultation: str) -> tuple[int, Transcript]:
        sql = "select number, id from consultations where id = ?"
        row = db.execute(sql, (consultation,)).fetchone() or self._by_prefix(db, consultation)
        file = f"{self.path}#{row['id']}"
        return row["number"], loads(_text(db, row["number"], file), file=file)

    def _by_prefix(self, db: sqlite3.Connection, prefix: str) -> sqlite3.Row:
        sql = "select number, id from consultations where id >= ? and substr(id, 1, ?) = ? order by id limit 6"
        rows = db.execute(sql, (prefix, len(prefix), prefix)).fetchall() if prefix else []
        if not rows:
            raise UsageError(f"ID: no consultation {prefix!r} in {self.path} (mend: `consult list consultations`)")
        if len(rows) > 1:
            found = ", ".join(row["id"] for row in rows[:5]) + (" …" if len(rows) > 5 else "")
            raise UsageError(f"ID: {prefix!r} is the beginning of several: {found} (mend: write more of it)")
        row: sqlite3.Row = rows[0]
        return row


def _text(db: sqlite3.Connection, number: int, file: str) -> str:
    """The text of a transcript. Raises DataError."""
    row = db.execute("select jsonl from transcripts where consultation = ?", (number,)).fetchone()
    return unpacked(row["jsonl"] if row is not None else b"", file)


def _difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """What changed, what is new and what is gone, a few of each by name."""
    kinds = {
        "changed": [k for k in old if k in new and old[k] != new[k]],
        "new": [k for k in new if k not in old],
        "gone": [k for k in old if k not in new],
    }
    more = {kind: f" and {len(names) - _FEW} more" for kind, names in kinds.items() if len(names) > _FEW}
    return "; ".join(f"{kind}: {', '.join(n[:_FEW])}{more.get(kind, '')}" for kind, n in kinds.items() if n)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _same(kept: str, new: str) -> bool:
    """Whether two transcripts are equal but for the commit: a commit that changes nothing said makes no second one."""
    if kept == new:
        return True
    old_head, _, old_events = kept.partition("\n")
    new_head, _, new_events = new.partition("\n")
    if old_events != new_events:
        return False
    old, fresh = json.loads(old_head), json.loads(new_head)
    old["provenance"]["commit"] = fresh["provenance"]["commit"]
    return bool(old == fresh)
