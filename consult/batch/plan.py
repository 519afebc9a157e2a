"""A plan: what a batch is to run, and the scenario files that its words name. Owns the plan's file format."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from consult.batch.budget import Budget, Each
from consult.errors import UsageError
from consult.files import Record, files_under, is_plain_id, load
from consult.llm.endpoint import MOST, TIMEOUT
from consult.persona import NEUTRAL
from consult.scenario import find_scenario, load_scenario, scenario_files
from consult.seeds import digest
from consult.terms import Resolver, Words, problem

ALL: Final = "all"
TAG: Final = "tag:"
ROLES: Final = ("patient", "recipient", "triage", "assessor", "matcher")
"""Every role of a line-up but the inquirer."""
ASIDE: Final = ("name", "budget", "api_base", "timeout", "per_minute")
"""Fields that do not say what is run."""
DEFAULT_SCENARIO: Final = "indigestion_at_the_wheel"


def _listed(value: Any) -> Any:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) for p in parts):
        return value
    return tuple(dict.fromkeys(word.strip() for p in parts for word in p.split(",") if word.strip()))


Listed = Annotated[tuple[Words, ...], BeforeValidator(_listed), Field(min_length=1)]
"""Several words: a list, or one text with commas."""


class LineUp(Record):
    """Who plays, under one name; a role left empty is played as the plan says."""

    name: Words = ""
    """What results call it; each its own. Empty: its inquirer, and the roles by which it differs from others of that one."""
    inquirer: Words = "reference"
    """Agent spec."""
    patient: Words = ""
    """Agent spec; empty, here and below: as the plan says."""
    recipient: Words = ""
    triage: Words = ""
    assessor: Words = ""
    matcher: Words = ""

    @property
    def agents(self) -> dict[str, str]:
        """The spec of each role; a matcher only where there is one."""
        agents = {role: getattr(self, role) or "reference" for role in ("inquirer", *ROLES)} | {"examiner": "reference"}
        return {role: spec for role, spec in agents.items() if (role, spec) != ("matcher", "reference")}


def _named(team: tuple[LineUp, ...]) -> tuple[LineUp, ...]:
    return tuple(one if one.name else one.model_copy(update={"name": _name(one, team)}) for one in team)


def _name(one: LineUp, team: tuple[LineUp, ...]) -> str:
    others = [other for other in team if other.inquirer == one.inquirer]
    own = [role for role in ROLES if getattr(one, role) and len({getattr(other, role) for other in others}) > 1]
    return "+".join([one.inquirer, *(f"{role}={getattr(one, role)}" for role in own)])


class Plan(Record):
    """What a batch is to run: every scenario with every persona and every line-up, `epochs` times."""

    name: Words = ""
    """The run's name; empty: made from the plan's content."""
    scenarios: Listed = (ALL,)
    """Ids, patterns (`ward_*`), `tag:NAME`, folders, files, or `all`."""
    personas: Listed = (NEUTRAL,)
    """Specs as of `run --persona`, or `all`."""
    inquirer: Listed = ("reference",)
    """Agent specs, each compared with the others."""
    line_ups: Annotated[tuple[LineUp, ...], AfterValidator(_named)] = ()
    """Instead of `inquirer`, where what is compared differs in other roles too."""
    patient: Words = "reference"
    recipient: Words = "reference"
    triage: Words = "reference"
    assessor: Words = "reference"
    matcher: Words = "reference"
    """Who is asked which condition is meant where no name or code of the knowledge says so; reference: nobody."""
    rubric: Annotated[tuple[Words, ...], BeforeValidator(_listed)] = ()
    """By what models judge, where the assessor is one: mdbench, paces, process, files, folders. Empty: mdbench and paces."""
    hospital: Words = "general"
    knowledge: Words = ""
    """Empty: the one each scenario is coded in."""
    max_turns: int = Field(default=14, ge=0, le=1000)
    max_orders: int = Field(default=5, ge=0, le=1000)
    epochs: int = Field(default=1, ge=1, le=100_000)
    seed: int = 0
    resolver: Resolver | None = None
    """How questions are understood. Absent: the lexicon (for a human inquirer, by embedding where that is installed)."""
    strategy: Literal["dialogue", "no-dialogue", "rationale", "classifier", "guided"] = "dialogue"
    """How an inquirer that is a model works, where its spec does not say (`llm:MODEL+rationale`)."""
    pictures: Literal["captions", "text-only", "image", "blank-image", "wrong-image"] = "captions"
    """What it is shown of the patient's pictures, where its spec does not say (`llm:MODEL+image`)."""
    vision: bool | None = None
    """Whether models take pictures. Absent: as LiteLLM's table has it."""
    classifier: Words = ""
    """The classifier of the strategy of that name: a file of predictions, `simulated:TOP1/TOPK`, or a plug-in."""
    top_k: int = Field(default=3, ge=1, le=20)
    """How many of its conditions are told."""
    persona_prompt: Words = ""
    """A file of words on what the inquirer is like, for its system prompt; a template."""
    few_shot: Words = ""
    """A file of examples for its system prompt (`consult schema few-shot`)."""
    max_tokens: int | None = Field(default=None, ge=1, le=MOST)
    """Tokens of one answer of a model that plays, where its spec does not say (`llm:MODEL+max-tokens=80`). Absent: 1,000 of a
    server of one's own, else as the provider has it. Judges say it in their specs alone."""
    api_base: Words = ""
    """An OpenAI-compatible server that plays all `llm:` specs; empty: the provider's own. Likewise no part of the run."""
    timeout: Annotated[float, Field(gt=0, le=86_400)] = TIMEOUT
    """Seconds for one answer of a model. Likewise."""
    per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Calls of a server that begin in a minute; absent: as many as there are. Likewise."""
    budget_each: Each = Each()
    """What the models of one consultation may take; it ends there, and is scored."""
    budget: Budget = Budget()
    """What one call may take; the run's name and content do not hang on it."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.line_ups and self.inquirer != ("reference",):
            raise problem("is given beside line_ups", "give one of the two", ("inquirer",))
        for n, one in enumerate(self.team):
            for earlier in self.team[:n]:
                if one.name == earlier.name or one.agents == earlier.agents:
                    what = f"{earlier.name!r} and {one.name!r} are one"
                    raise problem(what, "keep one, or let both name and agents differ", ("line_ups", n))
        return self

    @property
    def content(self) -> dict[str, Any]:
        """What was asked for beyond the defaults; a new option with a default leaves old plans what they were."""
        return self.model_dump(mode="json", exclude=set(ASIDE), exclude_defaults=True)

    @property
    def team(self) -> tuple[LineUp, ...]:
        """The line-ups, every role filled, every model with what the plan says of it; an inquirer of the list goes by its spec."""
        from consult.agents.llm.spec import settled

        how = self.strategy, self.pictures, self.max_tokens
        doctors = (settled("inquirer", spec, *how) for spec in self.inquirer)
        given = self.line_ups or tuple(LineUp(name=spec, inquirer=spec) for spec in doctors)
        own = {"inquirer": "", **{role: getattr(self, role) for role in ROLES}}
        return tuple(
            one.model_copy(update={r: settled(r, getattr(one, r) or spec, *how) for r, spec in own.items()})
            for one in given
        )

    @property
    def specs(self) -> tuple[tuple[str, str], ...]:
        """Every role with every spec that plays it, none twice."""
        return tuple(dict.fromkeys(pair for one in self.team for pair in one.agents.items()))

    @property
    def by_models(self) -> bool:
        """Whether a model plays in any line-up."""
        return any(spec.startswith("llm:") for _, spec in self.specs)

    @property
    def run(self) -> str:
        """The run's name."""
        return self.name or f"run-{digest(self.content)[:8]}"


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
    if not is_plain_id(spec) and any(sign in spec for sign in "*?[") and not Path(spec).exists():
        return [files[name] for name in sorted(files) if fnmatchcase(name, spec)]
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
