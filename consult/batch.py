"""Many consultations by one plan: which cells it has, running those that are missing, and what they came to.

Owns the plan's file format and the order of cells. Imports sim (and with it langgraph) only when cells are made. Prints
nothing. See docs/batch.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from consult.clean import one_line
from consult.errors import ConsultError, DataError, DataErrors, StoreError, UsageError
from consult.files import Faults, Record, files_under, is_plain_id, load
from consult.hospital import find_hospital, load_hospital
from consult.knowledge.links import link_hospital, link_scenario
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.persona import NEUTRAL, load_persona, persona_files
from consult.scenario import Scenario, find_scenario, load_scenario, scenario_files
from consult.seeds import digest
from consult.settings import Limits
from consult.store.db import Store
from consult.store.summary import failed
from consult.terms import Resolver, Words

if TYPE_CHECKING:
    from consult.sim.session import Setup

ALL: Final = "all"
TAG: Final = "tag:"
_LOADED: Final = ("inquirer", "patient", "triage")
"""Roles that a plug-in may play."""
DEFAULT_SCENARIO: Final = "indigestion_at_the_wheel"


def _listed(value: Any) -> Any:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) for p in parts):
        return value
    return tuple(dict.fromkeys(word.strip() for p in parts for word in p.split(",") if word.strip()))


Listed = Annotated[tuple[Words, ...], BeforeValidator(_listed), Field(min_length=1)]
"""Several words: a list, or one text with commas."""


class Plan(Record):
    """What a batch is to run: every scenario with every persona and every inquirer, `epochs` times."""

    name: Words = ""
    """The run's name; empty: made from the plan's content."""
    scenarios: Listed = (ALL,)
    """Ids, `tag:NAME`, folders, files, or `all`."""
    personas: Listed = (NEUTRAL,)
    """Specs as of `run --persona`, or `all`."""
    inquirer: Listed = ("reference",)
    """Agent specs, each compared with the others."""
    patient: Words = "reference"
    recipient: Words = "reference"
    triage: Words = "reference"
    assessor: Words = "reference"
    hospital: Words = "general"
    knowledge: Words = ""
    """Empty: the one each scenario is coded in."""
    max_turns: int = Field(default=14, ge=0, le=1000)
    max_orders: int = Field(default=5, ge=0, le=1000)
    epochs: int = Field(default=1, ge=1, le=100_000)
    seed: int = 0
    resolver: Resolver | None = None
    """How questions are understood. Absent: the lexicon (for a human inquirer, by embedding where that is installed)."""

    @property
    def content(self) -> dict[str, Any]:
        """What was asked for beyond the defaults; a new option with a default leaves old plans what they were."""
        return self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)

    @property
    def roles(self) -> dict[str, str]:
        """Who plays each role but the inquirer."""
        return {role: getattr(self, role) for role in ("patient", "recipient", "triage", "assessor")}

    @property
    def run(self) -> str:
        """The run's name."""
        return self.name or f"run-{digest(self.content)[:8]}"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one cell."""

    index: int
    status: Literal["done", "skipped", "failed"]
    problem: str = ""


def load_plan(path: Path) -> Plan:
    """A plan file. Raises DataError or DataErrors."""
    return load(path, Plan)


def scenario_paths(specs: Iterable[str], extra: tuple[Path, ...] = ()) -> list[Path]:
    """The scenario files that ids, tags, folders and files name, in the order given, none twice."""
    paths: dict[Path, None] = {}
    for spec in specs:
        found = _matching(spec, extra)
        if not found:
            raise UsageError(f"--scenarios: {spec!r} names no scenario (mend: `consult list scenarios` shows them)")
        paths.update(dict.fromkeys(found))
    return list(paths)


def _matching(spec: str, extra: tuple[Path, ...]) -> list[Path]:
    files = scenario_files(extra)
    if spec == ALL:
        return [files[name] for name in sorted(files)]
    if spec.startswith(TAG):
        tag = spec.removeprefix(TAG)
        return [files[name] for name in sorted(files) if tag in load_scenario(files[name]).tags]
    folder = Path(spec)
    if not (is_plain_id(spec) and spec in files) and folder.is_dir():
        return [p for p in files_under(folder) if "hospitals" not in p.relative_to(folder).parts[:-1]]
    return [find_scenario(spec, extra)]


def default_scenario(extra: tuple[Path, ...] = ()) -> str:
    """The scenario of a bare `consult run`. Raises UsageError if there is none at all."""
    names = sorted(scenario_files(extra))
    if not names:
        raise UsageError("SCENARIO: no scenario is installed (mend: give a file)")
    return DEFAULT_SCENARIO if DEFAULT_SCENARIO in names else names[0]


def setups(plan: Plan, extra: tuple[Path, ...] = ()) -> list[Setup]:
    """The plan's cells in their fixed order: by scenario, persona, inquirer, epoch. Raises ConsultError."""
    from consult.agents.registry import check_spec

    roles = plan.roles
    for role, spec in (*roles.items(), *(("inquirer", spec) for spec in plan.inquirer)):
        check_spec(role, spec)
    if plan.resolver is Resolver.EMBEDDING:
        from consult.language.similar import require

        require()
    personas = sorted(persona_files()) if ALL in plan.personas else plan.personas
    paths = scenario_paths(plan.scenarios, extra)
    scenarios = [load_scenario(path) for path in paths]
    _link(plan, dict(zip(paths, scenarios, strict=True)))
    cells = (
        _setup(plan, scenario, persona, {"inquirer": inquirer, **roles, "examiner": "reference"}, epoch)
        for scenario in scenarios
        for persona in personas
        for inquirer in plan.inquirer
        for epoch in range(plan.epochs)
    )
    return list({setup.cell: setup for setup in cells}.values())  # `choleric` and `choleric@1` are one


