"""The tree itself: what light commands load, layers, sizes, no trace of one machine, and what a wheel contains."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

from consult.settings import DEFAULT_DB
from consult.store.db import Store

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "consult"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("litellm", "aiohttp", "textual_serve", "langgraph", "textual", "scipy", "wordllama", "ray")
HOMES = {
    "textual": "tui", "textual_serve": "web", "litellm": "llm", "aiohttp": "llm web", "langgraph": "sim",
    "sqlite_utils": "store", "wordllama": "language", "yaml": "files.py", "ray": "batch", "imagesize": "agents",
}  # fmt: skip
"""The only places in the package where each is imported."""
TEXT = (
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".json",
    ".jsonl",
    ".cff",
    ".svg",
    ".txt",
    ".cfg",
    ".sh",
    ".jinja",
    ".css",
    ".js",
    "",
)


Loaded = tuple[str, set[str]]
"""What a command printed, and the top-level modules that there were at its end."""
LIGHT = (
    "--help", "serve --help", "list scenarios", "list consultations", "list agents",
    "show ID", "replay ID --speed 0", "replay ID --html -",
)  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Loaded]:
    """A folder with one consultation in its database, and what was loaded to play it."""
    folder = tmp_path_factory.mktemp("kept")
    return folder, consult(folder, "run --max-turns 1 --quiet")[0]


@pytest.fixture(scope="module")
def light(kept: tuple[Path, Loaded]) -> dict[str, Loaded]:
    """The light commands one after the other in one process: what one loads, those after it have, too."""
    folder, _ = kept
    with Store(folder / DEFAULT_DB, readonly=True) as store:
        identifier = store.consultations()[0]["consultation_id"]
    return dict(zip(LIGHT, consult(folder, *(words.replace("ID", identifier) for words in LIGHT)), strict=True))


def consult(folder: Path, *commands: str) -> list[Loaded]:
    """Commands in a process of their own."""
    code = (
        "import sys\n"
        "from consult.cli.main import main\n"
        "for words in sys.argv[1:]:\n"
        "    sys.argv = ['consult', *words.split()]\n"
        "    assert main() == 0\n"
        "    print(end='\\0', flush=True)\n"
        "    print('\\0', *sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)\n"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("CONSULT_")} | {"PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *commands], cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8",
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = (set(part.splitlines()[0].split()) for part in done.stderr.split("\0")[1:])
    return list(zip(done.stdout.split("\0")[:-1], loaded, strict=True))


@pytest.mark.parametrize("words", LIGHT)
def test_light_commands_load_nothing_heavy(words: str, light: dict[str, Loaded]) -> None:
    out, loaded = light[words]
    assert out
    assert "click" in loaded
    assert not loaded & set(HEAVY)


def test_a_run_is_seen_to_load_the_graph(kept: tuple[Path, Loaded]) -> None:
    """Else the test above could not fail."""
    assert "langgraph" in kept[1][1]


def test_layers_are_kept() -> None:
    code = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert re.search(r"[1-9]\d* kept, 0 broken", done.stdout)


def test_the_page_names_every_layer() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = next(c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    layers = [{n.strip("() ").removeprefix("consult.") for n in row.split("|")} for row in contract["layers"]]
    there = {p.stem for p in PACKAGE.glob("*.py")} | {p.parent.name for p in PACKAGE.glob("*/*.py")}
    table = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("| layer |")[2].partition("\n\n")[0]
    named = [set(re.findall(r"`(\w+)`", line.split("|")[1])) for line in table.splitlines()[2:]]
    assert named == [row & there for row in layers if row & there]


@pytest.mark.parametrize("library", HOMES)
def test_each_library_has_one_home(library: str) -> None:
    users = {m.relative_to(PACKAGE).parts[0] for m in MODULES if library in _imports(m)}
    assert users <= set(HOMES[library].split())


@cache
def _imports(path: Path) -> set[str]:
    out = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            out |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            out.add(node.module.partition(".")[0])
    return out


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_modules_are_short_and_say_what_they_own(path: Path) -> None:
    source = path.read_text("utf-8")
    assert source.count("\n") <= 500
    assert path.stem not in ("utils", "helpers", "misc")
    if source.strip():
        assert ast.get_docstring(ast.parse(source)), "no docstring"


def test_chance_is_always_seeded() -> None:
    loose = re.compile(r"(?<![\w.])(?:random\.(?:random|choice|choices|shuffle|randint|seed)|hash)\(|np\.random\b")
    assert [p.name for p in MODULES if loose.search(p.read_text("utf-8"))] == []


def tracked() -> list[Path]:
    """Text files of the repository, new ones too; of the folder, where there is no git."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        done = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        files = [ROOT / name.decode() for name in done.stdout.split(b"\0") if name]
    else:
        skipped = re.compile(r"/(?:\.[^/]+|__pycache__|dist|build)/")
        files = [p for p in ROOT.rglob("*") if not skipped.search(f"/{p.relative_to(ROOT).as_posix()}")]
    return [p for p in files if p.is_file() and p.suffix in TEXT]


