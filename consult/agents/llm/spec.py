"""Agent specs that name a model, `llm:MODEL[+ENDING …]`, and the prompts behind them. Light to import; calls nothing.

Owns which roles a model of ours can play, what the end of a spec says of how (an inquirer's strategy, how it is shown pictures,
who reads a patient's questions, how long an answer may be), and where prompts are looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from consult.errors import UsageError
from consult.judge.panel import COACH, JUDGES, MATCHER
from consult.llm.endpoint import BOUND, bound_of, model_of
from consult.llm.prompts import Prompts
from consult.settings import users_own

PREFIX: Final = "llm:"
ROLES: Final = ("inquirer", "patient", "recipient", "triage")
DEFAULT: Final = "dialogue"
STRATEGIES: Final = {
    "dialogue": "asks and orders, sees the dialogue and the results",
    "no-dialogue": "concludes from the first words",
    "rationale": "as dialogue, and gives its reason before each action",
    "classifier": "as dialogue, with what a classifier thinks likeliest",
    "guided": "as dialogue, with the record and triage's guidance",
}
"""How an inquirer works: the first four after 3MDBench (arXiv 2504.13861), the last after the guidance of triage."""
CLASSIFIER: Final = "classifier"
CAPTIONS: Final = "captions"
TEXT_ONLY: Final = "text-only"
IMAGE: Final = "image"
BLANK: Final = "blank-image"
WRONG: Final = "wrong-image"
PICTURES: Final = {
    CAPTIONS: "their captions",
    TEXT_ONLY: "nothing of them",
    IMAGE: "the pictures themselves, or their captions where the model has no eyes",
    BLANK: "a grey picture in the place of each, as a control",
    WRONG: "the pictures of a case of another condition, as a control",
}
"""What an inquirer is shown of the patient's pictures."""
LOOKING: Final = (IMAGE, BLANK, WRONG)
"""Those for which it counts whether the model has eyes."""
RESOLVER: Final = "resolver"
"""What a patient's spec ends in where the model says what questions ask for, too."""
_ENDINGS: Final = {
    **dict.fromkeys(STRATEGIES, ("strategy", "inquirer")),
    **dict.fromkeys(PICTURES, ("pictures", "inquirer")),
    RESOLVER: (RESOLVER, "patient"),
}
"""What a spec may end in: what of the agent it says, and whose agent it must be."""
_A: Final = {"inquirer": "an inquirer", "patient": "a patient"}
_OWN: Final = Path(__file__).resolve().parent / "prompts"


class ModelSpec(NamedTuple):
    """A spec as it was understood."""

    model: str
    """As litellm writes it."""
    strategy: str = DEFAULT
    pictures: str = CAPTIONS
    resolves: bool = False
    """Of a patient: whether the model says what questions ask for, too."""
    max_tokens: int | None = None
    """Of one answer; None: see `Models.sampling`."""


def parse(role: str, spec: str) -> ModelSpec:
    """What a spec names. Raises UsageError."""
    model, said = _parted(role, spec)
    bound = bound_of(said.get(BOUND, ""))
    return ModelSpec(model, said.get("strategy", DEFAULT), said.get("pictures", CAPTIONS), RESOLVER in said, bound)


def probed(spec: str) -> tuple[str, int | None]:
    """The model of a spec of any role's, and the bound on its answers. Raises UsageError where no model is named."""
    model, said = _parted("", spec)
    return model, bound_of(said.get(BOUND, ""))


def _parted(role: str, spec: str) -> tuple[str, dict[str, str]]:
    """The model's name, and what the end of the spec says of how it works. `role`: empty for whichever it may be."""
    model, said = model_of(spec), dict[str, str]()
    while True:
        rest, plus, word = model.rpartition("+")
        if plus and bound_of(word) is not None:
            kind, whose = BOUND, role
        elif plus and word in _ENDINGS:
            kind, whose = _ENDINGS[word]
        else:
            _misspelt(spec, word if plus else "")
            return model_of(PREFIX + model), said
        if role and role != whose:
            raise UsageError(
                f"--{role}: {spec!r} ends in +{word} (mend: only {_A[whose]} has one; write {PREFIX}{rest})"
            )
        if kind in said:
            raise UsageError(
                f"{f'--{role}' if role else 'SPEC'}: {spec!r} says twice how it works (mend: keep {word} or {said[kind]})"
            )
        model, said[kind] = rest, word


def _misspelt(spec: str, word: str) -> None:
    """A server of one's own takes any name for its model: a slip would never be noticed. Raises UsageError."""
    from difflib import get_close_matches

    if near := get_close_matches(word, [*_ENDINGS, BOUND], 1, cutoff=0.7):
        raise UsageError(f"SPEC: {spec!r} ends in +{word}, which says nothing (mend: +{near[0]})")


def settled(role: str, spec: str, strategy: str, pictures: str, max_tokens: int | None) -> str:
    """A spec with what the plan says of how models work, where it is one that says nothing of its own; in its shortest form.

    Strategy and pictures are an inquirer's. Judges are no part of this: each says for itself how long it may speak.
    """
    if role not in ROLES or not spec.startswith(PREFIX):
        return spec
    model, own = _parted(role, spec)
    said = {"strategy": strategy, "pictures": pictures} if role == "inquirer" else dict[str, str]()
    said |= {BOUND: f"{BOUND}{max_tokens}"} if max_tokens is not None else {}
    said |= own
    named = (said.get(kind, DEFAULT) for kind in ("strategy", "pictures", RESOLVER, BOUND))
    return "+".join((PREFIX + model, *(word for word in named if word not in (DEFAULT, CAPTIONS))))


def played_by_models(line_up: Mapping[str, str]) -> dict[str, str]:
    """The roles of a line-up that models play, with their specs."""
    return {role: line_up[role] for role in ROLES if line_up.get(role, "").startswith(PREFIX)}


def prompts() -> Prompts:
    """The prompts in force: the built-in ones, and before them those of `prompts` in each folder of CONSULT_PATH."""
    own = [p for p in users_own("prompts") if p.is_dir()]
    return _prompts(tuple(own))


@lru_cache(maxsize=8)
def _prompts(folders: tuple[Path, ...]) -> Prompts:
    return Prompts([*folders, _OWN], others=(COACH, JUDGES, MATCHER))


def prompt_hashes(line_up: Mapping[str, str]) -> dict[str, str]:
    """sha256 of each prompt that the models of a line-up are given, by name. Raises DataError."""
    played = played_by_models(line_up)
    if not played:
        return {}
    resolves = "patient" in played and parse("patient", played["patient"]).resolves
    roles = tuple(f"{role}/" for role in (*played, *([RESOLVER] if resolves else ())))
    return {name: known["sha256"] for name, known in prompts().identity.items() if name.startswith(roles)}
