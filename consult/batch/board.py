"""Where every cell of a run stands, read from the store: for whoever watches a batch, here or in another process.

Places go by names (scenario, persona, line-up, epoch), so that a run whose files have changed since can be looked at, too. Pure
reading; knows no screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from consult.batch import figures
from consult.batch.cells import Cells, setups
from consult.batch.plan import Plan
from consult.errors import ConsultError, UsageError
from consult.events import Used
from consult.store.db import Store
from consult.store.glance import glimpse
from consult.store.summary import failed


class Mark(StrEnum):
    """How a cell stands."""

    WAITING = "waiting"
    TAKEN = "taken"
    """Being played in this process, or about to be."""
    RIGHT = "right"
    WRONG = "wrong"
    UNJUDGED = "not judged"
    FAILED = "failed"
    """It raised, or something around the doctor failed; the same plan tries it again."""


DONE = (Mark.RIGHT, Mark.WRONG, Mark.UNJUDGED)


class Place(NamedTuple):
    """Which cell."""

    scenario: str
    persona: str
    line_up: str
    epoch: int


class Spot(NamedTuple):
    """What is known of a cell: how it stands, the consultation it was, and a few words."""

    mark: Mark
    id: str = ""
    words: str = ""


def place(cells: Cells, index: int) -> Place:
    """The place of a plan's cell."""
    scenario, persona, line_up, epoch = cells.parts(index)
    return Place(scenario.id, persona.id, line_up.name, epoch)


@dataclass(frozen=True)
class Board:
    """A look at all cells of a run: a row for each scenario, a group of columns for each persona and line-up."""

    scenarios: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    epochs: int = 1
    spots: Mapping[Place, Spot] = field(default_factory=dict)
    planned: bool = False
    """Whether the plan could be read; otherwise only what is kept is known, and nothing of what is missing."""
    tokens: int | None = 0
    cost: float | None = 0.0

    @property
    def total(self) -> int:
        """Cells, as far as they are known."""
        return len(self.scenarios) * len(self.groups) * self.epochs if self.planned else len(self.spots)

    @cached_property
    def counts(self) -> Counter[Mark]:
        """How many stand how."""
        counts = Counter(spot.mark for spot in self.spots.values())
        counts[Mark.WAITING] = self.total - counts.total()
        return counts

    @property
    def done(self) -> int:
        """Cells that need not run again."""
        counts = self.counts
        return sum(counts[mark] for mark in DONE)

    @cached_property
    def top1(self) -> tuple[float, float, float] | None:
        """The share of right diagnoses so far, with its interval."""
        counts = self.counts
        return figures.top1(counts[Mark.RIGHT], counts[Mark.RIGHT] + counts[Mark.WRONG])

    def place(self, row: int, column: int) -> Place:
        """The place of a row and a column. Raises IndexError."""
        group, epoch = divmod(column, self.epochs)
        return Place(self.scenarios[row], *self.groups[group], epoch)


def cells_of(store: Store, run: str) -> Cells | None:
    """The cells of a run's plan as they would be played now; None where its plan or its files are there no more."""
    found = next((one["plan"] for one in store.runs() if one["name"] == run), None)
    if found is None:
        return None
    try:
        return setups(Plan.model_validate(found | {"name": run}))
    except (ConsultError, ValidationError):
        return None


class Watcher:
    """Looks at a run again and again; what models took is read once from each transcript."""

    def __init__(self, run: str, cells: Cells | None) -> None:
        """`cells`: those of the plan; None where it cannot be read any more."""
        self.run = run
        self._scenarios = dict.fromkeys(part.id for part in cells.scenarios) if cells else {}
        self._groups = dict.fromkeys((p.id, t.name) for p in cells.personas for t in cells.team) if cells else {}
        self._epochs = cells.plan.epochs if cells else 1
        self._names = {frozenset(one.agents.items()): one.name for one in cells.team} if cells else {}
        self._planned = cells is not None
        self._used: dict[str, tuple[int | None, float | None]] = {}

    def look(self, store: Store, taken: Iterable[Place] = (), raised: Mapping[Place, str] | None = None) -> Board:
        """How it stands now; with what only the process knows that plays it."""
        spots = {one: Spot(Mark.FAILED, words=problem) for one, problem in (raised or {}).items()}
        spots |= {one: Spot(Mark.TAKEN) for one in taken}
        by_models = []
        with suppress(UsageError):  # the run is about to be made
            for row in store.each(self.run, scores=()):
                spots[self._place(row)] = _spot(row)
                if any(spec.startswith("llm:") for spec in row["agents"].values()):
                    by_models.append(row["consultation_id"])
        tokens, cost = self._taken_by_models(store, by_models)
        return Board(
            tuple(self._scenarios), tuple(self._groups), self._epochs, spots, self._planned, tokens, cost
        )  # fmt: skip

    def _place(self, row: Mapping[str, Any]) -> Place:
        line_up = self._names.get(frozenset(row["agents"].items()), row["inquirer"])
        self._scenarios.setdefault(row["scenario"])
        self._groups.setdefault((row["persona"], line_up))
        self._epochs = max(self._epochs, row["epoch"] + 1)
        return Place(row["scenario"], row["persona"], line_up, row["epoch"])

    def _taken_by_models(self, store: Store, ids: Collection[str]) -> tuple[int | None, float | None]:
        for identifier, text in store.texts([one for one in ids if one not in self._used]):
            used = [Used.model_validate(event) for event in glimpse(text, "usage")]
            self._used[identifier] = figures.total(e.tokens for e in used), figures.total(e.cost for e in used)
        found = [self._used[one] for one in ids]
        return figures.total(tokens for tokens, _ in found), figures.total(cost for _, cost in found)


def _spot(row: Mapping[str, Any]) -> Spot:
    reason = row["stop_reason"]
    said = (row["top"] or "no diagnosis").replace("_", " ")
    if failed(reason):
        mark, words = Mark.FAILED, reason.replace("_", " ")
    elif row["correct"] is None:
        mark, words = Mark.UNJUDGED, (reason or "no end").replace("_", " ")
    else:
        mark, words = (Mark.RIGHT if row["correct"] else Mark.WRONG), f"{said}, {row['turns']} questions"
    return Spot(mark, row["consultation_id"], words)
