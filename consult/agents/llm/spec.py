"""Agent specs that name a model, `llm:MODEL[+WAY]`, and the prompts behind them. Light to import; calls nothing.

Owns which roles a model of ours can play, how it may work in them, and where prompts are looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from consult.errors import UsageError
from consult.llm.endpoint import model_of
from consult.llm.prompts import Prompts
from consult.settings import search_path

PREFIX: Final = "llm:"
ROLES: Final = ("inquirer", "patient", "recipient", "triage")
DEFAULT: Final = "dialogue"
STRATEGIES: Final = {
    "dialogue": "asks and orders, sees the dialogue and the results",
    "no-dialogue": "concludes from the first words",
    "rationale": "as dialogue, and gives its reason before each action",
    "guided": "as dialogue, with the record and triage's guidance",
}
"""How an inquirer works: the first three after 3MDBench (arXiv 2504.13861), the last after the guidance of triage."""
RESOLVER: Final = "resolver"
"""What a patient's spec ends in where the model says what questions ask for, too."""
_WAYS: Final = {**dict.fromkeys(STRATEGIES, "inquirer"), RESOLVER: "patient"}
"""What a spec may end in, and whose."""
_OWN: Final = Path(__file__).resolve().parent / "prompts"


class ModelSpec(NamedTuple):
    """A spec as it was understood."""

    model: str
    """As litellm writes it."""
    strategy: str = DEFAULT
    """Of a patient: `resolver`, or this."""


def parse(role: str, spec: str) -> ModelSpec:
    """What a spec names. Raises UsageError."""
    model = model_of(spec)
    rest, plus, way = model.rpartition("+")
    if not plus or way not in _WAYS:
        return ModelSpec(model)
    if role != _WAYS[way]:
        whose = "an inquirer has a strategy" if way in STRATEGIES else "a patient resolves questions"
        raise UsageError(f"--{role}: {spec!r} ends in +{way} (mend: only {whose}; write {PREFIX}{rest})")
    return ModelSpec(model_of(PREFIX + rest), way)


def with_strategy(spec: str, strategy: str) -> str:
    """An inquirer's spec with a strategy where it is a model that has none of its own; in its shortest form."""
    if not spec.startswith(PREFIX):
        return spec
    model, own = parse("inquirer", spec)
    named = own if spec != PREFIX + model else strategy
    return f"{PREFIX}{model}" + ("" if named in ("", DEFAULT) else f"+{named}")


def played_by_models(line_up: Mapping[str, str]) -> dict[str, str]:
    """The roles of a line-up that models play, with their specs."""
    return {role: line_up[role] for role in ROLES if line_up.get(role, "").startswith(PREFIX)}


def prompts() -> Prompts:
    """The prompts in force: the built-in ones, and before them those of `prompts` in each folder of CONSULT_PATH."""
    own = [p for p in search_path("prompts")[:-1] if p.is_dir()]
    return _prompts(tuple(own))


@lru_cache(maxsize=8)
def _prompts(folders: tuple[Path, ...]) -> Prompts:
    return Prompts([*folders, _OWN])


def prompt_hashes(line_up: Mapping[str, str]) -> dict[str, str]:
    """sha256 of each prompt that the models of a line-up are given, by name. Raises DataError."""
    played = played_by_models(line_up)
    if not played:
        return {}
    resolves = "patient" in played and parse("patient", played["patient"]).strategy == RESOLVER
    roles = tuple(f"{role}/" for role in (*played, *([RESOLVER] if resolves else ())))
    return {name: known["sha256"] for name, known in prompts().identity.items() if name.startswith(roles)}
