"""What is kept in memory: given again while the file is the same, read anew when it has changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from consult.hospital import hospital_files, load_hospital
from consult.knowledge.load import load_knowledge
from consult.knowledge.per_object import per_object
from consult.persona import load_persona, persona_files


def test_the_same_object_while_nothing_changes() -> None:
    assert load_knowledge() is load_knowledge("general")
    assert load_hospital() is load_hospital("general")
    assert load_persona("choleric@0.5") is load_persona("choleric@0.5")


def test_an_edited_file_is_read_anew(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    text = persona_files()["choleric"].read_text("utf-8")
    mine.write_text(text, "utf-8")
    before = load_persona(str(mine))
    mine.write_text(text.replace("name: Choleric", "name: Someone quite different"), "utf-8")
    assert load_persona(str(mine)).name == "Someone quite different" != before.name


def test_a_relative_path_means_what_it_means_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        text = hospital_files()["general"].read_text("utf-8")
        (tmp_path / name / "h.yaml").write_text(text.replace("id: general\n", f"id: {name}\n", 1), "utf-8")
    monkeypatch.chdir(tmp_path / "one")
    assert load_hospital("h.yaml").id == "one"
    monkeypatch.chdir(tmp_path / "two")
    assert load_hospital("h.yaml").id == "two"


def test_grade_zero_is_neutral_in_all_that_decides() -> None:
    zero, neutral = load_persona("choleric@0"), load_persona("neutral")
    assert (zero.traits, zero.temper.start, zero.recall) == (neutral.traits, neutral.temper.start, neutral.recall)


def test_a_file_name_may_hold_an_at_sign(tmp_path: Path) -> None:
    odd = tmp_path / "me@work.yaml"
    odd.write_text(persona_files()["sanguine"].read_text("utf-8"), "utf-8")
    assert load_persona(str(odd)).id == "sanguine"
    assert load_persona(f"{odd}@0.5").id == "sanguine@0.5"


def test_threads_that_begin_at_once_build_one_thing_once() -> None:
    begun, built = Barrier(8), list[object]()

    def build(key: object) -> object:
        built.append(key)
        return object()

    get, key = per_object(build), object()

    def ask(_: int) -> object:
        begun.wait(30)
        return get(key)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert built == [key]
