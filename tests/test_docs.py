"""README and docs say what is so: every command and Python block is run, every table is made from the models."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import typing
import xml.etree.ElementTree as ET
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml
from click.testing import CliRunner
from handmade import made as by_hand
from rich.console import Console

from consult.agents.base import InquirerView, PatientView, TriageView
from consult.batch import Plan, line_ups
from consult.cli.main import cli
from consult.events import Guarded, StopReason
from consult.hospital import load_hospital
from consult.knowledge.load import load_knowledge
from consult.persona import Cause
from consult.scenario import Release, scenario_files
from consult.settings import DEFAULT_DB
from consult.store.db import Store

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET_UP = "python3 -m venv .venv && "
PARSED_ONLY = ("docs/ddxplus.md",)
"""Pages whose commands take the whole data set: options and arguments are checked, nothing is run."""
DDXPLUS = ROOT.parent / "shared" / "data" / "ddxplus"
HEAVY = ("patients.csv", "ddxplus.json")


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(text_of(page)) if language in languages]


def commands(block: str) -> list[str]:
    lines = block.replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip() and not line.startswith("#")]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_files(page: str, folder: Path) -> list[Path]:
    """The page's files: blocks whose first line names one."""
    written = []
    for language, body in FENCE.findall(text_of(page)):
        named = re.match(r"# ([\w-]+\.(?:yaml|py|toml))\n", body)
        if named:
            assert Path(named[1]).suffix in {"yaml": (".yaml",), "python": (".py",), "toml": (".toml",)}[language]
            (folder / named[1]).write_text(body, "utf-8")
            written.append(folder / named[1])
    return written


def run(line: str) -> None:
    """One `consult …` line in this process, in the present folder."""
    words = shlex.split(line)
    assert words[0] == "consult", line
    if "ID" in words:
        with Store(DEFAULT_DB, readonly=True) as store:
            words[words.index("ID")] = store.consultations()[-1]["consultation_id"][:10]
    result = CliRunner().invoke(cli, words[1:], prog_name="consult")
    assert result.exit_code == 0, f"{line}\n{result.output}"


def parsed(words: list[str]) -> click.Command:
    """The command that words name, after its options have been read. Raises click.ClickException."""
    command: click.Command = cli
    ctx: click.Context | None = None
    rest = words[1:]
    while isinstance(command, click.Group):
        ctx = click.Context(command, parent=ctx, info_name=command.name)
        name = rest.pop(0)
        found = command.get_command(ctx, name)
        assert found is not None, f"there is no command {name!r}"
        command = found
    command.make_context(command.name, rest, parent=ctx)
    return command


def needs_data(block: str) -> bool:
    return any(word in block for word in HEAVY)


@pytest.mark.parametrize("page", [p for p in PAGES if p.startswith("docs/")])
def test_tables_are_fresh(page: str) -> None:
    fresh = script("make_tables").render(text_of(page))
    assert fresh == text_of(page), f"{page} is stale: run python docs/make_tables.py"


def test_no_words_for_fields_that_are_gone() -> None:
    tables = script("make_tables")
    used: set[str] = set()

    class Noting(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            used.add(key)
            return super().__getitem__(key)

    tables.WORDS = Noting(tables.WORDS)
    for page in PAGES:
        tables.render(text_of(page))
    assert set(tables.WORDS) - used == set()


def test_a_stale_table_is_noticed() -> None:
    page = text_of("docs/scenario.md")
    assert script("make_tables").render(page.replace("| `finding` |", "| `findings` |", 1)) == page


@pytest.mark.parametrize("page", [p for p in PAGES if p not in PARSED_ONLY])
def test_commands_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = write_files(page, tmp_path)
    for block in blocks(page, "sh", "console"):
        for line in [] if needs_data(block) else commands(block):
            if line.startswith(SET_UP):
                assert line in (main_job(), test_command())
            elif "--api-base" in line:
                parsed(shlex.split(line))  # run in test_llm_probe, where there is a server
            elif line.startswith("consult serve"):
                parsed(shlex.split(line))  # run in test_serve, where it is ended
            elif line.startswith("python "):
                assert (ROOT / line.split()[1]).is_file(), line
            else:
                run(line)
    used = " ".join(" ".join(commands(b)) for b in blocks(page, "sh"))
    unused = [f.name for f in files if f.suffix == ".yaml" and f.name not in used]
    assert not unused, f"{page} shows {unused} and no command that uses it"


@pytest.mark.parametrize("page", [p for p in PAGES if any(needs_data(b) for b in blocks(p, "sh"))])
def test_commands_on_ddxplus_parse(page: str) -> None:
    for block in blocks(page, "sh"):
        for line in commands(block):
            if line.startswith("consult "):
                parsed(shlex.split(line))


def test_a_wrong_option_does_not_parse() -> None:
    with pytest.raises(click.ClickException):
        parsed(["consult", "sample", "5", "--into", "x"])


@pytest.mark.skipif(not DDXPLUS.is_dir(), reason="the DDXPlus files are not beside this checkout")
def test_commands_on_ddxplus_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in DDXPLUS.iterdir():
        shutil.copy(file, tmp_path)
    for block in blocks("README.md", "sh"):
        for line in commands(block) if needs_data(block) else []:
            run(line)
    assert len(list((tmp_path / "ddx").glob("*.yaml"))) == 5


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")])
def test_python_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for n, block in enumerate(blocks(page, "python")):
        exec(compile(block, f"{page}#{n}", "exec", dont_inherit=True), {"__name__": f"block{n}"})


@pytest.mark.parametrize("page", PAGES)
def test_yaml_blocks_are_yaml(page: str) -> None:
    for block in blocks(page, "yaml"):
        assert isinstance(yaml.safe_load(block), dict)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(page))):
        if not target.startswith("https://"):
            assert (folder / target.partition("#")[0]).exists(), target


