"""What brings a consultation's events to the screen, played now (`consult.tui.table`) or kept: the same either way.

Owns what a feed brings, the one of a kept consultation, and what a choice is played from. A feed runs in a thread of its
own and posts what it has; sim is imported there, behind what is on the screen. Must not import textual.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from consult.clean import one_line
from consult.errors import ConsultError
from consult.events import Event, Header
from consult.players import DOCTOR, HUMAN, PATIENT, SEATS

if TYPE_CHECKING:
    from consult.show.panels import Scene
    from consult.sim.session import Setup
    from consult.store.transcript import Transcript

Choice = dict[str, str]
"""Who meets whom: scenario, persona, inquirer, hospital, seed; what is not there is left to the defaults.

For a fork also `parent` (an id) and `turn`: what is as in the parent stays as it was; and `result`, as of `consult fork`.
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """Who meets whom, and what is needed to draw it."""

    header: Header
    scene: Scene
    menu: Menu | None = None
    """For a human: what can be named."""
    past: int = 0
    """So many events have been seen before: a fork's past, or what there was when it was left."""


@dataclass(frozen=True, slots=True)
class Menu:
    """What a doctor can name: conditions and orders by their plain names, departments as (primary, secondary, words)."""

    conditions: tuple[str, ...]
    orders: tuple[str, ...]
    departments: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes. `kept`: the id it was kept under now; `problem`: what went wrong around it."""

    kept: str = ""
    problem: str = ""
    header: Header | None = None
    """As it was kept: who played is known at the end only."""


@dataclass(frozen=True, slots=True)
class YourTurn:
    """A human is to say what the doctor does."""

    questions: int
    """Left to ask, likewise to order below."""
    orders: int


@dataclass(frozen=True, slots=True)
class Seated:
    """Which seat the human has from here on: inquirer, patient, or none (empty)."""

    seat: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An agent failed in its turn. Nothing is lost: it can be tried again, taken over, or left."""

    problem: str


Brought = Opened | tuple[Event, ...] | YourTurn | Seated | Failed | Ended
Post = Callable[[Brought], None]


class Feed(Protocol):
    """Brings one consultation."""

    live: bool
    """Whether it happens now: then it is watched from its beginning."""

    def run(self, post: Post) -> None:
        """Posts `Opened`, events in order, and `Ended`, whatever happens, from a thread that nobody waits for."""


class Kept:
    """A consultation from the store, or from a file."""

    live = False

    def __init__(self, load: Callable[[], Transcript]) -> None:
        self._load = load

    @classmethod
    def of(cls, db: Path, identifier: str) -> Kept:
        """The one of an id."""
        return cls(partial(_from_store, db, identifier))

    def run(self, post: Post) -> None:
        """Everything at once."""
        try:
            t = self._load()
        except ConsultError as e:
            post(Ended(problem=one_line(str(e), limit=300)))
            return
        post(Opened(t.header, scene_of(t.header)))
        post(t.events)
        post(Ended())


def _from_store(db: Path, identifier: str) -> Transcript:
    from consult.store.db import Store

    with Store(db, readonly=True) as store:
        return store.get(identifier)


def setup_of(choice: Choice, db: Path) -> Setup:
    """What was chosen, checked. Raises ConsultError if it cannot be played."""
    from consult.batch import Plan, default_scenario, setups

    if choice.get("parent"):
        return _fork_of(choice, db)
    agents = {role: spec for role in SEATS if (spec := choice.get(role, HUMAN)) != HUMAN}
    plan = Plan(
        scenarios=(choice.get("scenario") or default_scenario(),),
        personas=(choice.get("persona") or "neutral",),
        inquirer=(agents.get(DOCTOR) or "reference",),
        patient=agents.get(PATIENT) or "reference",
        hospital=choice.get("hospital") or "general",
        seed=int(choice.get("seed") or 0),
        api_base=_api_base(),
    )
    return setups(plan)[0]


def _api_base() -> str:
    """Where models are reached; what is `--api-base` elsewhere has only its twin here."""
    return os.environ.get("CONSULT_API_BASE", "")


def _fork_of(choice: Choice, db: Path) -> Setup:
    from consult.agents.llm.talk import Models
    from consult.batch.forking import fork_of
    from consult.batch.regiving import plan_of

    parent = _from_store(db, choice["parent"])
    h = parent.header
    as_it_was = {"persona": h.persona, "hospital": h.hospital, "seed": str(h.seed), **h.agents}
    given = {k: v for k, v in choice.items() if k in ("persona", "hospital", "seed", *SEATS)}
    changes: dict[str, Any] = {k: v for k, v in given.items() if v != as_it_was.get(k) or v == HUMAN}
    if "seed" in changes:
        changes["seed"] = int(changes["seed"])
    if choice.get("result"):
        changes["results"] = (choice["result"],)
    models = Models(api_base=_api_base())
    return fork_of(parent, int(choice["turn"]), changes, models=models, plan=plan_of(db, parent.id))


def scene_of(header: Header, **given: Any) -> Scene:
    """The words for ids, and the facts of the case: those given, or the files', the facts where the scenario is still the same."""
    from consult.show.names import names_of
    from consult.show.panels import Scene

    facts = given.get("facts")
    why = ""
    if facts is None:
        with suppress(ConsultError):
            facts, why = _facts(header)
    return Scene(given.get("names") or names_of(header), facts, why)


def _facts(header: Header) -> Any:
    from consult.scenario import load_scenario, scenario_files

    path = scenario_files().get(header.scenario)
    if path is None:
        return None, "the scenario is not here"
    scenario = load_scenario(path)
    if scenario.content_hash() != header.provenance.scenario:
        return None, "the scenario has been changed since"
    return scenario.facts, ""
