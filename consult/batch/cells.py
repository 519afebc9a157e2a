"""The cells of a plan, in their fixed order: by scenario, persona, inquirer, epoch. Each is made when it is looked at.

A plan may stand for more consultations than fit into memory, so only names are held. Imports sim only in functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, overload

from consult.agents.llm.aids import NONE, Aids, Contents
from consult.agents.llm.talk import HERE, Models
from consult.batch.aiding import Place, aids_of, places
from consult.batch.plan import ALL, LineUp, Plan, scenario_paths
from consult.errors import DataError, DataErrors, UsageError
from consult.files import Faults
from consult.hospital import find_hospital, load_hospital
from consult.judge.panel import MATCHER
from consult.knowledge.links import link_hospital, link_scenario
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.knowledge.per_object import content_hash
from consult.persona import Persona, load_persona, persona_files
from consult.scenario import Scenario, load_scenario
from consult.settings import Limits
from consult.terms import Resolver

if TYPE_CHECKING:
    from consult.judge.matching import Matcher
    from consult.judge.panel import Panel
    from consult.sim.session import Setup


class Part(NamedTuple):
    """A scenario or a persona of a plan: where it is, what it is called, and what it says."""

    spec: str
    """The scenario's file, or the persona's spec."""
    id: str
    hash: str
    knowledge: str = ""
    """The name of the knowledge that a scenario is played with."""


@dataclass(frozen=True)
class Cells(Sequence["Setup"]):
    """A plan's cells by number. Can be sent to another process: holds names and hashes, not content."""

    plan: Plan
    scenarios: tuple[Part, ...]
    personas: tuple[Part, ...]
    team: tuple[LineUp, ...]
    hospital: str
    """Its hash."""
    knowledge: Mapping[str, str]
    """The hash of each that is used, by name."""
    models: Models = HERE
    """Where models are reached."""
    aids: Aids = NONE
    """What inquirers that are models are given beside what is said."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where the pictures are that they look at, by the scenario's hash."""
    judged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Hashes of what judges are given, by the assessor's spec."""
    matching: Mapping[str, str] = field(default_factory=dict)
    """Hashes of what a matcher is given."""

    def __len__(self) -> int:
        return len(self.scenarios) * len(self.personas) * len(self.team) * self.plan.epochs

    @overload
    def __getitem__(self, index: int) -> Setup: ...
    @overload
    def __getitem__(self, index: slice) -> list[Setup]: ...
    def __getitem__(self, index: int | slice) -> Setup | list[Setup]:
        """Raises IndexError; DataError or DataErrors if a file has changed for the worse since."""
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        from consult.sim.session import Setup  # langgraph: about 0.8 s

        plan, (part, person, line_up, epoch) = self.plan, self.parts(index)
        scenario, place = _scenario(Path(part.spec)), self.places.get(part.hash)
        return Setup(
            scenario=scenario,
            persona=_persona(person.spec),
            hospital=load_hospital(plan.hospital),
            knowledge=load_knowledge(plan.knowledge or scenario.knowledge),
            agents=line_up.agents,
            limits=Limits(max_turns=plan.max_turns, max_orders=plan.max_orders),
            epoch=epoch,
            seed=plan.seed,
            resolver=plan.resolver,
            models=self.models,
            aids=self.aids,
            album=place.album() if place is not None else None,
            rubrics=plan.rubric,
        )

    def __iter__(self) -> Iterator[Setup]:
        return (self[i] for i in range(len(self)))

    def parts(self, index: int) -> tuple[Part, Part, LineUp, int]:
        """Scenario, persona, line-up and epoch of a cell; no file is opened. Raises IndexError."""
        rest, epoch = divmod(range(len(self))[index], self.plan.epochs)
        rest, line_up = divmod(rest, len(self.team))
        scenario, persona = divmod(rest, len(self.personas))
        return self.scenarios[scenario], self.personas[persona], self.team[line_up], epoch

    def key(self, index: int) -> str:
        """`Setup.cell` of a cell, from the hashes: no file is opened."""
        from consult.sim.session import cell_of

        plan, (scenario, persona, line_up, epoch) = self.plan, self.parts(index)
        content = (scenario.hash, persona.hash, self.hospital, self.knowledge[scenario.knowledge])
        limits = Limits(max_turns=plan.max_turns, max_orders=plan.max_orders)
        judged = {**self.judged.get(line_up.assessor, {}), **(self.matching if MATCHER in line_up.agents else {})}
        seen = self.places[scenario.hash].contents if scenario.hash in self.places else Contents()
        aided = {**self.aids.hashes(line_up.inquirer, seen, self.models), **judged}
        resolver = plan.resolver or Resolver.LEXICON
        return cell_of(content, line_up.agents, limits, epoch, plan.seed, resolver, aided, self.models.budget)

    @property
    def content(self) -> dict[str, str]:
        """What the plan is played with, by name, with its hash: the run's memory of it."""
        from consult.sim.session import code_version

        found = {"version": code_version(), f"hospital {self.plan.hospital}": self.hospital}
        found |= {f"knowledge {name}": text for name, text in self.knowledge.items()}
        for kind, parts in (("persona", self.personas), ("scenario", self.scenarios)):
            for part in parts:
                name = f"{kind} {part.id}"
                found[name if name not in found else f"{kind} {part.spec}"] = part.hash
        names = {part.hash: part.id for part in self.scenarios}
        found |= {f"pictures of {names[key]}": "/".join(place.contents) for key, place in self.places.items()}
        found |= self.aids.briefing.hashes()
        if self.aids.classifier is not None:
            found[f"classifier {self.plan.classifier}"] = self.aids.classifier.content
        return found


