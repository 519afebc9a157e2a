"""The cells of a plan, in their fixed order: by scenario, persona, inquirer, epoch. Each is made when it is looked at.

A plan may stand for more consultations than fit into memory, so only names are held. Imports sim only in functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, overload

from consult.batch.plan import ALL, Plan, scenario_paths
from consult.errors import DataError, DataErrors, UsageError
from consult.files import Faults
from consult.hospital import find_hospital, load_hospital
from consult.knowledge.links import link_hospital, link_scenario
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.persona import Persona, load_persona, persona_files
from consult.scenario import Scenario, load_scenario
from consult.settings import Limits
from consult.terms import Resolver

if TYPE_CHECKING:
    from consult.sim.session import Setup


@dataclass(frozen=True)
class Cells(Sequence["Setup"]):
    """A plan's cells by number. Can be sent to another process: holds names, not content."""

    plan: Plan
    scenarios: tuple[Path, ...]
    personas: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.scenarios) * len(self.personas) * len(self.plan.inquirer) * self.plan.epochs

    @overload
    def __getitem__(self, index: int) -> Setup: ...
    @overload
    def __getitem__(self, index: slice) -> list[Setup]: ...
    def __getitem__(self, index: int | slice) -> Setup | list[Setup]:
        """Raises IndexError; DataError or DataErrors if a file has changed for the worse since."""
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        rest, epoch = divmod(range(len(self))[index], self.plan.epochs)
        rest, inquirer = divmod(rest, len(self.plan.inquirer))
        scenario, persona = divmod(rest, len(self.personas))
        return self._setup(self.scenarios[scenario], self.personas[persona], self.plan.inquirer[inquirer], epoch)

    def __iter__(self) -> Iterator[Setup]:
        return (self[i] for i in range(len(self)))

    def _setup(self, path: Path, persona: str, inquirer: str, epoch: int) -> Setup:
        from consult.sim.session import Setup  # langgraph: about 0.8 s

        plan, scenario = self.plan, _scenario(path)
        return Setup(
            scenario=scenario,
            persona=_persona(persona),
            hospital=load_hospital(plan.hospital),
            knowledge=load_knowledge(plan.knowledge or scenario.knowledge),
            agents={"inquirer": inquirer, **plan.roles, "examiner": "reference"},
            limits=Limits(max_turns=plan.max_turns, max_orders=plan.max_orders),
            epoch=epoch,
            seed=plan.seed,
            resolver=plan.resolver,
        )


@lru_cache(maxsize=64)
def _scenario(path: Path) -> Scenario:
    return load_scenario(path)


@lru_cache(maxsize=256)
def _persona(spec: str) -> Persona:
    return load_persona(spec)


def setups(plan: Plan, extra: tuple[Path, ...] = ()) -> Cells:
    """The plan's cells, all of them checked. Raises ConsultError if one could not be played."""
    from consult.agents.registry import check_spec

    for role, spec in (*plan.roles.items(), *(("inquirer", spec) for spec in plan.inquirer)):
        check_spec(role, spec)
    if plan.resolver is Resolver.EMBEDDING:
        from consult.language.similar import require

        require()
    _scenario.cache_clear()  # files may have changed since the last plan of this process
    _persona.cache_clear()
    personas = _different(sorted(persona_files()) if ALL in plan.personas else plan.personas)
    paths = scenario_paths(plan.scenarios, extra)
    return Cells(plan, _checked(plan, paths, personas), tuple(personas))


def _different(specs: Sequence[str]) -> Mapping[str, Persona]:
    """Personas by spec; `choleric` and `choleric@1` are one."""
    found = {spec: _persona(spec) for spec in specs}
    first: dict[str, str] = {}
    for spec, persona in found.items():
        first.setdefault(persona.content_hash(), spec)
    return {spec: found[spec] for spec in first.values()}


def _checked(plan: Plan, paths: Sequence[Path], personas: Mapping[str, Persona]) -> tuple[Path, ...]:
    """The files without those that say the same as an earlier one.

    Raises DataErrors if a scenario, or the hospital, names what its knowledge does not have, UsageError if a persona's
    speaker cannot speak for a patient.
    """
    hospital = load_hospital(plan.hospital)
    speakers = {p.speaker for p in personas.values() if p.speaker}
    errors: list[DataError] = []
    met: set[str] = set()
    kept: dict[str, Path] = {}
    for path in paths:
        scenario = load_scenario(path)
        kept.setdefault(scenario.content_hash(), path)
        name = plan.knowledge or scenario.knowledge
        faults = Faults(path)
        knowledge = _knowledge_of(name, faults, given=bool(plan.knowledge))
        if knowledge is not None:
            link_scenario(scenario, knowledge, faults)
        errors += faults.errors
        if knowledge is None:
            continue
        if speakers and not faults.errors:
            from consult.agents.patient.speaker import spoken_by

            for speaker in speakers:
                spoken_by(scenario, speaker, knowledge)
        if hospital.knowledge in (name, knowledge.id) and name not in met:  # else its rules simply do not apply
            rules = Faults(find_hospital(plan.hospital))
            link_hospital(hospital, knowledge, rules)
            errors += rules.errors
        met.add(name)
    if errors:
        raise DataErrors(errors)
    return tuple(kept.values())


def _knowledge_of(name: str, faults: Faults, *, given: bool) -> Knowledge | None:
    """The knowledge that was given, or that a scenario names; None, noted, where the scenario names none there is."""
    try:
        return load_knowledge(name)
    except UsageError:
        if given:
            raise
        faults.add(("knowledge",), f"there is no knowledge {name}", "correct it, or give --knowledge")
        return None
