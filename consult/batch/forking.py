"""A fork of a kept consultation: its setup made again, with what is to be different from a turn on. Owns the overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from consult.agents.examiner import overridden
from consult.agents.llm.spec import parse, played_by_models
from consult.agents.llm.talk import HERE, Models
from consult.agents.registry import check_spec
from consult.batch.plan import Plan
from consult.batch.regiving import Doctor, given_again
from consult.batch.rescore import Content, Gone
from consult.clean import clean
from consult.errors import UsageError
from consult.events import Changed, Event, Result
from consult.hospital import load_hospital
from consult.judge.panel import MATCHER
from consult.llm.through_litellm import missing_key
from consult.persona import Persona, load_persona
from consult.players import HUMAN, player
from consult.score.audit import Teller
from consult.settings import MAX_TEXT, Limits
from consult.sim.past import Past, memory_of, up_to
from consult.sim.session import Setup, context
from consult.sim.state import Context
from consult.store.transcript import Transcript

_NO_PLAN: Final = Plan()
ROLES: Final[tuple[str, ...]] = ("inquirer", "patient", "recipient", "triage")
"""Roles that another agent may take over."""


def parent_setup(transcript: Transcript, folders: tuple[Path, ...] = (), *, to_be: str = "forked") -> Setup:
    """What a kept consultation was played from. Raises UsageError if some of it has changed or is gone."""
    return _parent(transcript, Content(Plan(), folders), to_be)[0]


def _parent(transcript: Transcript, content: Content, to_be: str = "forked") -> tuple[Setup, tuple[Teller, ...], Path]:
    """The same, who told what by which persona, and the scenario's file."""
    h = transcript.header
    try:
        found = content.of(h)
        tellers, file = content.tellers(found, transcript.events), content.file_of(h)
    except Gone as e:
        raise UsageError(f"ID: {e}, so {h.consultation_id} cannot be {to_be} (mend: bring it back)") from None
    return Setup(*found, dict(h.agents), Limits(**h.limits), h.epoch, h.seed, h.provenance.resolver), tellers, file


def fork_of(
    transcript: Transcript,
    turn: int,
    changes: Mapping[str, Any] | None = None,
    folders: tuple[Path, ...] = (),
    models: Models = HERE,
    plan: Plan = _NO_PLAN,
) -> Setup:
    """The setup of a fork after question `turn`.

    `changes`: persona, hospital (names), agents' specs by role, seed, max_turns, max_orders; `say`: words that the doctor
    begins with; `results`: what orders are answered with, see `examiner.overridden`; what a doctor that is a model is given
    (`regiving.OPTIONS`). None and what is not there stays as it was then. `models`: where those are reached that play from
    there on, which no transcript says; `plan`: that of the parent's run. Raises ConsultError if it cannot be played.
    """
    given = {name: value for name, value in (changes or {}).items() if value is not None}
    then, tellers, file = _then(transcript, turn, Content(plan, folders))
    setup = replace(then, **_given(then, given), models=models, rubrics=plan.rubric)
    spec, h = setup.line_up["inquirer"], transcript.header
    doctor, scenario = Doctor(spec, spec == then.line_up["inquirer"]), (h.provenance.scenario, file)
    aids, album = given_again(doctor, h, scenario, plan, given, models, folders)
    setup = replace(setup, aids=aids, album=album)
    _check_reached(setup)
    same_triage = setup.hospital == then.hospital and setup.line_up["triage"] == then.line_up["triage"]
    events = up_to(transcript.events, turn, triaged=same_triage)
    results, told = _results(events, given.get("results", ()), then)
    changed = [*_changed(then, setup), *told]
    past = Past(
        parent=transcript.id,
        events=events,
        memory=memory_of(events, [_as_it_was(then, persona) for persona, _ in tellers]),
        say=given.get("say", ""),
        changes=tuple(changed),
        earlier=tellers if any(c.what == "persona" for c in changed) else tellers[:-1],
        results=results,
    )
    return replace(setup, past=past)


