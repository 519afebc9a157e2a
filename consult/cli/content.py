"""`consult sample`, `import`, `fit`, `check` and `schema`: cases, knowledge and other files, in and out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click

from consult.cli import options
from consult.cli.output import counted, note, print_json
from consult.errors import DataErrors, UsageError

FILE: Final = click.Path(path_type=Path)
KINDS: Final = (
    "scenario", "persona", "hospital", "knowledge", "plan", "action", "event", "header", "transcript", "report", "comparison",
    "rubric", "predictions", "few-shot",
)  # fmt: skip


@click.command("sample")
@click.argument("count", metavar="N", type=click.IntRange(1, 1_000_000))
@options.option("--to", type=FILE, required=True, help="The folder they are written to.")
@options.option("--seed", type=int, default=0, show_default=True, help="Same seed, same scenarios.")
@options.option(
    "--knowledge", default="general", show_default=True, metavar="NAME|PATH", help="What they are drawn from."
)
def sample(count: int, to: Path, seed: int, knowledge: str) -> None:
    """Draw N new scenarios from a knowledge, one YAML file each."""
    from consult.files import dump_yaml
    from consult.knowledge.load import load_knowledge
    from consult.sample import sample as draw

    _make_folder(to)
    written = 0
    for scenario in draw(count, seed, load_knowledge(knowledge)):
        text = dump_yaml(scenario.model_dump(mode="json", exclude_defaults=True))
        _write_new(to / f"{scenario.id}.yaml", text)
        written += 1
    click.echo(f"{counted(written, 'scenario')} written to {to}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        what = f"the folder {folder} cannot be made: {e.strerror or e}"
        raise UsageError(f"--to: {what} (mend: give another folder)") from None


def _write_new(path: Path, text: str) -> None:
    """Writes a file; one that is there with other content is left alone."""
    if path.exists() and path.read_bytes() != text.encode():
        raise UsageError(f"--to: {path} is there with other content (mend: give another folder)")
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)  # whole or not at all


@click.group("import")
def import_group() -> None:
    """Bring in other people's cases."""


@import_group.command("ddxplus")
@click.argument("patients", type=FILE)
@options.option("--conditions", type=FILE, required=True, help="release_conditions.json")
@options.option("--evidences", type=FILE, required=True, help="release_evidences.json")
@options.option("--to", type=FILE, required=True, help="The folder the scenarios are written to.")
@options.option("--limit", type=click.IntRange(1), help="Take the first N patients only.")
def import_ddxplus(patients: Path, conditions: Path, evidences: Path, to: Path, limit: int | None) -> None:
    """Patients of DDXPlus as scenarios."""
    from consult.importers.ddxplus import import_patients

    _make_folder(to)
    count = import_patients(patients, conditions, evidences, to, limit)
    click.echo(f"{counted(count, 'scenario')} written to {to}")


@import_group.command("rubrics")
@click.argument("form", metavar="FORM", type=click.Choice(["healthbench", "quark"]))
@click.argument("path", metavar="FILE", type=FILE)
@options.option("--to", type=FILE, required=True, help="The folder the rubrics are written to.")
@options.option("--limit", type=click.IntRange(1), help="Take the first N only.")
def import_rubrics(form: str, path: Path, to: Path, limit: int | None) -> None:
    """Rubrics of others, one file for each of their examples.

    FORM is healthbench (JSON Lines with `rubrics` of criterion, points and tags) or quark (JSON or JSON Lines with
    `rubrics` of title, tier, tag and levels).
    """
    from consult.files import dump_yaml
    from consult.importers.rubrics import read_rubrics
    from consult.judge.rubric import plain

    _make_folder(to)
    written = 0
    for rubric in read_rubrics(form, path, limit):
        _write_new(to / f"{rubric.id}.yaml", dump_yaml(plain(rubric)))
        written += 1
    click.echo(f"{counted(written, 'rubric')} written to {to}")


@click.group("fit")
def fit_group() -> None:
    """Estimate a knowledge from patient records."""


@fit_group.command("ddxplus")
@options.option("--conditions", type=FILE, required=True, help="release_conditions.json")
@options.option("--evidences", type=FILE, required=True, help="release_evidences.json")
@options.option("--patients", type=FILE, required=True, help="The records to count.")
@options.option("--out", type=FILE, required=True, help="The knowledge file that is written.")
def fit_ddxplus(conditions: Path, evidences: Path, patients: Path, out: Path) -> None:
    """A knowledge from records of DDXPlus."""
    from consult.importers.ddxplus_fit import fit

    fit(conditions, evidences, patients, out)
    click.echo(f"knowledge written to {out}")


@click.command("check")
@click.argument("paths", nargs=-1, type=FILE)
@options.option(
    "--knowledge",
    metavar="NAME|PATH",
    help="What they are checked against. Default: the one that each file is coded in.",
)
def check(paths: tuple[Path, ...], knowledge: str | None) -> None:
    """Check files that people write.

    PATHS are files or folders of scenarios, personas, hospitals, plans, rubrics, knowledge, predictions and few-shot examples;
    without any, everything that is installed is checked. One line a problem, exit code 2 if there is one.
    """
    from consult.check import check_paths

    for path in paths:
        if not path.exists():
            raise UsageError(f"PATHS: {path} is not there (mend: check the path)")
    files = _files(paths or _installed())
    if not files:
        what = f"there is nothing to check in {', '.join(map(str, paths))}" if paths else "there is nothing to check"
        raise UsageError(f"PATHS: {what} (mend: give .yaml, .yml or .json files, or folders that hold some)")
    problems = list(check_paths(list(paths), knowledge=knowledge, note=note))
    if problems:
        raise DataErrors(problems)
    click.echo(f"{counted(len(files), 'file')}, no problem")


def _installed() -> list[Path]:
    from consult.settings import PACKAGE, search_path

    ours = (PACKAGE / "knowledge" / "data", PACKAGE / "judge" / "data")
    roots = [*search_path("scenarios"), *search_path("personas"), *ours]
    return [root for root in roots if root.is_dir()]


def _files(paths: Iterable[Path]) -> set[Path]:
    from consult.files import files_under

    return {file.resolve() for path in paths for file in (files_under(path) if path.is_dir() else [path])}


@click.command("schema")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
def schema(kind: str) -> None:
    """Print the JSON Schema of a file format.

    KIND is scenario, persona, hospital, knowledge, plan, rubric, predictions (of a classifier), few-shot, action, event, header,
    transcript (each of its lines), report or comparison (what `consult report --json` and `consult compare --json` print).
    """
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(kind)})


def _schema(kind: str) -> dict[str, Any]:
    from pydantic import TypeAdapter

    from consult import actions, batch, events, hospital, persona, scenario
    from consult.agents.llm.briefing import FewShot
    from consult.agents.llm.classifiers import Predictions
    from consult.judge.rubric import Rubric
    from consult.knowledge.model import Knowledge
    from consult.report.comparison import Comparison
    from consult.report.model import Report

    shapes: dict[str, Any] = {
        "scenario": scenario.Scenario,
        "persona": persona.Persona,
        "hospital": hospital.Hospital,
        "knowledge": Knowledge,
        "plan": batch.Plan,
        "action": actions.Action,
        "event": events.Event,
        "header": events.Header,
        "transcript": events.Header | events.Event,
        "report": Report,
        "comparison": Comparison,
        "rubric": Rubric,
        "predictions": Predictions,
        "few-shot": FewShot,
    }
    made: dict[str, Any] = TypeAdapter(shapes[kind]).json_schema()
    return made