def test_the_queries_of_the_page_on_the_store(tmp_path: Path) -> None:
    with Store(tmp_path / "c.db") as store:
        store.save(by_hand())
    with sqlite3.connect(tmp_path / "c.db") as db:
        for query in (line for block in blocks("docs/store.md", "sql") for line in block.splitlines()):
            assert db.execute(query).fetchall()
        tables = {row[0] for row in db.execute("select name from sqlite_master where type in ('table', 'view')")}
    db.close()
    ours = {name for name in tables if not name.startswith(("said_", "sqlite_"))} - {"migrations"}
    assert ours <= first_column("docs/store.md")


def test_every_page_is_linked_from_the_readme() -> None:
    assert [p for p in PAGES if p != "README.md" and f"]({p})" not in text_of("README.md")] == []


def set_ups() -> list[str]:
    return [line for b in blocks("README.md", "sh") for line in commands(b) if line.startswith(SET_UP)]


def main_job() -> str:
    return set_ups()[0]


def test_command() -> str:
    return set_ups()[1]


test_command.__test__ = False  # type: ignore[attr-defined]  # a helper, whatever its name says


def test_the_readme_has_exactly_two_commands_from_a_fresh_clone() -> None:
    first, second = set_ups()
    assert first.endswith(".venv/bin/consult run")
    assert second.endswith(".venv/bin/python tests/run.py")
    assert all(".venv/bin/pip install -q " in line for line in (first, second))


def test_ci_runs_the_very_command_of_the_readme() -> None:
    lines = text_of(".ci/run").splitlines()
    assert lines[0].startswith("#!")
    assert lines[-1] == test_command()
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=False).returncode == 0


def first_column(page: str) -> set[str]:
    """The words in code style that begin the rows of a page's tables."""
    cells = re.findall(r"^\| ([^|]+) \|", text_of(page), re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(
    ("page", "members"),
    [("docs/transcript.md", StopReason), ("docs/fairness.md", Cause), ("docs/fairness.md", Release)],
)
def test_closed_sets_are_told_in_full(page: str, members: type[StrEnum]) -> None:
    assert {m.value for m in members} <= first_column(page)


def test_breaches_are_told_in_full() -> None:
    assert set(typing.get_args(Guarded.model_fields["breach"].annotation)) <= first_column("docs/fairness.md")


@pytest.mark.parametrize("view", [InquirerView, PatientView, TriageView])
def test_views_are_told_in_full(view: type) -> None:
    section = text_of("docs/agents.md").partition(f"| `{view.__name__}` |")[2].partition("\n\n")[0]
    names = {f.name for f in dataclasses.fields(view)} - {"hear"} | (
        {"dialogue"} if hasattr(view, "dialogue") else set()
    )
    assert {name for name in names if f"`{name}`" not in section} == set()


def test_results_of_a_batch_are_told_in_full() -> None:
    row = {"inquirer": "a", "persona": "b", "correct": True, "rank": 1, "turns": 1, "orders": 0, "clean": True}
    line = line_ups(Plan(), [row | {"stop_reason": "concluded", "agents": {}}])[0]
    listed = re.search(r"A line of `results` has `([^`]+)`", text_of("docs/batch.md"))
    assert listed is not None
    assert listed[1].split(", ") == list(line)


@pytest.fixture(scope="module")
def drawn() -> dict[str, Console]:
    """The pictures, made anew."""
    made: dict[str, Console] = script("make_picture").consoles()
    return made


@pytest.mark.parametrize("name", ["run", "card", "tui", "debrief"])
def test_pictures_are_fresh(name: str, drawn: dict[str, Console]) -> None:
    console = drawn[name]
    root = ET.parse(ROOT / "docs" / "images" / f"{name}.svg").getroot()
    there = {"".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert "url(" not in (ROOT / "docs" / "images" / f"{name}.svg").read_text().replace("url(#", "")
    for line in console.export_text().splitlines():
        for word in re.findall(r"\b[A-Za-z_]{4,}\b", line):
            assert any(word in t for t in there), f"{word}: run python docs/make_picture.py"


def test_the_plug_in_example_works(tmp_path: Path) -> None:
    """Its entry point is installed as pip would write it, in a folder of its own."""
    import tomllib

    write_files("docs/agents.md", tmp_path)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))["project"]
    points = project["entry-points"]["consult.agents"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (info / "entry_points.txt").write_text(f"[consult.agents]\n{lines}")
    name = next(iter(points))
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from consult.cli.main import main\n"
        "for line in sys.argv[1:]:\n"
        "    sys.argv = ['consult', *line.split()]\n"
        "    assert main() == 0\n"
        "    print('---')"
    )
    lines = ("list agents", f"run throat_before_exams --inquirer {name} --quiet --no-save")
    done = subprocess.run(
        [sys.executable, "-c", code, *lines], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    agents, played, _ = done.stdout.split("---\n")
    assert name in agents
    assert "Do you have a fever?" in played


def test_the_readme_counts_what_there_is() -> None:
    k = load_knowledge()
    places = [len(load_hospital(name).parent_of) for name in ("general", "community")]
    counts = f"{len(scenario_files())} scenarios", f"{len(k.conditions)} conditions", f"{len(k.findings)} findings"
    for words in (*counts, f"{len(k.orders)} orders", f"{places[0]} places to send to", f"one with {places[1]}"):
        assert words in " ".join(text_of("README.md").split()), words
