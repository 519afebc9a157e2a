"""`consult list …` and `consult db …`: what there is. A broken file does not break a list; it is told at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from consult.cli import options
from consult.cli.output import note, print_json, print_table
from consult.errors import ConsultError, DataError, DataErrors
from consult.settings import DEFAULT_DB

if TYPE_CHECKING:
    from consult.store.db import Store

T = TypeVar("T")


@click.group("list")
def list_group() -> None:
    """Show what there is: scenarios, personas, agents, runs …"""


def _print(rows: list[dict[str, Any]], columns: Sequence[str], *, as_json: bool, spare: Sequence[str] = ()) -> None:
    """`spare`: columns that a narrow terminal does without, the least important first."""
    if as_json:
        print_json(rows)
    else:
        titles = [c.replace("_", " ") for c in columns]
        print_table(titles, [[row[c] for c in columns] for row in rows], spare=[c.replace("_", " ") for c in spare])


def _each(files: Mapping[str, Path], load: Callable[[Path], T]) -> tuple[list[tuple[Path, T]], list[DataError]]:
    """What loads, by name, and what is wrong with the rest."""
    good: list[tuple[Path, T]] = []
    bad: list[DataError] = []
    for name in sorted(files):
        try:
            good.append((files[name], load(files[name])))
        except DataErrors as e:
            bad += e.errors
        except DataError as e:
            bad.append(e)
        except ConsultError as e:
            bad.append(DataError(str(e), file=str(files[name])))
    return good, bad


def _told(problems: list[DataError]) -> None:
    if problems:
        raise DataErrors(problems)


@list_group.command("scenarios")
@options.folders("A folder or file to list too. Repeatable.")
@options.as_json
def scenarios(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """The cases; not their answers."""
    from consult.scenario import load_scenario, scenario_files

    good, bad = _each(scenario_files(folders), load_scenario)
    rows: list[dict[str, Any]] = [
        {
            "id": s.id,
            "title": s.title,
            "age": s.patient.age,
            "sex": str(s.patient.sex),
            "speaker": str(s.patient.speaker),
            "tags": list(s.tags),
            "knowledge": s.knowledge,
            "facts": len(s.facts),
            "orders": len(s.orders),
            "source": s.source,
            "file": str(path),
        }
        for path, s in good
    ]
    shown = rows if as_json else [r | {"tags": ", ".join(r["tags"])} for r in rows]
    columns = ("id", "title", "age", "sex", "speaker", "tags", "knowledge")
    _print(shown, columns, as_json=as_json, spare=("knowledge", "speaker", "tags", "sex", "age"))
    _told(bad)


@list_group.command("personas")
@options.as_json
def personas(*, as_json: bool) -> None:
    """Temperaments, to be graded and given axes."""
    from consult.files import load
    from consult.persona import Persona, persona_files

    good, bad = _each(persona_files(), lambda path: load(path, Persona))
    rows = [
        {
            "id": p.id,
            "name": p.name,
            "description": p.description,
            "language": p.language,
            "health_literacy": p.health_literacy,
            "file": str(path),
        }
        for path, p in good
    ]
    _print(rows, ("id", "name", "description"), as_json=as_json)
    _told(bad)


@list_group.command("hospitals")
@options.as_json
def hospitals(*, as_json: bool) -> None:
    """The department trees."""
    from consult.files import load
    from consult.hospital import Hospital, hospital_files

    good, bad = _each(hospital_files(), lambda path: load(path, Hospital))
    rows = [
        {
            "id": h.id,
            "name": h.name,
            "description": h.description,
            "knowledge": h.knowledge,
            "departments": len(h.departments),
            "sub_departments": len(h.parent_of),
            "file": str(path),
        }
        for path, h in good
    ]
    columns = ("id", "name", "departments", "sub_departments", "knowledge", "description")
    _print(rows, columns, as_json=as_json, spare=("knowledge", "sub_departments", "departments"))
    _told(bad)


@list_group.command("agents")
@options.as_json
def agents(*, as_json: bool) -> None:
    """The agent specs that --inquirer, --patient and the like take."""
    from consult.agents.registry import agent_names

    rows = [{"spec": spec, "description": text} for spec, text in agent_names().items()]
    _print(rows, ("spec", "description"), as_json=as_json)


@list_group.command("content")
@options.folders("A folder or file of scenarios to count too. Repeatable.")
@options.option("--knowledge", default="general", show_default=True, metavar="NAME|PATH", help="Whose scenarios count.")
@options.option("--hospital", default="general", show_default=True, metavar="NAME|FILE", help="Whose departments.")
@options.as_json
def content(folders: tuple[Path, ...], knowledge: str, hospital: str, *, as_json: bool) -> None:
    """What the content covers: labels, departments, urgencies, ages, disguised emergencies, facts, findings."""
    from consult.coverage import coverage
    from consult.hospital import load_hospital
    from consult.knowledge.load import load_knowledge
    from consult.scenario import load_scenario, scenario_files

    good, bad = _each(scenario_files(folders), load_scenario)
    counts = coverage((s for _, s in good), load_knowledge(knowledge), load_hospital(hospital))
    _print([row._asdict() for row in counts], counts[0]._fields, as_json=as_json, spare=("number",))
    _told(bad)


@list_group.command("runs")
@options.db
@options.as_json
def runs(db: Path, *, as_json: bool) -> None:
    """The runs that `consult batch` made."""
    rows = _read(db, lambda store: store.runs())
    _print(rows, ("name", "created", "consultations"), as_json=as_json, spare=("created",))


@list_group.command("consultations")
@options.option("--run", "run_name", metavar="NAME", help="Only those of this run.")
@options.db
@options.as_json
def consultations(run_name: str | None, db: Path, *, as_json: bool) -> None:
    """The consultations that are kept, one row each, oldest first."""
    rows = _read(db, lambda store: store.consultations(run_name), needed=run_name is not None)
    columns = ("consultation_id", "run", "scenario", "persona", "inquirer", "epoch", "stop_reason", "turns", "top")
    spare = ("epoch", "turns", "top", "rank", "run", "clean", "inquirer", "stop_reason", "correct")
    _print(rows, (*columns, "rank", "correct", "clean"), as_json=as_json, spare=spare)


def _read(db: Path, query: Callable[[Store], list[dict[str, Any]]], *, needed: bool = False) -> list[dict[str, Any]]:
    from consult.store.db import Store

    if not needed and db == DEFAULT_DB and not db.exists():
        note(f"{db}: nothing is kept yet (`consult run` makes it)")
        return []
    with Store(db, readonly=True) as store:
        return query(store)


@click.group("db")
def db_group() -> None:
    """The results database."""


@db_group.command("path")
@options.db
def db_path(db: Path) -> None:
    """Print where the results are."""
    click.echo(str(db.absolute()))