@lru_cache(maxsize=64)
def _scenario(path: Path) -> Scenario:
    return load_scenario(path)


@lru_cache(maxsize=256)
def _persona(spec: str) -> Persona:
    return load_persona(spec)


def setups(plan: Plan, extra: tuple[Path, ...] = ()) -> Cells:
    """The plan's cells, all of them checked. Raises ConsultError if one could not be played."""
    from consult.agents.registry import check_spec

    for role, spec in plan.specs:
        check_spec(role, spec)
    if plan.resolver is Resolver.EMBEDDING:
        from consult.language.similar import require

        require()
    _scenario.cache_clear()  # files may have changed since the last plan of this process
    _persona.cache_clear()
    aids, models = aids_of(plan), _models(plan)
    said = aids.check([one.inquirer for one in plan.team], models)
    personas = _different(sorted(persona_files()) if ALL in plan.personas else plan.personas)
    scenarios = _checked(plan, scenario_paths(plan.scenarios, extra), personas, partial(aids.check_case, said))
    knowledge = {name: content_hash(load_knowledge(name)) for name in dict.fromkeys(s.knowledge for s in scenarios)}
    people = tuple(Part(spec, persona.id, content_hash(persona)) for spec, persona in personas.items())
    hospital = content_hash(load_hospital(plan.hospital))
    pictures = places(plan, aids, ((part.hash, Path(part.spec)) for part in scenarios), extra)
    judged = {spec: panel.hashes for spec, panel in _panels(plan).items()}
    matching = next((matcher.hashes for matcher in _matchers(plan)), {})  # the same for all of them
    return Cells(plan, scenarios, people, plan.team, hospital, knowledge, models, aids, pictures, judged, matching)


def _models(plan: Plan) -> Models:
    """Where the plan's models are. Raises UsageError where none can be."""
    from consult.agents.llm.spec import parse, played_by_models

    models = Models(
        api_base=plan.api_base, budget=plan.budget_each.purse, timeout=plan.timeout, per_minute=plan.per_minute
    )
    played = (pair for one in plan.team for pair in played_by_models(one.agents).items())
    endpoints = [models.endpoint(parse(role, spec).model) for role, spec in played]
    endpoints += [judge.endpoint for panel in _panels(plan).values() for judge in panel.judges]
    endpoints += [matcher.endpoint for matcher in _matchers(plan)]
    for endpoint in endpoints:
        counted = {"--budget": plan.budget.cost, "--budget-each": plan.budget_each.cost}
        option = next((name for name, cost in counted.items() if cost is not None), "")
        if option and endpoint.known_price() is None:
            raise UsageError(f"{option}: the price of {endpoint.name} is not known (mend: count tokens or calls)")
    return models


def _panels(plan: Plan) -> dict[str, Panel]:
    """The judges that the plan's assessors are, by spec. Raises UsageError, DataError or DataErrors."""
    from consult.judge.panel import panel_of

    specs = dict.fromkeys(one.assessor for one in plan.team if one.assessor.startswith("llm:"))
    if plan.rubric and not specs:
        raise UsageError("--rubric: is for judges (mend: name one by --assessor llm:MODEL)")
    return {spec: panel_of(spec, plan.rubric, api_base=plan.api_base) for spec in specs}


def _matchers(plan: Plan) -> list[Matcher]:
    from consult.judge.matching import matcher_of

    found = (matcher_of(one.agents.get(MATCHER, ""), api_base=plan.api_base) for one in plan.team)
    return [matcher for matcher in found if matcher is not None]


def _different(specs: Sequence[str]) -> Mapping[str, Persona]:
    """Personas by spec; `choleric` and `choleric@1` are one."""
    found = {spec: _persona(spec) for spec in specs}
    first: dict[str, str] = {}
    for spec, persona in found.items():
        first.setdefault(content_hash(persona), spec)
    return {spec: found[spec] for spec in first.values()}


def _checked(
    plan: Plan, paths: Sequence[Path], personas: Mapping[str, Persona], aided: Callable[[Scenario], None]
) -> tuple[Part, ...]:
    """The scenarios without those that say the same as an earlier one. `aided` raises what is wrong with the aids for one.

    Raises DataErrors if a scenario, or the hospital, names what its knowledge does not have, or if an aid of the inquirer
    does not go with one, UsageError if a persona's speaker cannot speak for a patient.
    """
    hospital = load_hospital(plan.hospital)
    speakers = {p.speaker for p in personas.values() if p.speaker}
    errors: list[DataError] = []
    met: set[str] = set()
    kept: dict[str, Part] = {}
    for path in paths:
        scenario = load_scenario(path)
        name = plan.knowledge or scenario.knowledge
        known = content_hash(scenario)
        kept.setdefault(known, Part(str(path), scenario.id, known, name))
        faults = Faults(path)
        knowledge = _knowledge_of(name, faults, given=bool(plan.knowledge))
        if knowledge is not None:
            link_scenario(scenario, knowledge, faults)
        errors += faults.errors
        try:
            aided(scenario)
        except DataError as e:
            errors.append(e)
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