def _then(transcript: Transcript, turn: int, content: Content) -> tuple[Setup, tuple[Teller, ...], Path]:
    """What was played at that turn; who had told what until then, the last of them still does; the scenario's file."""
    h = transcript.header
    parent, tellers, file = _parent(transcript, content)
    events = up_to(transcript.events, turn)
    tellers = tellers[: 1 + sum(isinstance(e, Changed) and e.what == "persona" for e in events)]
    agents = {role: player(h.agents, transcript.events, role, len(events)) for role in h.agents}
    return replace(parent, persona=tellers[-1][0], agents=agents), tellers, file


def _given(then: Setup, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the setup, with what is to be different."""
    specs: dict[str, str] = {role: str(given[role]) for role in ROLES if role in given}
    for role, spec in specs.items():
        if spec != HUMAN:
            check_spec(role, spec)
    for role, called in (("inquirer", "doctor"), ("patient", "patient")):
        if then.line_up[role] == HUMAN and role not in specs:
            what = f"a human was the {called} (mend: say who goes on, for example --{role} reference)"
            raise UsageError(f"--{role}: {what}")
    limits = {name: given[name] for name in ("max_turns", "max_orders") if name in given}
    return {
        "agents": {**then.line_up, **specs},
        "persona": load_persona(given["persona"]) if "persona" in given else then.persona,
        "hospital": _hospital(then, given.get("hospital")),
        "seed": given.get("seed", then.seed),
        "limits": replace(then.limits, **limits),
    }


def _changed(then: Setup, setup: Setup) -> list[Changed]:
    """The events that say who or what is another from here on."""
    roles = [role for role in ROLES if setup.line_up[role] != then.line_up[role]]
    out = [Changed(what=cast("Any", r), before=then.line_up[r], now=setup.line_up[r]) for r in roles]
    old, new = then.persona, setup.persona
    if new.content_hash() != old.content_hash():
        out.append(Changed(what="persona", before=old.id, now=new.id, content=old.content_hash()))
    return out


def _results(events: Sequence[Event], given: Sequence[str], then: Setup) -> tuple[tuple[Result, ...], list[Changed]]:
    """What the examiner answers otherwise, as before and as given now; and the events that say so of the latter."""
    old = [e.now for e in events if isinstance(e, Changed) and e.what == "result"]
    results = {r.order: r for r in (overridden(text, then.scenario, then.knowledge) for text in (*old, *given))}
    done = {e.order for e in events if isinstance(e, Result)}
    for text in given:
        if (order := overridden(text, then.scenario, then.knowledge).order) in done:
            raise UsageError(f"--result: {order} was done before, and its result stands (mend: an earlier --turn)")
    return tuple(results.values()), [Changed(what="result", now=clean(text, limit=MAX_TEXT)) for text in given]


def _as_it_was(then: Setup, persona: Persona) -> Context:
    """The context of the past. Nobody plays it again: where a human or a model did, the reference keeps the seat."""
    agents = {r: "reference" if s == HUMAN or s.startswith("llm:") else s for r, s in then.line_up.items()}
    return context(replace(then, agents=agents, persona=persona))


def _check_reached(setup: Setup) -> None:
    """Raises UsageError where nothing says how a model is reached that plays from there on."""
    played = played_by_models(setup.line_up)
    for role, spec in (played | ({MATCHER: setup.matcher.spec} if setup.matcher is not None else {})).items():
        endpoint = setup.models.endpoint(parse(role, spec).model)
        if not setup.models.replay and (missing := missing_key(endpoint)):
            what = f"the {role} is {spec}, and no transcript says where a model is reached"
            mend = f"CONSULT_API_BASE or --api-base is the address of its server; or set {missing}; or let another play"
            raise UsageError(f"--api-base: {what} (mend: {mend})")


def _hospital(parent: Setup, name: str | None) -> Any:
    if name is None:
        return parent.hospital
    hospital = load_hospital(name)
    if hospital.knowledge not in (parent.hospital.knowledge, parent.knowledge.id):
        what = (
            f"{hospital.id} works with the knowledge {hospital.knowledge}, the consultation with {parent.knowledge.id}"
        )
        raise UsageError(f"--hospital: {what} (mend: name one that works with it)")
    return hospital
