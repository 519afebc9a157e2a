"""Agent specs that name a model, `llm:MODEL[+STRATEGY]`, and the prompts behind them. Light to import; calls nothing.

Owns which roles a model of ours can play, the strategies of an inquirer, and where prompts are looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from consult.errors import UsageError
from consult.judge.panel import JUDGES
from consult.llm.endpoint import model_of
from consult.llm.prompts import Prompts
from consult.settings import search_path

PREFIX: Final = "llm:"
ROLES: Final = ("inquirer", "patient")
DEFAULT: Final = "dialogue"
STRATEGIES: Final = {
    "dialogue": "asks and orders, sees the dialogue and the results",
    "no-dialogue": "concludes from the first words",
    "rationale": "as dialogue, and gives its reason before each action",
    "guided": "as dialogue, with the record and triage's guidance",
}
"""How an inquirer works: the first three after 3MDBench (arXiv 2504.13861), the last after the guidance of triage."""
_OWN: Final = Path(__file__).resolve().parent / "prompts"


class ModelSpec(NamedTuple):
    """A spec as it was understood."""

    model: str
    """As litellm writes it."""
    strategy: str = DEFAULT


def parse(role: str, spec: str) -> ModelSpec:
    """What a spec names. Raises UsageError."""
    model = model_of(spec)
    rest, plus, strategy = model.rpartition("+")
    if not plus or strategy not in STRATEGIES:
        return ModelSpec(model)
    if role != "inquirer":
        raise UsageError(f"--{role}: {spec!r} has a strategy (mend: only an inquirer has one; write {PREFIX}{rest})")
    return ModelSpec(model_of(PREFIX + rest), strategy)


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
    return Prompts([*folders, _OWN], others=(JUDGES,))


def prompt_hashes(line_up: Mapping[str, str]) -> dict[str, str]:
    """sha256 of each prompt that the models of a line-up are given, by name. Raises DataError."""
    roles = tuple(f"{role}/" for role in played_by_models(line_up))
    if not roles:
        return {}
    return {name: known["sha256"] for name, known in prompts().identity.items() if name.startswith(roles)}
