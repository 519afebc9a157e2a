"""A fork of a kept consultation: its setup made again, with what is to be different from a turn on. Owns the overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from consult.agents.llm.briefing import AIDED
from consult.agents.llm.spec import CLASSIFIER, LOOKING, parse, played_by_models
from consult.agents.llm.talk import HERE, Models
from consult.agents.registry import check_spec
from consult.batch.plan import Plan
from consult.batch.rescore import Content, Gone
from consult.errors import UsageError
from consult.hospital import load_hospital
from consult.llm.through_litellm import missing_key
from consult.persona import load_persona
from consult.settings import Limits
from consult.sim.past import Past, memory_of, up_to
from consult.sim.session import Setup, context
from consult.store.transcript import Transcript

ROLES: Final[tuple[str, ...]] = ("inquirer", "patient", "recipient", "triage")
"""Roles that another agent may take over."""
HUMAN: Final = "human"


def parent_setup(transcript: Transcript, folders: tuple[Path, ...] = (), *, to_be: str = "forked") -> Setup:
    """What a kept consultation was played from. Raises UsageError if some of it has changed or is gone."""
    h = transcript.header
    try:
        content = Content(Plan(), folders).of(h)
    except Gone as e:
        raise UsageError(f"ID: {e}, so {h.consultation_id} cannot be {to_be} (mend: bring it back)") from None
    return Setup(*content, dict(h.agents), Limits(**h.limits), h.epoch, h.seed, h.provenance.resolver)


def fork_of(
    transcript: Transcript,
    turn: int,
    changes: Mapping[str, Any] | None = None,
    folders: tuple[Path, ...] = (),
    models: Models = HERE,
) -> Setup:
    """The setup of a fork after question `turn`.

    `changes`: persona, hospital (names), agents' specs by role, seed, max_turns, max_orders; `say`: words that the doctor
    begins with. None and what is not there stays as it was. `models`: where those are reached that play from there on,
    which no transcript says. Raises ConsultError if it cannot be played.
    """
    given = {name: value for name, value in (changes or {}).items() if value is not None}
    parent = parent_setup(transcript, folders)
    specs: dict[str, str] = {role: str(given[role]) for role in ROLES if role in given}
    for role, spec in specs.items():
        if spec != HUMAN:
            check_spec(role, spec)
    setup = replace(
        parent,
        agents={**parent.line_up, **specs},
        persona=load_persona(given["persona"]) if "persona" in given else parent.persona,
        hospital=_hospital(parent, given.get("hospital")),
        seed=given.get("seed", parent.seed),
        limits=replace(parent.limits, **{name: given[name] for name in ("max_turns", "max_orders") if name in given}),
        models=models,
    )
    _check_aids(setup.line_up["inquirer"], parent.line_up["inquirer"], transcript)
    _check_reached(setup)
    if setup.line_up["inquirer"] == HUMAN and "inquirer" not in specs:
        raise UsageError("--inquirer: a human was the doctor (mend: say who goes on, for example --inquirer reference)")
    same_triage = setup.hospital == parent.hospital and setup.line_up["triage"] == parent.line_up["triage"]
    events = up_to(transcript.events, turn, triaged=same_triage)
    as_it_was = context(replace(parent, agents={role: _stand_in(spec) for role, spec in parent.line_up.items()}))
    return replace(setup, past=Past(transcript.id, events, memory_of(events, as_it_was), given.get("say", "")))


def _check_aids(inquirer: str, before: str, transcript: Transcript) -> None:
    """Raises UsageError where the doctor is given more than a transcript keeps: pictures, a classifier, words of the user's."""
    if not inquirer.startswith("llm:"):
        return
    said = parse("inquirer", inquirer)
    kept = transcript.header.provenance.prompts if inquirer == before else {}
    if said.strategy == CLASSIFIER or said.pictures in LOOKING or any(name in kept for name in AIDED):
        what = f"{inquirer} is given pictures, a classifier's opinion or words of its own, which a fork cannot give"
        raise UsageError(f"--inquirer: {what} (mend: name a doctor without them, for example llm:{said.model})")


def _stand_in(spec: str) -> str:
    """Nobody plays the past again: where a human or a model did, the reference keeps the seat."""
    return "reference" if spec == HUMAN or spec.startswith("llm:") else spec


def _check_reached(setup: Setup) -> None:
    """Raises UsageError where nothing says how a model is reached that plays from there on."""
    for role, spec in played_by_models(setup.line_up).items():
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
