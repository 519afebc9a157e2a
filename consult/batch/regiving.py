"""What a fork's doctor is given beside what is said, where it is a model: the same as in the parent, or it is not forked.

A transcript has the hashes of pictures, classifier and words of the user's, not these themselves. They come from the plan
of the run, where the consultation is of one, or from options; the hashes say whether they are the same. Must not import sim.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from consult.agents.llm.aids import NONE, Aids, Album, Contents
from consult.agents.llm.briefing import AIDED
from consult.agents.llm.spec import CLASSIFIER, PREFIX, ModelSpec, parse
from consult.agents.llm.talk import Models
from consult.batch.aiding import aids_of, places
from consult.batch.plan import Plan
from consult.batch.planning import plan_from
from consult.errors import StoreError, UsageError
from consult.files import SUFFIXES
from consult.header import Header
from consult.scenario import load_scenario
from consult.store.db import Store

OPTIONS: Final = ("classifier", "top_k", "vision", "persona_prompt", "few_shot")
"""Fields of a plan, and options of `consult fork`, that say what it is given."""
_FILES: Final = ("classifier", "persona_prompt", "few_shot")
_SAID_BY: Final = {
    "inquirer/classifier": ("--classifier", "opinions of a classifier"),
    AIDED[0]: ("--persona-prompt", "words on what it is like"),
    AIDED[1]: ("--few-shot", "examples"),
    "inquirer/pictures": ("--vision", "pictures, or saw them otherwise"),
}
"""By its name in a header: the option, and what it is."""


class Doctor(NamedTuple):
    """Who goes on, and whether it is the parent's own doctor."""

    spec: str
    same: bool


def plan_of(db: Path, consultation: str) -> Plan:
    """The plan of the run that a consultation is of; an empty one where it is of none, or not in this database."""
    with suppress(StoreError, ValidationError), Store(db, readonly=True) as store:
        run = next((row["run"] for row in store.each(id=consultation, scores=())), None)
        return next((Plan.model_validate(r["plan"]) for r in store.runs() if r["name"] == run), Plan())
    return Plan()


def given_again(
    doctor: Doctor,
    header: Header,
    scenario: tuple[str, Path],
    plan: Plan,
    options: Mapping[str, Any],
    models: Models,
    folders: tuple[Path, ...] = (),
) -> tuple[Aids, Album | None]:
    """What the doctor is given from there on; `scenario`: its hash and file.

    `plan`: the parent's, which counts for its own doctor alone; `options`: see `OPTIONS`, they count over it. Raises UsageError
    where that is not what the parent's doctor was given, with the option that mends it, and ConsultError where it is of no use.
    """
    own = {name: value for name, value in options.items() if name in OPTIONS}
    if not doctor.spec.startswith(PREFIX):
        aids_of(plan_from({}, own)).check([doctor.spec], models)  # nobody uses what was given
        return NONE, None
    said, (key, path) = parse("inquirer", doctor.spec), scenario
    mine = plan_from({"inquirer": (doctor.spec,), "seed": header.seed}, _chosen(said, doctor, plan) | own)
    aids = aids_of(mine)
    place = places(mine, aids, [(key, path)], folders).get(key)
    if doctor.same:
        contents = place.contents if place is not None else Contents()
        other = PREFIX + said.model if doctor.spec != PREFIX + said.model else "reference"
        _check(header.provenance.prompts, aids.hashes(doctor.spec, contents, models), other)
    aids.check_case(aids.check([doctor.spec], models), load_scenario(path))
    return aids, place.album() if place is not None else None


def _chosen(said: ModelSpec, doctor: Doctor, plan: Plan) -> dict[str, Any]:
    """What the plan gives this doctor, without files that are there no more."""
    own = {name: getattr(plan, name) for name in OPTIONS} if doctor.same else {}
    if said.strategy != CLASSIFIER:
        own.pop("classifier", None)  # another line-up's
    return {name: value for name, value in own.items() if name not in _FILES or _there(name, value)}


def _there(name: str, spec: str) -> bool:
    return Path(spec).is_file() or (name == "classifier" and Path(spec).suffix not in SUFFIXES)


def _check(kept: Mapping[str, str], now: Mapping[str, str], other: str) -> None:
    """Raises UsageError where what is given now is not what was given then; `other`: a doctor that is given nothing."""
    for name, (option, what) in _SAID_BY.items():
        if kept.get(name) == now.get(name):
            continue
        if name not in now:
            problem, mend = (
                f"the doctor was given {what}, which no transcript keeps",
                f"`consult fork` with the same {option}",
            )
        elif name not in kept:
            problem, mend = f"the doctor was not given {what}", f"leave {option} out"
        else:
            problem, mend = f"the doctor was given other {what}", f"`consult fork` with the same {option}"
        raise UsageError(f"{option}: {problem} (mend: {mend}, or let another doctor go on: --inquirer {other})")
