"""The results database: nothing twice, nothing overwritten, all or nothing, and clear words when it cannot be used."""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from handmade import made

from consult.errors import DataError, StoreError, UsageError
from consult.events import Scored, StopReason
from consult.store import connect
from consult.store.db import Store
from consult.store.migrations import MIGRATIONS
from consult.store.rows import prepared
from consult.store.summary import summary
from consult.store.transcript import Transcript, dumps


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "consult.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as opened:
        yield opened


def test_saved_and_found_again(store: Store) -> None:
    assert store.save(made()) == "chest-0a1b2c3d"
    assert store.get("chest-0a1b2c3d") == made()
    assert store.get("chest") == made()


def test_the_same_is_not_kept_twice(store: Store) -> None:
    assert store.save(made()) == store.save(made())
    assert len(store.consultations()) == 1


def test_other_content_gets_its_own_id(store: Store) -> None:
    ids = [store.save(made(rank=r)) for r in (1, 2, 3, 2, 1)]
    assert ids == [f"chest-0a1b2c3d{n}" for n in ("", "-2", "-3", "-2", "")]
    second = store.get("chest-0a1b2c3d-2")
    assert second.header.consultation_id == "chest-0a1b2c3d-2"
    assert second.events == made(rank=2).events
    assert store.get("chest-0a1b2c3d") == made()


def test_ids_that_are_not_there_or_not_clear(store: Store) -> None:
    store.save(made())
    store.save(made(consultation_id="chest-ffff"))
    for wrong, words in (("nose", "no consultation"), ("", "no consultation"), ("chest", "several"), ("%", "no cons")):
        with pytest.raises(UsageError, match=words):
            store.get(wrong)


def test_rows(store: Store) -> None:
    store.save(made(seed=2**63 + 5))
    (row,) = store.consultations()
    expected = {"scenario": "indigestion_at_the_wheel", "persona": "choleric", "epoch": 0, "seed": 2**63 + 5}
    expected |= {"stop_reason": "concluded", "turns": 1, "orders": 1, "gold": "myocardial_infarction", "rank": 1}
    expected |= {"top": "myocardial_infarction", "correct": True, "correct_primary": False, "urgency_error": 1}
    expected |= {"clean": True, "inquirer": "reference", "run": None}
    assert {k: row[k] for k in expected} == expected
    assert row["correct"] is True
    assert row["scores"]["diagnosis.top1"] == 1.0
    assert row["scores"]["communication.empathy"] is None
    assert row["created"].endswith("+00:00")


def test_filters(store: Store) -> None:
    store.save(made(seed=1))
    store.save(made(consultation_id="b", persona="neutral", seed=2))
    assert [r["persona"] for r in store.consultations(persona="neutral")] == ["neutral"]
    assert [r["seed"] for r in store.consultations(seed=1)] == [1]
    assert len(store.consultations(parent=None, correct=True)) == 2
    with pytest.raises(UsageError, match="colour"):
        store.consultations(colour="red")


def test_runs(store: Store) -> None:
    store.ensure_run("r", {"epochs": 1})
    store.ensure_run("r", {"epochs": 1})
    with pytest.raises(UsageError, match="epochs was 1 and is now 2"):
        store.ensure_run("r", {"epochs": 2})
    store.save(made(), "r", cell="c1")
    assert store.is_done("r", "c1")
    assert store.members("r") == {"c1": "chest-0a1b2c3d"}
    (run,) = store.runs()
    assert (run["name"], run["plan"], run["consultations"]) == ("r", {"epochs": 1}, 1)
    with pytest.raises(UsageError, match="no run 'x'"):
        store.save(made(), "x", cell="c")
    with pytest.raises(UsageError, match="one of: r"):
        store.consultations("x")


def test_one_consultation_in_two_runs(store: Store) -> None:
    store.save(made())
    for name in ("a", "b"):
        store.ensure_run(name, {})
        store.save(made(), name, cell="c")
        assert [r["run"] for r in store.consultations(name)] == [name]
    assert len(store.consultations()) == 1


def test_a_failure_of_the_machinery_is_tried_again_and_replaced(store: Store) -> None:
    store.ensure_run("r", {})
    store.save(made(StopReason.INFRASTRUCTURE_ERROR), "r", cell="c")
    assert not store.is_done("r", "c")
    (row,) = store.consultations("r")
    assert row["correct"] is None
    kept = store.save(made(), "r", cell="c")
    assert store.is_done("r", "c")
    assert [r["consultation_id"] for r in store.consultations("r")] == [kept]
    assert len(store.consultations()) == 2


def test_all_or_nothing(store: Store, path: Path) -> None:
    store.ensure_run("r", {})
    spoil(path, "create trigger cut before insert on results begin select raise(abort, 'power cut'); end")
    with pytest.raises(StoreError, match="power cut"):
        store.save(made(), "r", cell="c")
    assert store.consultations() == []
    assert not store.is_done("r", "c")
    spoil(path, "drop trigger cut")
    store.save(made(), "r", cell="c")
    assert len(store.consultations("r")) == 1


