"""One tidy row a consultation, for a data frame or a spreadsheet; rows stream, nothing is collected.

Owns the columns and their order. Must not import numpy: a frame is the reader's affair.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final, TextIO

from consult.agents.llm.spec import PREFIX, RESOLVER, parse
from consult.errors import UsageError
from consult.events import Used
from consult.report.line_ups import line_up_names, plan_of
from consult.report.measures import MEASURES
from consult.stats.waits import Waits
from consult.store.db import Store
from consult.store.glance import glimpse

COLUMNS: Final = (
    "consultation_id", "run", "scenario", "persona", "line_up", "inquirer", "patient", "recipient", "triage", "assessor", "hospital",
    "knowledge", "epoch", "seed", "stop_reason", "turns", "orders", "gold", "top", "rank", "correct", "correct_primary",
    "correct_secondary", "urgency_error", "clean", "parent", "created",
)  # fmt: skip
"""Before the scores, which are all known ones, and those of the run behind them (a judge's, a plug-in's)."""
USAGE: Final = ("calls", "tokens", "cost", "median_s", "p95_s", "given_back")
"""Behind all, as `usage.ROLE.NAME`, for each role that a model plays in the run: see `report.model.Taken`."""
_ROLES: Final = ("inquirer", "patient", "recipient", "triage", "assessor")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def tidy(store: Store, run: str, *, version: int | None = None) -> Iterator[dict[str, Any]]:
    """The consultations of a run, flat: `COLUMNS`, then every score; what is missing is None, all rows have all columns.

    Where models play, what each role took stands behind: `usage.ROLE.NAME` for each name of `USAGE`.
    `version`: of the scorers; None: the latest. Goes straight into `pandas.DataFrame(tidy(store, run))`, or with polars
    `polars.DataFrame(list(tidy(store, run)))`. Raises UsageError if there is no such run.
    """
    team = store.line_ups(run)
    names = dict(zip(map(_who, team), line_up_names(team, plan_of(store, run)), strict=True))
    scores = dict.fromkeys((*MEASURES, *store.score_names(run, version)))
    models = _by_models(team)
    for row in store.each(run, version=version):
        agents = row["agents"]
        row["line_up"] = names.get(_who(agents))  # None: kept since the look at who plays
        flat = {name: agents.get(name) if name in _ROLES else row[name] for name in COLUMNS}
        flat |= {name: row["scores"].get(name) for name in scores}
        yield flat | (_usage(store, row["consultation_id"], models) if models else {})


def _by_models(team: Iterable[Mapping[str, str]]) -> list[str]:
    """The roles under which calls of models are counted."""
    played = {(role, spec) for agents in team for role, spec in agents.items() if spec.startswith(PREFIX)}
    resolves = any(role == "patient" and parse(role, spec).resolves for role, spec in played)
    return sorted({role for role, _ in played} | ({RESOLVER} if resolves else set()))


def _usage(store: Store, consultation: str, roles: Iterable[str]) -> dict[str, Any]:
    took = {
        e["role"]: Used.model_validate(e) for _, text in store.texts([consultation]) for e in glimpse(text, "usage")
    }
    waits = store.waits([consultation]).get(consultation, {})
    out: dict[str, Any] = {}
    for role in roles:
        used, waited = took.get(role), waits.get(role, Waits())
        told = (used.calls, used.tokens, used.cost) if used is not None else (None,) * 3
        values = (*told, waited.median, waited.p95, waited.kept if role in waits else None)
        out |= {f"usage.{role}.{name}": value for name, value in zip(USAGE, values, strict=True)}
    return out


def _who(agents: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(agents.items())


def write_csv(rows: Iterable[dict[str, Any]], to: TextIO) -> int:
    """Rows as CSV with a header; returns how many. A text that a spreadsheet would run as a formula gets a ' before it."""
    each = iter(rows)
    first = next(each, None)
    writer = csv.DictWriter(to, first or (*COLUMNS, *MEASURES), lineterminator="\n")
    writer.writeheader()
    written = 0
    for row in chain([] if first is None else [first], each):
        writer.writerow({name: _safe(value) for name, value in row.items()})
        written += 1
    return written


def save_csv(rows: Iterable[dict[str, Any]], path: Path) -> int:
    """The same into a file, whole or not at all. Raises UsageError."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as to:
            n = write_csv(rows, to)
        part.replace(path)
    except OSError as e:
        part.unlink(missing_ok=True)
        raise UsageError(f"--csv: {path} cannot be written: {e.strerror or e} (mend: check the folder)") from None
    return n


def _safe(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
