"""A run scored again: the transcripts stay, results are added under a version, other content is never used."""

from __future__ import annotations

import ast
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consult.batch import Plan, execute, rescore, setups
from consult.batch.rescore import rescore as score
from consult.cli.main import cli
from consult.errors import UsageError
from consult.events import Scored
from consult.scenario import find_scenario
from consult.settings import PACKAGE
from consult.store import versions
from consult.store.db import Store
from consult.store.packed import packed

CASES = ("worst_monday", "burning_band", "same_old_back")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three scenarios of its own and a store with a run of them."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "cases").mkdir()
    for case in CASES:
        text = find_scenario(case).read_text("utf-8").replace(f"id: {case}", f"id: own_{case}", 1)
        (folder / "cases" / f"own_{case}.yaml").write_text(text, "utf-8")
    plan = Plan(name="r", scenarios=(str(folder / "cases"),), personas=("neutral", "choleric@0.5"), max_turns=2)
    with Store(folder / "c.db") as store:
        assert Counter(d.status for d in execute(plan, setups(plan), store)) == {"done": 6}
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A store of its own for the test; the scenarios are those that the plan names."""
    shutil.copy(finished / "c.db", tmp_path / "c.db")
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store(folder / "c.db") as opened:
        yield opened


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scorers whose sources are others."""
    monkeypatch.setattr(rescore, "scorers", lambda: "newer")


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    conn = sqlite3.connect(folder / "c.db")
    try:
        return conn.execute(query).fetchall()
    finally:
        conn.close()


def total(pages: Iterator[Counter[str]]) -> Counter[str]:
    return sum(pages, Counter[str]())


def test_the_same_scorers_add_nothing(store: Store, folder: Path) -> None:
    before = rows(folder, "select * from results")
    assert total(score(store, "r")) == {}
    assert rows(folder, "select * from results") == before
    assert [(v["version"], v["consultations"], v["latest"]) for v in store.scorings("r")] == [(1, 6, 6)]


@pytest.mark.usefixtures("newer")
def test_newer_scorers_add_a_version_and_change_no_transcript(store: Store, folder: Path) -> None:
    transcripts = rows(folder, "select * from transcripts")
    before = store.consultations("r")
    assert total(score(store, "r")) == {"": 6}
    assert total(score(store, "r")) == {}, "once is enough"
    assert [(v["version"], v["consultations"], v["latest"]) for v in store.scorings("r")] == [(1, 6, 0), (2, 6, 6)]
    assert rows(folder, "select * from transcripts") == transcripts
    assert store.consultations("r") == before == list(store.each("r", version=1)), "the code was the same, after all"
    for row in before:
        name = row["consultation_id"]
        assert store.get(name) == store.scored(name, 1) == store.scored(name, 2) == store.scored(name)