def test_two_writers_wait_for_each_other(path: Path) -> None:
    def write(prefix: str) -> None:
        with Store(path) as mine:
            for n in range(10):
                mine.save(made(consultation_id=f"{prefix}-{n}"))

    threads = [threading.Thread(target=write, args=(p,)) for p in "abc"]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    with Store(path, readonly=True) as store:
        assert len(store.consultations()) == 30


def test_the_file_is_plain_sqlite_in_wal_mode_with_reasons(store: Store, path: Path) -> None:
    conn = sqlite3.connect(path)
    try:
        assert conn.execute("pragma journal_mode").fetchone() == ("wal",)
        rows = conn.execute("select number, reason from migrations").fetchall()
    finally:
        conn.close()
    assert rows == [(m.number, m.reason) for m in MIGRATIONS]
    assert [m.number for m in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def old_file(path: Path, monkeypatch: pytest.MonkeyPatch, *transcripts: Transcript) -> None:
    """A store as the first two steps made it, with rows as they were written then."""
    from consult.store import migrations

    for module in (migrations, connect):
        monkeypatch.setattr(module, "MIGRATIONS", MIGRATIONS[:2])
    with Store(path):
        pass
    monkeypatch.undo()
    conn = sqlite3.connect(path)
    with conn:
        conn.execute("insert into runs (name, plan, created) values ('r', '{}', 'then')")
        for t in transcripts:
            kept = prepared(t)
            row = kept.columns | kept.judged.columns
            row |= {"run": "r", "cell": f"c-{t.id}", "created": "then", "transcript": dumps(t.header, t.events)}
            marks = ", ".join("?" * len(row))
            conn.execute(f"insert into consultations ({', '.join(row)}) values ({marks})", list(row.values()))
            conn.execute("insert into members values ('r', ?, ?)", (f"c-{t.id}", t.id))
            for e in t.events:
                if isinstance(e, Scored):
                    score = (t.id, e.name, e.value, e.unit, e.reason, json.dumps(list(e.evidence)))
                    conn.execute("insert into scores values (?, ?, 1, ?, ?, ?, ?)", score)
    conn.close()


def test_an_older_file_is_brought_up_to_date_without_loss(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [
        made(),
        made(consultation_id="b", seed=2**63 + 5, rank=2),
        made(StopReason.TURN_LIMIT, rank=None).renamed("c"),
    ]
    old_file(path, monkeypatch, *before)
    with Store(path, readonly=True) as store, Store(path.with_name("new.db")) as new:
        new.ensure_run("r", {})
        for t in before:
            assert store.get(t.id) == t
            new.save(t, "r", cell=f"c-{t.id}")
        old_rows, new_rows = store.consultations("r"), new.consultations("r")
        assert {r.pop("created") for r in old_rows} == {"then"}
        assert "then" not in {r.pop("created") for r in new_rows}
        assert old_rows == new_rows
        assert store.members("r") == new.members("r")
        assert store.runs()[0]["consultations"] == 3
        assert store.is_done("r", "c-b")
    scores = "select consultation, name, value, unit, reason from scores order by 1, 2"
    assert sql(path, scores) == sql(path.with_name("new.db"), scores)
    assert len(sql(path, scores)) == 3 * len(old_rows[0]["scores"])
    assert sql(path, "select count(*) from said where said match 'pain'") == sql(
        path.with_name("new.db"), "select count(*) from said where said match 'pain'"
    )
    with Store(path) as store:
        assert store.save(before[0]) == before[0].id, "and it is known again"


def test_an_older_file_with_a_spoilt_transcript_keeps_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_file(path, monkeypatch, made())
    spoil(path, "update consultations set transcript = 'x'")
    with Store(path) as store, pytest.raises(DataError, match=r"consult\.db#chest"):
        store.get("chest")


def test_any_tool_reads_scores_and_transcripts(store: Store, path: Path) -> None:
    store.save(made())
    (row,) = sql(path, "select * from scores where value is null")
    assert row == ("chest-0a1b2c3d", "communication.empathy", 1, None, "share", "no cue was given")
    (text,) = sql(path, "select jsonl from transcripts")[0]
    assert zlib.decompress(text).decode() == dumps(made().header, made().events)
    assert sql(path, "select top, correct from outcomes") == [("myocardial_infarction", 1)]


def sql(path: Path, query: str) -> list[tuple[Any, ...]]:
    conn = sqlite3.connect(path)
    try:
        return conn.execute(query).fetchall()
    finally:
        conn.close()


def spoil(path: Path, sql: str) -> None:
    conn = sqlite3.connect(path)
    with conn:
        conn.execute(sql)
    conn.close()


@pytest.mark.parametrize("readonly", [True, False])
def test_files_that_are_not_ours(tmp_path: Path, readonly: bool) -> None:
    text, other, newer = tmp_path / "a.db", tmp_path / "b.db", tmp_path / "c.db"
    text.write_text("not a database, but long enough to be read as one " * 100)
    spoil(other, "create table runs (x)")
    with Store(newer):
        pass
    spoil(newer, "insert into migrations values (999, 'from the future')")
    before = other.read_bytes()
    for file, words in ((text, "no SQLite"), (other, "not one of consult"), (newer, "newer consult")):
        with pytest.raises(StoreError, match=words) as caught, Store(file, readonly=readonly):
            pass
        assert str(caught.value).startswith(f"{file}: ")
        assert "\n" not in str(caught.value)
    assert other.read_bytes() == before


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for where in (tmp_path, file / "consult.db"):
        with pytest.raises(StoreError), Store(where):
            pass
    with pytest.raises(StoreError, match="is not there"), Store(tmp_path / "none.db", readonly=True):
        pass
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreError, match="closed"):
        Store(tmp_path / "x.db").runs()


def test_a_locked_file(path: Path) -> None:
    with Store(path):
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        try:
            with Store(path, timeout=0.01) as mine, pytest.raises(StoreError, match="locked"):
                mine.save(made())
        finally:
            other.close()


@pytest.mark.parametrize("words", ["attempt to write a readonly database", "unable to open database file"])
def test_a_file_in_a_folder_where_nothing_may_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    with Store(path) as store:
        store.save(made())
    opened: list[str] = []
    connect_to, applied = connect._connect, connect.applied

    def connecting(file: Path, mode: str, timeout: float) -> sqlite3.Connection:
        opened.append(mode)
        return connect_to(file, mode, timeout)

    def looking(conn: sqlite3.Connection) -> int:
        if opened[-1] == "ro":  # what SQLite says of a file in WAL mode there
            raise sqlite3.OperationalError(words)
        return applied(conn)

    monkeypatch.setattr(connect, "_connect", connecting)
    monkeypatch.setattr(connect, "applied", looking)
    with Store(path, readonly=True) as store:
        assert store.get("chest") == made()
    assert opened == ["ro", "ro&immutable=1"]


@pytest.mark.parametrize("words", ["disk I/O error", "database disk image is malformed", "something new"])
def test_what_sqlite_says_comes_with_the_file_and_a_mend(path: Path, words: str) -> None:
    with pytest.raises(StoreError, match=r"consult\.db: .* \(mend: ") as e, connect.guarded(path):
        raise sqlite3.DatabaseError(words)
    assert str(e.value).count("\n") == 0


def test_what_a_plan_does_not_say_is_its_default(store: Store) -> None:
    store.ensure_run("r", {"seed": 1}, {"epochs": 1})
    store.ensure_run("r", {"seed": 1, "epochs": 1}, {"epochs": 1, "new": 0})
    with pytest.raises(UsageError, match="epochs was 1 and is now 2"):
        store.ensure_run("r", {"seed": 1, "epochs": 2}, {"epochs": 1})


def test_a_spoilt_transcript_names_the_row(store: Store, path: Path) -> None:
    store.save(made())
    for sql in (
        "update transcripts set jsonl = 'x'",
        "update transcripts set jsonl = x'00'",
        "delete from transcripts",
    ):
        spoil(path, sql)
        with pytest.raises(DataError, match=r"consult\.db#chest"):
            store.get("chest")


def test_summary_fields() -> None:
    s = summary(made())
    assert list(s) == [
        "consultation_id", "scenario", "persona", "agents", "seed", "stop_reason", "turns", "orders", "diagnosis",
        "triage", "scores", "audit", "usage",
    ]  # fmt: skip
    assert s["diagnosis"] == {
        "gold": "myocardial_infarction",
        "top": "myocardial_infarction",
        "differential": [
            {"condition": "myocardial_infarction", "icd10": "I21.9", "probability": 0.86},
            {"condition": "angina", "icd10": "I20.9", "probability": 0.1},
        ],
        "correct": True,
        "rank": 1,
    }
    assert s["triage"] == {
        "gold": {"primary": "emergency", "secondary": "resuscitation", "urgency": "emergency"},
        "primary": "internal_medicine",
        "secondary": "cardiology",
        "urgency": "urgent",
        "correct_primary": False,
        "correct_secondary": False,
        "urgency_error": 1,
    }
    assert s["scores"]["inquiry.relevance"] == {"value": 0.75, "unit": "share", "evidence": [4]}
    assert s["scores"]["communication.empathy"]["value"] is None
    assert s["scores"]["communication.empathy"]["reason"] == "no cue was given"
    assert s["audit"]["clean"] is True
    assert s["usage"] == {"calls": 0, "tokens": 0, "cost": 0.0, "roles": {}}


def test_summary_of_a_consultation_that_broke_off() -> None:
    t = made()
    s = summary(Transcript(t.header, t.events[:6]))
    assert s["stop_reason"] is None
    assert s["diagnosis"]["correct"] is None
    assert s["diagnosis"]["reason"]
    assert s["triage"]["correct_primary"] is None
    assert s["audit"] is None


def test_failures_around_the_doctor_are_no_wrong_diagnosis() -> None:
    s = summary(made(StopReason.INFRASTRUCTURE_ERROR, rank=None))
    assert s["diagnosis"]["correct"] is None
    assert summary(made(StopReason.TURN_LIMIT, rank=None))["diagnosis"]["correct"] is False
