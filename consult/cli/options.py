"""Options that several commands share, and their twins in the environment. Imports click and settings only."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from consult.settings import DEFAULT_DB

F = TypeVar("F", bound=Callable[..., Any])
ROLES: Final = {
    "patient": "Who plays the patient",
    "recipient": "Who keeps the record",
    "triage": "Who predicts department and urgency",
    "assessor": "Who scores, beside the scorers: llm:MODEL, or several with commas",
    "matcher": "Who is asked what a diagnosis means that nothing in the knowledge matches: llm:MODEL",
}


class EnvOption(click.Option):
    """An option that also reads CONSULT_<COMMAND>_<NAME>, and then CONSULT_<NAME>, which counts in every command."""

    shared = True

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The text of the first of the two that is set and not empty; named as the option is, not as its variable."""
        name = max(self.opts, key=len).lstrip("-").replace("-", "_").upper()
        prefixes = (ctx.auto_envvar_prefix, "CONSULT") if self.shared else (ctx.auto_envvar_prefix,)
        found = (os.environ.get(f"{prefix}_{name}") for prefix in prefixes)
        return next((text for text in found if text), None)


class OwnEnvOption(EnvOption):
    """Reads CONSULT_<COMMAND>_<NAME> only: the option of that name means something else in another command."""

    shared = False


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """`click.option` with twins in the environment."""
    return click.option(*names, cls=EnvOption, **settings)


def folders(text: str) -> Callable[[F], F]:
    """`--scenarios` where it adds folders; in `consult batch` it says which scenarios are meant."""
    path = click.Path(path_type=Path, exists=True)
    return click.option("--scenarios", "folders", cls=OwnEnvOption, multiple=True, type=path, help=text)


db = option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=True),
    default=DEFAULT_DB,
    show_default=True,
    help="The results database.",
)
scores = option(
    "--scores",
    "version",
    type=click.IntRange(1),
    metavar="VERSION",
    help="The scores of this version (`consult score`). Default: the latest.",
)
as_json = option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead.")


rubric = option(
    "--rubric",
    multiple=True,
    metavar="NAME|PATH",
    help="What judges judge by: mdbench, paces, process, files or folders. Repeatable. Default: mdbench and paces.",
)


budget_each = option(
    "--budget-each",
    metavar="LIMITS",
    help="What the models of one consultation may take: calls=,tokens=,cost=,time= or some of them; it ends there, and is scored.",
)


def agents(function: F) -> F:
    """The options that say who plays each role but the inquirer."""
    for role, text in reversed(ROLES.items()):
        function = option(f"--{role}", metavar="SPEC", help=f"{text}. Default: reference.")(function)
    return function


api_base = option(
    "--api-base", metavar="URL", help="An OpenAI-compatible server for llm:MODEL. Default: the provider's."
)


def aids(function: F) -> F:
    """The options that say what an inquirer by a model is given beside what is said; all None if not given."""
    for decorate in (
        option("--few-shot", metavar="FILE", help="Examples for its system prompt (`consult schema few-shot`)."),
        option("--persona-prompt", metavar="FILE", help="What an inquirer llm:MODEL is like, for its system prompt."),
        option("--top-k", type=click.IntRange(1, 20), help="How many of its conditions are told. Default: 3."),
        option(
            "--classifier",
            metavar="SPEC",
            help="Of the strategy classifier: PREDICTIONS.yaml, simulated:TOP1/TOPK, or a plug-in.",
        ),
        option(
            "--vision",
            type=click.Choice(["yes", "no"]),
            metavar="yes|no",
            help="Whether models take pictures. Default: as LiteLLM's table has it.",
        ),
    ):
        function = decorate(function)
    return function


per_minute = option(
    "--per-minute", type=click.IntRange(1, 1_000_000), metavar="N", help="Calls of a server that begin in a minute."
)


def models(function: F) -> F:
    """The options that say how models are reached that play a role, and how they work; all None if not given."""
    for decorate in (
        aids,
        option(
            "--pictures",
            type=click.Choice(["captions", "text-only", "image", "blank-image", "wrong-image"]),
            metavar="NAME",
            help="What it is shown of pictures: captions, text-only, image, blank-image, wrong-image. Default: captions.",
        ),
        option(
            "--strategy",
            type=click.Choice(["dialogue", "no-dialogue", "rationale", "classifier", "guided"]),
            metavar="NAME",
            help="How an inquirer llm:MODEL works: dialogue, no-dialogue, rationale, classifier, guided. Default: dialogue.",
        ),
        option(
            "--max-tokens",
            type=click.IntRange(1, 100_000),
            metavar="N",
            help="Of one answer of a model that plays, thinking included; of one alone: llm:MODEL+max-tokens=N. Default: 1000 with --api-base.",
        ),
        option("--timeout", type=float, metavar="SECONDS", help="For one answer of a model. Default: 120."),
        per_minute,
        api_base,
    ):
        function = decorate(function)
    return function


def world(function: F) -> F:
    """The options that say where a consultation takes place and how far it may go; all None if not given."""
    for decorate in (
        option(
            "--resolver",
            type=click.Choice(["lexicon", "embedding"]),
            metavar="lexicon|embedding",
            help="How questions are understood; embedding needs the extra of that name. Default: lexicon.",
        ),
        option("--max-orders", type=click.IntRange(0, 1000), help="Orders the inquirer may place. Default: 5."),
        option("--max-turns", type=click.IntRange(0, 1000), help="Questions the inquirer may ask. Default: 14."),
        option("--seed", type=int, help="Same seed, same transcript (reference agents). Default: 0."),
        option(
            "--knowledge", metavar="NAME|PATH", help="What doctors know. Default: the one the scenario is coded in."
        ),
        option("--hospital", metavar="NAME|FILE", help="Where it takes place. Default: general."),
    ):
        function = decorate(function)
    return function


@dataclass(frozen=True, slots=True)
class Single:
    """What was said of how one consultation is played: from where, to where, and what is printed."""

    folders: tuple[Path, ...]
    record: Path | None
    replay: Path | None
    db: Path
    no_save: bool
    as_json: bool
    quiet: bool


_CASSETTE: Final = click.Path(path_type=Path, dir_okay=False)


def single(function: F) -> F:
    """The options of a command that plays one consultation; it is handed them together, as `how`."""

    @wraps(function)
    def together(*args: Any, **given: Any) -> Any:
        how = Single(**{f.name: given.pop(f.name) for f in fields(Single)})
        return function(*args, how=how, **given)

    decorated: Any = together
    for decorate in (
        option("--quiet", is_flag=True, help="Print the dialogue only."),
        as_json,
        option("--no-save", is_flag=True, help="Keep nothing."),
        db,
        folders("A folder or file where the scenario is looked for first. Repeatable."),
        option("--replay", type=_CASSETTE, metavar="FILE", help="Answer for models from this cassette, and call none."),
        option("--record", type=_CASSETTE, metavar="FILE", help="Keep what models answer in this cassette."),
    ):
        decorated = decorate(decorated)
    return cast(F, decorated)
