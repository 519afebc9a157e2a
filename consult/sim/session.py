"""One consultation: set up, played, as a stream of events or a whole transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Any, Final

from consult.agents.base import ROLES, World
from consult.agents.inquirers.controls import facts_known
from consult.agents.llm.aids import NONE, Aids, Album, Contents
from consult.agents.llm.spec import PREFIX, played_by_models, prompt_hashes
from consult.agents.llm.talk import HERE, UNBOUNDED, Models, Talk
from consult.agents.patient.speaker import spoken_by
from consult.agents.registry import check_spec, make
from consult.events import SCHEMA_VERSION, Event, Header, Provenance, Used
from consult.hospital import Hospital
from consult.judge.matching import Matcher, matcher_of
from consult.judge.panel import MATCHER, Panel, panel_of
from consult.knowledge.model import Knowledge
from consult.knowledge.per_object import content_hash
from consult.language.similar import available, require
from consult.llm.account import Budget
from consult.llm.base import OnText
from consult.persona import Persona
from consult.scenario import Scenario, Speaker
from consult.seeds import digest, seed_of
from consult.settings import Limits, source_commit
from consult.sim.bench import Bench
from consult.sim.graph import graph, recursion_limit
from consult.sim.past import Past
from consult.sim.state import Context, State, initial
from consult.stats.waits import Waits
from consult.store.transcript import Transcript
from consult.terms import Resolver

DEFAULT_AGENTS: Mapping[str, str] = dict.fromkeys(ROLES, "reference")
ID: Final = 16
"""Letters of the key that are the consultation's id, under which its calls are kept as well."""


@dataclass(frozen=True)
class Setup:
    """Everything that a consultation depends on. Raises UsageError on use if an agent spec is unknown."""

    scenario: Scenario
    persona: Persona
    hospital: Hospital
    knowledge: Knowledge
    agents: Mapping[str, str] = field(default_factory=dict)
    """Specs by role; a role not given is `reference`."""
    limits: Limits = field(default_factory=Limits)
    epoch: int = 1
    seed: int = 0
    resolver: Resolver | None = None
    """How questions are understood; None: by rule, see `understood_by`."""
    models: Models = HERE
    """Where models are reached that play a role, which is no part of what the consultation is; but their budget is."""
    rubrics: tuple[str, ...] = ()
    """By what models judge, where the assessor is one: built-in names, files, folders; empty: the usual two."""
    past: Past | None = None
    """What went before, in another consultation: a fork goes on from there."""
    aids: Aids = NONE
    """What an inquirer that is a model is given beside what is said."""
    album: Album | None = None
    """The scenario's pictures; None: it came from no file, so there are captions only."""

    @cached_property
    def understood_by(self) -> Resolver:
        """The resolver: the one given, else by embedding for a human inquirer where that is installed, else the lexicon.

        What is compared between machines must not hang on what is installed there: only a human's default does.
        """
        if self.resolver is not None:
            return self.resolver
        return Resolver.EMBEDDING if self.line_up["inquirer"] == "human" and available() else Resolver.LEXICON

    @cached_property
    def case(self) -> Scenario:
        """The scenario as the persona's speaker tells it. Raises UsageError if they cannot speak for this patient."""
        return spoken_by(self.scenario, self.persona.speaker, self.knowledge)

    @cached_property
    def line_up(self) -> dict[str, str]:
        """The spec of every role."""
        return {**DEFAULT_AGENTS, **self.agents}

    @cached_property
    def panel(self) -> Panel | None:
        """The judges, where the assessor is a model. Raises UsageError, DataError or DataErrors."""
        spec = self.line_up["assessor"]
        if not spec.startswith(PREFIX):
            return None
        return panel_of(spec, self.rubrics, **_reached(self.models))

    @cached_property
    def matcher(self) -> Matcher | None:
        """Who is asked what a diagnosis means that nothing in the knowledge matches. Raises UsageError, DataError."""
        return matcher_of(self.line_up.get(MATCHER, ""), **_reached(self.models))

    @cached_property
    def provenance(self) -> Provenance:
        """Version, commit and the hashes of all content."""
        return Provenance(
            version=code_version(),
            commit=source_commit(),
            scenario=content_hash(self.scenario),
            persona=content_hash(self.persona),
            hospital=content_hash(self.hospital),
            knowledge=content_hash(self.knowledge),
            resolver=self.understood_by,
            prompts=prompt_hashes(self.line_up) | self._aided,
        )

    @cached_property
    def _aided(self) -> dict[str, str]:
        """Hashes of what the inquirer is given beside what is said, and of what judges are given."""
        contents = self.album.contents if self.album is not None else Contents()
        judged = self.panel.hashes if self.panel is not None else {}
        matching = self.matcher.hashes if self.matcher is not None else {}
        return {**self.aids.hashes(self.line_up["inquirer"], contents, self.models), **judged, **matching}

    @cached_property
    def cell(self) -> str:
        """The content key of this consultation: equal content, equal key, wherever and whenever it runs."""
        p, _ = self.provenance, self.case  # a speaker that cannot be is told before anything runs
        content = (p.scenario, p.persona, p.hospital, p.knowledge)
        budget = self.models.budget
        own = cell_of(content, self.line_up, self.limits, self.epoch, self.seed, p.resolver, self._aided, budget)
        return digest({"cell": own, "past": self.past.key}) if self.past is not None else own


def _reached(m: Models) -> dict[str, Any]:
    """How judges and matchers are reached, who have a time-out of their own."""
    return {
        "api_base": m.api_base, "transport": m.transport, "concurrency": m.concurrency, "per_minute": m.per_minute
    }  # fmt: skip


