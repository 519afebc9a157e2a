"""What brings a consultation's events to the screen: one that is played now, or one that is kept. The same either way.

A feed runs in a thread of its own and posts what it has; sim is imported there, behind what is on the screen. A live
one is kept in the store when it is over, whether or not anybody still looks. Must not import textual.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from consult.clean import one_line
from consult.errors import ConsultError
from consult.events import Event, Header

if TYPE_CHECKING:
    from consult.show.panels import Scene
    from consult.sim.session import Setup
    from consult.store.transcript import Transcript

Choice = dict[str, str]
"""Who meets whom: scenario, persona, inquirer, hospital, seed; what is not there is left to the defaults.

For a fork also `parent` (an id) and `turn`: what is as in the parent stays as it was.
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """Who meets whom, and what is needed to draw it."""

    header: Header
    scene: Scene
    menu: Menu | None = None
    """For a human: what can be named."""
    past: int = 0
    """The first so many events are a fork's past."""


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


@dataclass(frozen=True, slots=True)
class YourTurn:
    """A human is to say what the doctor does."""

    questions: int
    """Left to ask, likewise to order below."""
    orders: int


Brought = Opened | Sequence[Event] | YourTurn | Ended
Post = Callable[[Brought], None]


class Feed(Protocol):
    """Brings one consultation."""

    live: bool
    """Whether it happens now: then it is watched from its beginning."""

    def run(self, post: Post) -> None:
        """Posts `Opened`, events in order, and `Ended`, whatever happens."""


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


class Live:
    """A consultation that is played now."""

    live = True

    def __init__(self, db: Path, choice: Choice) -> None:
        self._db = db
        self._choice = choice

    def run(self, post: Post) -> None:
        """Plays it, event by event, and keeps it."""
        try:
            post(Ended(kept=self._play(post)))
        except ConsultError as e:
            post(Ended(problem=one_line(str(e), limit=300)))
        except Exception as e:  # a fault of a plug-in or of ours: the screen says it, and stays
            post(Ended(problem=one_line(f"internal error: {type(e).__name__}: {e}", limit=300)))

    def _play(self, post: Post) -> str:
        setup = setup_of(self._choice, self._db)
        from consult.sim.session import header, stream
        from consult.store.db import Store
        from consult.store.transcript import Transcript

        head = header(setup)
        source = stream(setup)
        past = past_of(setup)
        events = list(islice(source, past or 1))  # an agent that cannot be had is told before anything is shown
        post(Opened(head, scene_of(head, facts=setup.case.facts), past=past))
        post(tuple(events))
        for event in source:
            events.append(event)
            post((event,))
        with Store(self._db) as store:
            return store.save(Transcript(head, tuple(events)), cell=setup.cell)


def setup_of(choice: Choice, db: Path) -> Setup:
    """What was chosen, checked. Raises ConsultError if it cannot be played."""
    from consult.batch import Plan, default_scenario, setups

    if choice.get("parent"):
        return _fork_of(choice, _from_store(db, choice["parent"]))
    plan = Plan(
        scenarios=(choice.get("scenario") or default_scenario(),),
        personas=(choice.get("persona") or "neutral",),
        inquirer=(choice.get("inquirer") or "reference",),
        hospital=choice.get("hospital") or "general",
        seed=int(choice.get("seed") or 0),
    )
    return setups(plan)[0]


def _fork_of(choice: Choice, parent: Transcript) -> Setup:
    from consult.agents.llm.talk import Models
    from consult.batch.forking import fork_of

    h = parent.header
    as_it_was = {
        "persona": h.persona,
        "inquirer": h.agents.get("inquirer"),
        "hospital": h.hospital,
        "seed": str(h.seed),
    }
    changes: dict[str, Any] = {k: choice[k] for k, was in as_it_was.items() if k in choice and choice[k] != was}
    if "seed" in changes:
        changes["seed"] = int(changes["seed"])
    return fork_of(parent, int(choice["turn"]), changes, models=Models(api_base=os.environ.get("CONSULT_API_BASE", "")))


def past_of(setup: Setup) -> int:
    """How many events a fork has from its parent."""
    return len(setup.past.events) if setup.past is not None else 0


def scene_of(header: Header, **given: Any) -> Scene:
    """Plain names, and the facts of the case: those given, or the scenario's where it is still the same."""
    from consult.show.names import finding_names, names_of
    from consult.show.panels import Scene

    facts = given.get("facts")
    why = ""
    if facts is None:
        with suppress(ConsultError):
            facts, why = _facts(header)
    return Scene(names_of(header), finding_names(header), facts, why)


def _facts(header: Header) -> Any:
    from consult.scenario import load_scenario, scenario_files

    path = scenario_files().get(header.scenario)
    if path is None:
        return None, "the scenario is not here"
    scenario = load_scenario(path)
    if scenario.content_hash() != header.provenance.scenario:
        return None, "the scenario has been changed since"
    return scenario.facts, ""