TRACES = {
    "absolute path": re.compile(r"(?<![\w.:/])/(?:work|root|home|Users|opt)/\w|\b[A-Z]:\\\\?Users"),
    "registry host": re.compile(
        r"pypi\.(?:org|python)|pythonhosted|(?:test|mirror|proxy)\.pypi|--(?:extra-)?index-url|PIP_INDEX|/simple\b"
    ),
    "secret": re.compile(r"\bsk-[A-Za-z0-9]{16,}|\bghp_\w{20,}|\bAKIA[0-9A-Z]{16}\b"),
}


@pytest.mark.parametrize("kind", TRACES)
def test_no_trace_of_one_machine(kind: str) -> None:
    files = [p for p in tracked() if p.resolve() != Path(__file__).resolve()]
    assert len(files) > 50
    found = [
        f"{p.relative_to(ROOT)}:{n}: {line.strip()[:80]}"
        for p in files
        for n, line in enumerate(p.read_text("utf-8").splitlines(), 1)
        if TRACES[kind].search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("kind", "line"),
    [("absolute path", 'open("/home/me/x")'), ("registry host", "pip --index-url x"), ("secret", "sk-" + "a" * 20)],
)
def test_traces_are_recognised(kind: str, line: str) -> None:
    assert TRACES[kind].search(line)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed, and building without it would need the network")
    folder = tmp_path_factory.mktemp("wheel")
    args = (
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--quiet",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    )
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("consult-*.whl"))


def test_the_wheel_has_everything(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as z:
        names = set(z.namelist())
    for folder, inside in (
        ("personas", "consult/_builtin/personas"),
        ("scenarios", "consult/_builtin/scenarios"),
        ("consult", "consult"),
    ):
        data = [
            p
            for p in (ROOT / folder).rglob("*")
            if p.suffix in (".yaml", ".json", ".jinja", ".css", ".js", ".html", ".py", ".typed")
        ]
        expected = {f"{inside}/{p.relative_to(ROOT / folder).as_posix()}" for p in data}
        assert expected, folder
        assert expected <= names
    assert any(n.startswith("consult/knowledge/data/general/") for n in names)
    assert any(n.endswith("/licenses/LICENSE") for n in names)
    assert not [n for n in names if n.startswith(("tests/", "docs/"))]


def test_the_wheel_runs_by_itself(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as z:
        z.extractall(site)
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "from consult.settings import PACKAGE; print(PACKAGE)\n"
        "from consult.cli.main import main; sys.exit(main())"
    )
    args = ("run", "--max-turns", "1", "--no-save", "--quiet")
    done = subprocess.run(
        [sys.executable, "-c", code, str(site), *args], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site.resolve()))
    assert "Patient" in done.stdout