def cell_of(
    content: tuple[str, str, str, str],
    line_up: Mapping[str, str],
    limits: Limits,
    epoch: int,
    seed: int,
    resolver: Resolver,
    aided: Mapping[str, str] = MappingProxyType({}),
    budget: Budget = UNBOUNDED,
) -> str:
    """`Setup.cell` from hashes: `content` has those of scenario, persona, hospital and knowledge. Loads nothing.

    `aided`: of what the inquirer is given beside what is said (`Aids.hashes`), the judges (`Panel.hashes`) and the matcher;
    `budget`: where the consultation ends.
    """
    other: dict[str, Any] = {} if resolver is Resolver.LEXICON else {"resolver": resolver.value}
    if prompts := prompt_hashes(line_up) | dict(aided):
        other["prompts"] = prompts
    if bounds := {name: bound for name, bound in asdict(budget).items() if bound is not None}:
        other["budget"] = bounds
    return digest(
        {
            **other,
            "content": [*content, code_version()],
            "agents": dict(line_up),
            "limits": [limits.max_turns, limits.max_orders],
            "epoch": epoch,
            "seed": seed,
        }
    )


@cache
def code_version() -> str:
    """The version of consult that is installed."""
    try:
        return version("consult")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


def header(setup: Setup) -> Header:
    """The first line of the transcript."""
    patient = setup.case.patient
    speaker = "patient" if patient.speaker is Speaker.SELF else patient.speaker.value
    return Header(
        schema_version=SCHEMA_VERSION,
        consultation_id=setup.cell[:ID],
        parent=setup.past.parent if setup.past is not None else None,
        scenario=setup.scenario.id,
        persona=setup.persona.id,
        hospital=setup.hospital.id,
        knowledge=setup.knowledge.id,
        agents=setup.line_up,
        limits={"max_turns": setup.limits.max_turns, "max_orders": setup.limits.max_orders},
        epoch=setup.epoch,
        seed=setup.seed,
        names={"speaker": speaker, "patient": patient.name},
        provenance=setup.provenance,
    )


def context(setup: Setup, hear: OnText | None = None) -> Context:
    """The graph's context. Raises UsageError if an agent cannot be had."""
    for role, spec in setup.line_up.items():
        check_spec(role, spec)
    if setup.understood_by is Resolver.EMBEDDING:
        require()
    p = setup.provenance
    shared = (setup.seed, setup.epoch, p.scenario)
    asked_after = setup.panel is not None or setup.matcher is not None
    talked = played_by_models(setup.line_up) or asked_after
    talk = Talk(setup.models, setup.cell[:ID], hear, epoch=setup.epoch) if talked else None
    spec, given = setup.line_up["inquirer"], None
    if spec.startswith(PREFIX):
        given = setup.aids.given(spec, setup.scenario, setup.album, setup.knowledge, setup.models)
    inquirer = make("inquirer", spec, talk, given)
    return Context(
        world=World(setup.knowledge, setup.hospital, setup.understood_by),
        scenario=setup.case,
        persona=setup.persona,
        limits=setup.limits,
        inquirer=setup.past.led(inquirer) if setup.past is not None else inquirer,
        patient=make("patient", setup.line_up["patient"], talk),
        recipient=make("recipient", setup.line_up["recipient"], talk),
        triage=make("triage", setup.line_up["triage"], talk),
        results={r.order: r for r in setup.past.results} if setup.past is not None else {},
        earlier=setup.past.earlier if setup.past is not None else (),
        patient_seed=seed_of(*shared, p.persona, "patient"),
        inquirer_seed=seed_of(*shared, setup.line_up["inquirer"], "inquirer"),
        facts=facts_known(setup.scenario, setup.knowledge) if setup.line_up["inquirer"] == "oracle" else None,
        talk=talk,
        given=given.events if given is not None else (),
        bench=Bench(setup.panel, setup.matcher, setup.line_up, talk) if asked_after and talk is not None else None,
    )


def stream(
    setup: Setup, hear: OnText | None = None, waits: MutableMapping[str, Waits] | None = None
) -> Iterator[Event]:
    """The events as they happen, those of a fork's past first, the scores last.

    `hear` is told the words of an inquirer that is a model while they come, before their event, from another thread;
    `waits` is told at the end how long models' answers took, by role.
    """
    c = context(setup, hear)
    yield from setup.past.whole if setup.past is not None else ()
    for step in graph().stream(beginning(setup, c), _config(setup), context=c, stream_mode="updates"):
        for update in step.values():
            yield from (update or {}).get("events", ())
    if waits is not None:
        waits.update(waited(c))


def play(setup: Setup) -> Transcript:
    """The whole consultation at once; the same events as `stream`."""
    c = context(setup)
    played = graph().invoke(beginning(setup, c), _config(setup), context=c)
    return ended(header(setup), played["events"], waited(c))


def waited(context: Context) -> Mapping[str, Waits]:
    """How long models' answers took so far, by role."""
    return context.talk.waits if context.talk is not None else {}


def ended(head: Header, events: Iterable[Event], waits: Mapping[str, Waits] = MappingProxyType({})) -> Transcript:
    """The transcript of what happened; its header names the models that answered, by role."""
    happened = tuple(events)
    models = {e.role: ", ".join(e.models) for e in happened if isinstance(e, Used) and e.models}
    if models:
        head = head.model_copy(update={"provenance": head.provenance.model_copy(update={"models": models})})
    return Transcript(head, happened, dict(waits))


def beginning(setup: Setup, context: Context) -> State:
    """The state before the first word, or at the end of a fork's past."""
    return setup.past.state(context) if setup.past is not None else initial(context)


def _config(setup: Setup) -> Any:
    return {"recursion_limit": recursion_limit(setup.limits)}