def _link(plan: Plan, scenarios: Mapping[Path, Scenario]) -> None:
    """Raise DataErrors if a scenario, or the hospital, names what its knowledge does not have."""
    hospital = load_hospital(plan.hospital)
    errors: list[DataError] = []
    met: set[str] = set()
    for path, scenario in scenarios.items():
        name = plan.knowledge or scenario.knowledge
        faults = Faults(path)
        knowledge = _knowledge_of(name, faults, given=bool(plan.knowledge))
        if knowledge is not None:
            link_scenario(scenario, knowledge, faults)
        errors += faults.errors
        if knowledge is None:
            continue
        if hospital.knowledge in (name, knowledge.id) and name not in met:  # else its rules simply do not apply
            rules = Faults(find_hospital(plan.hospital))
            link_hospital(hospital, knowledge, rules)
            errors += rules.errors
        met.add(name)
    if errors:
        raise DataErrors(errors)


def _knowledge_of(name: str, faults: Faults, *, given: bool) -> Knowledge | None:
    """The knowledge that was given, or that a scenario names; None, noted, where the scenario names none there is."""
    try:
        return load_knowledge(name)
    except UsageError:
        if given:
            raise
        faults.add(("knowledge",), f"there is no knowledge {name}", "correct it, or give --knowledge")
        return None


def _setup(plan: Plan, scenario: Scenario, persona: str, agents: dict[str, str], epoch: int) -> Setup:
    from consult.sim.session import Setup  # langgraph: about 0.8 s

    return Setup(
        scenario=scenario,
        persona=load_persona(persona),
        hospital=load_hospital(plan.hospital),
        knowledge=load_knowledge(plan.knowledge or scenario.knowledge),
        agents=agents,
        limits=Limits(max_turns=plan.max_turns, max_orders=plan.max_orders),
        epoch=epoch,
        seed=plan.seed,
        resolver=plan.resolver,
    )


def execute(plan: Plan, cells: Sequence[Setup], store: Store) -> Iterator[Done]:
    """Runs the cells that are not done yet, one after another, each saved before the next begins.

    A cell that raises is reported as failed and not saved, so that the same command tries it again. Raises UsageError
    if the run is there with another plan or a plug-in cannot be loaded, StoreError if results cannot be kept.
    """
    from consult.agents.registry import make
    from consult.sim.session import play

    for role, spec in (*plan.roles.items(), *(("inquirer", spec) for spec in plan.inquirer)):
        if role in _LOADED:
            make(role, spec)  # a plug-in that cannot be loaded is told once, before any work
    defaults = Plan().model_dump(mode="json", exclude={"name"})
    store.ensure_run(plan.run, plan.content, defaults)
    finished = store.done_cells(plan.run)
    for index, setup in enumerate(cells):
        if setup.cell in finished:
            yield Done(index, "skipped")
            continue
        try:
            store.save(play(setup), plan.run, cell=setup.cell)
        except StoreError:
            raise
        except ConsultError as e:
            yield Done(index, "failed", one_line(str(e)))
            continue
        except Exception as e:  # one broken plug-in or case does not end the other consultations
            yield Done(index, "failed", one_line(f"internal error: {type(e).__name__}: {e}"))
            continue
        yield Done(index, "done")


def rows_of(plan: Plan, cells: Sequence[Setup], store: Store) -> tuple[list[dict[str, Any]], int]:
    """The rows of the plan's cells, and how many others the run holds (made from content that has changed since)."""
    kept = store.members(plan.run)
    wanted = {kept[s.cell] for s in cells if s.cell in kept}
    rows = store.consultations(run=plan.run)
    mine = [row for row in rows if row["consultation_id"] in wanted]
    return mine, len(rows) - len(mine)


def line_ups(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results per inquirer and persona, in the order met. Shares are null where nothing was judged.

    `n` counts consultations that were judged: failures around the doctor are counted apart, abstentions as wrong.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["inquirer"], row["persona"]), []).append(row)
    return [_line_up(inquirer, persona, group) for (inquirer, persona), group in groups.items()]


def _line_up(inquirer: str, persona: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [r for r in rows if r["correct"] is not None]
    audited = [r for r in rows if r["clean"] is not None]
    return {
        "inquirer": inquirer,
        "persona": persona,
        "n": len(judged),
        "top1": _mean([float(r["correct"]) for r in judged]),
        "top5": _mean([float(r["rank"] is not None and r["rank"] <= 5) for r in judged]),
        "questions": _mean([r["turns"] for r in judged]),
        "orders": _mean([r["orders"] for r in judged]),
        "stop_reasons": dict(sorted(Counter(str(r["stop_reason"]) for r in rows).items())),
        "audited": len(audited),
        "clean": sum(r["clean"] for r in audited),
        "failed": sum(failed(r["stop_reason"]) for r in rows),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None