@pytest.mark.usefixtures("newer")
def test_what_newer_scorers_say_is_what_is_shown(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assess = rescore.assess

    def other(case: Any) -> list[Any]:
        return [*assess(case), Scored(name="new.one", value=0.25, unit="share", evidence=(1,))]

    monkeypatch.setattr(rescore, "assess", other)
    total(score(store, "r"))
    (first, *_), (old, *_) = store.each("r"), store.each("r", version=1)
    assert first["scores"] == old["scores"] | {"new.one": 0.25}
    assert [r["scores"] for r in store.each("r", scores=["new.one"], version=1)] == [{}] * 6
    assert [r["scores"] for r in store.each("r", scores=["new.one"])] == [{"new.one": 0.25}] * 6
    said = store.scored(first["consultation_id"]).events
    assert [(e.evidence, e.seq) for e in said if isinstance(e, Scored) and e.name == "new.one"] == [
        ((1,), len(said) - 2)
    ]
    with pytest.raises(UsageError, match="no version 3"):
        store.scored(first["consultation_id"], 3)
    with pytest.raises(UsageError, match="no version 3"):
        list(store.each("r", version=3))


@pytest.mark.usefixtures("newer")
def test_a_killed_scoring_goes_on(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescore, "PAGE", 2)
    pages = score(store, "r")
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    assert [v["latest"] for v in store.scorings("r")] == [4, 2]
    assert total(score(store, "r")) == {"": 4}
    assert [v["latest"] for v in store.scorings("r")] == [0, 6]
    assert rows(folder, "select count(*) from results") == [(12,)]


@pytest.mark.usefixtures("newer")
def test_other_content_is_never_scored_against(finished: Path, store: Store) -> None:
    changed, gone = (finished / "cases" / f"own_{case}.yaml" for case in CASES[:2])
    texts = changed.read_text("utf-8"), gone.read_text("utf-8")
    try:
        changed.write_text(texts[0].replace("title: ", "title: Another ", 1), "utf-8")
        gone.unlink()
        told = total(score(store, "r"))
        assert told == {
            "": 2, "the scenario own_worst_monday has changed since": 2, "the scenario own_burning_band is not there": 2,
        }  # fmt: skip
        before = {row["consultation_id"]: row for row in store.each("r", version=1)}
        for row in store.each("r"):
            old = before[row["consultation_id"]]
            if row["scenario"] == "own_same_old_back":
                assert row == old
                continue
            assert row["correct"] is None
            assert row["gold"] == old["gold"]
            assert row["scores"] == dict.fromkeys(old["scores"])
            reasons = {e.reason for e in store.scored(row["consultation_id"]).events if isinstance(e, Scored)}
            assert len(reasons) == 1
            assert reasons <= set(told)
        assert [v["missing"] for v in store.scorings("r")] == [0, 4]
        assert total(score(store, "r")) == {reason: n for reason, n in told.items() if reason}
        assert [v["consultations"] for v in store.scorings("r")] == [6, 6]
    finally:
        changed.write_text(texts[0], "utf-8")
        gone.write_text(texts[1], "utf-8")
    assert total(score(store, "r")) == {"": 4}, "a missing judgement is made up for once it can be"
    assert store.consultations("r") == list(store.each("r", version=1))


@pytest.mark.usefixtures("newer")
def test_a_damaged_transcript_is_missing_too(store: Store, folder: Path) -> None:
    with sqlite3.connect(folder / "c.db") as conn:
        conn.execute("update transcripts set jsonl = x'00' where consultation = 1")
        conn.execute("update transcripts set jsonl = ? where consultation = 2", (packed("[]\n"),))
    conn.close()
    told = total(score(store, "r"))
    assert told.pop("") == 4
    assert len(told) == 2
    assert sum(told.values()) == 2


def test_several_processes_make_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers' own hash is written, so the version that is there is made to look older."""
    with sqlite3.connect(folder / "c.db") as conn:
        conn.execute("update scorings set scorers = 'older'")
    conn.close()
    monkeypatch.setattr(rescore, "PAGE", 3)
    with Store(folder / "c.db") as store:
        assert total(score(store, "r", jobs=2)) == {"": 6}
        assert store.consultations("r") == list(store.each("r", version=1))
        assert [v["scorers"] for v in store.scorings("r")] == ["older", versions.scorers()]


@pytest.mark.usefixtures("newer")
def test_the_command(folder: Path, finished: Path) -> None:
    db = str(folder / "c.db")
    path = finished / "cases" / "own_worst_monday.yaml"
    text = path.read_text("utf-8")
    path.unlink()
    try:
        result = CliRunner().invoke(cli, ["score", "r", "--jobs", "1", "--db", db])
        assert result.exit_code == 3
        assert "missing: 2 consultations: the scenario own_worst_monday is not there" in result.stderr
        assert "4 scored now, 0 scored before, 2 missing" in result.stderr
    finally:
        path.write_text(text, "utf-8")
    result = CliRunner().invoke(cli, ["score", "r", "--jobs", "1", "--db", db, "--json"])
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert (said["scored"], said["scored_before"], said["missing"], said["reasons"]) == (2, 4, 0, {})
    assert [(v["version"], v["latest"], v["scorers"] == "newer") for v in said["versions"]] == [
        (1, 0, False),
        (2, 6, True),
    ]
    assert CliRunner().invoke(cli, ["score", "x", "--db", db]).exit_code == 2


def test_no_such_run(store: Store) -> None:
    with pytest.raises(UsageError, match="no run 'x'"):
        list(score(store, "x"))


def test_the_hash_covers_all_that_a_score_hangs_on() -> None:
    """Every module of ours that the scorers import, and what those import, is among the sources."""
    todo = sorted((PACKAGE / "score").glob("*.py"))
    met: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in met:
            met.add(path)
            todo += _imported(path)
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in met}
    assert {"score", "language", "knowledge", "events", "."} == folders == set(versions.SOURCES)


def _imported(path: Path) -> list[Path]:
    out = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("consult"):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("consult")]
        else:
            continue
        for name in names:
            place = PACKAGE.parent.joinpath(*name.split("."))
            out += [p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()]
    return [p for p in out if p != PACKAGE / "__init__.py"]


def test_another_source_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "PACKAGE", tmp_path)
    for folder in versions.SOURCES:
        (tmp_path / folder).mkdir(exist_ok=True)
    source = tmp_path / "score" / "one.py"
    seen = []
    for text in (b"a = 1\n", b"a = 1\r\n", b"a = 2\n"):
        source.write_bytes(text)
        versions.scorers.cache_clear()
        seen.append(versions.scorers())
    versions.scorers.cache_clear()
    assert seen[0] == seen[1] != seen[2]
