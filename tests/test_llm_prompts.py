"""Prompts: found, overridden file by file, strict about fields, identified by version and hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from consult.errors import DataError
from consult.llm.prompts import Prompts


@pytest.fixture
def built_in(tmp_path: Path) -> Path:
    write(
        tmp_path / "built_in",
        "patient/system",
        "{# version: 2 #}\nYou are {{ name }}.\n{% for f in facts %}\n- {{ f }}\n{% endfor %}\n",
    )
    return write(tmp_path / "built_in", "inquirer", "{# version: 1 #}\nAsk{% if name == 'Bo' %} Bo{% endif %}.\n")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.jinja"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return folder


def test_fields_are_filled_in_and_never_read_as_a_template(built_in: Path) -> None:
    got = Prompts([built_in]).render("patient/system", name="<Ann> {{ gold }}", facts=["it hurts", "14 days"])
    assert got == "You are <Ann> {{ gold }}.\n- it hurts\n- 14 days"


def test_ones_own_file_stands_for_the_built_in_one(built_in: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "own", "inquirer", "{# version: 7 #}\nAsk kindly.")
    plain, mine = Prompts([built_in]), Prompts([own, built_in])
    assert (plain.render("inquirer", name="Ann"), mine.render("inquirer")) == ("Ask.", "Ask kindly.")
    assert mine.render("patient/system", name="Ann", facts=[]) == "You are Ann."
    assert plain.identity["inquirer"]["version"] == 1
    assert mine.identity["inquirer"] | {"sha256": ""} == {"version": 7, "sha256": "", "own": True}
    assert mine.identity["patient/system"] == plain.identity["patient/system"]
    assert plain.fingerprint != mine.fingerprint
    assert plain.fingerprint == Prompts([built_in]).fingerprint


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "inquirer",
            "{# version: 1 #}\n\n{{ naem }}",
            r"inquirer\.jinja: 'naem' is undefined \(mend: its fields are: name\)",
        ),
        (
            "inquirer",
            "{# version: 1 #}\n{{ name.first }}",
            r"inquirer\.jinja: .*no attribute 'first' \(mend: its fields are",
        ),
        ("inquirer", "{# version: 1 #}\n{% if %}", r"inquirer\.jinja:2: .*Jinja"),
        ("inquirer", "{# version: 1 #}\n{% include 'none.jinja' %}", r"inquirer\.jinja: cannot be rendered"),
        (
            "inquierer",
            "{# version: 1 #}",
            r"inquierer\.jinja: there is no prompt of this name \(mend: one of: inquirer, pat",
        ),
        ("inquirer", "Ask.", r"inquirer\.jinja:1: has no version \(mend: begin it with"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_mend(
    built_in: Path, tmp_path: Path, name: str, text: str, words: str
) -> None:
    prompts = Prompts([write(tmp_path / "own", name, text), built_in])
    with pytest.raises(DataError, match=words):
        (prompts.identity, prompts.render("inquirer", name="Ann"))


def test_a_slip_in_ones_own_prompt_is_said_before_anything_is_asked(built_in: Path, tmp_path: Path) -> None:
    for text in ("{{ naem }}", "{% if %}"):
        prompts = Prompts([write(tmp_path / "own", "inquirer", f"{{# version: 1 #}}{text}"), built_in])
        with pytest.raises(DataError, match=r"inquirer\.jinja"):
            prompts.identity  # noqa: B018


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none: is no folder"):
        Prompts([tmp_path / "none"])
