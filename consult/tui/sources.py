"""What stands in the lists of the home screen: consultations, runs, scenarios, personas, hospitals, agents.

Reads the store and the content files, in a thread of its own, and gives plain rows. Knows no widget; must not import
textual. Content is imported when a list is read, not when this module is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from consult.clean import one_line
from consult.errors import ConsultError
from consult.tui.left import left_open

T = TypeVar("T")
LEFT: Final = "open:"
"""Begins the key of a consultation that was left in the middle; who met whom follows."""


class Column(NamedTuple):
    """A column of a list."""

    title: str
    width: int
    """Cells it needs at the least."""
    grows: bool = False
    spare: int = 0
    """The higher, the sooner it is left out for want of room."""
    right: bool = False


class Row(NamedTuple):
    """A row: what it opens, its cells as plain values, and a few words more for the line below the list."""

    key: str
    cells: tuple[Any, ...]
    sought: str
    """The words that a search looks through, without case."""
    detail: str = ""
    wrong: bool = False
    """The diagnosis was wrong."""
    flagged: bool = False
    """The audit found something against the patient."""


class Rows(NamedTuple):
    """A list as it was read, and what is wrong with what is not in it."""

    rows: list[Row]
    problems: list[str] = []


class Source(NamedTuple):
    """One list of the home screen."""

    name: str
    title: str
    columns: tuple[Column, ...]
    read: Callable[[Path], Rows]
    empty: str


def _row(key: str, cells: Iterable[Any], detail: str = "", **marks: bool) -> Row:
    values = tuple(cells)
    words = " ".join(str(v) for v in (key, *values, detail) if v is not None)
    return Row(key, values, words.casefold(), detail, **marks)


def _answer(correct: bool | None) -> str:
    return "— not judged" if correct is None else "✓ right" if correct else "✗ wrong"


def consultations(db: Path) -> Rows:
    """What was left in the middle, then everything in the store, the newest first."""
    from consult.store.db import Store

    left = [_left(choice, so_far) for choice, so_far in left_open(db)]
    if not db.exists():
        return Rows(left)
    out = []
    with Store(db, readonly=True) as store:
        for r in store.each(scores=()):
            audit = None if r["clean"] is None else "✓ clean" if r["clean"] else "✗ flagged"
            cells = (
                r["scenario"], r["persona"], r["inquirer"], _answer(r["correct"]), audit, r["turns"],
                _words(r["stop_reason"]), _words(r["top"]), r["run"], r["created"][:16].replace("T", " "), r["consultation_id"],
            )  # fmt: skip
            what = (
                f"{r['consultation_id']}: {_words(r['top']) or 'no diagnosis'}, {r['orders']} orders, seed {r['seed']}"
            )
            out.append(
                _row(r["consultation_id"], cells, what, wrong=r["correct"] is False, flagged=r["clean"] is False)
            )
    return Rows(left + out[::-1])


def _left(choice: Mapping[str, str], so_far: Mapping[str, Any]) -> Row:
    who = {**choice, **so_far}
    named = {name: str(who.get(name) or "—") for name in ("scenario", "persona", "inquirer")}
    cells = (*named.values(), "… not over", None, so_far.get("turns"), None, None, None, None, so_far.get("id"))
    return _row(LEFT + json.dumps(dict(choice)), cells, "left in the middle: Enter takes it up again")


def _words(text: str | None) -> str | None:
    return text.replace("_", " ") if text else None


def runs(db: Path) -> Rows:
    """The runs of `consult batch`, the newest first."""
    from consult.store.db import Store

    if not db.exists():
        return Rows([])
    with Store(db, readonly=True) as store:
        found = store.runs()
    rows = [
        _row(r["name"], (r["name"], r["consultations"], r["created"][:16].replace("T", " ")), _plan(r["plan"]))
        for r in found
    ]
    return Rows(rows[::-1])


def _plan(plan: Mapping[str, Any]) -> str:
    parts = (f"{k} {', '.join(v) if isinstance(v, list) else v}" for k, v in plan.items())
    return one_line("; ".join(parts) or "everything by default")


def scenarios(db: Path) -> Rows:
    """The cases; never their answers."""
    from consult.scenario import load_scenario, scenario_files

    def row(name: str, path: Path) -> Row:
        s = load_scenario(path)
        p = s.patient
        age = f"{p.age:g}"
        who = f"{p.name or 'no name'}, {age}, {p.sex}" + ("" if p.speaker == "self" else f", a {p.speaker} speaks")
        cells = (name, s.title, p.age, str(p.sex), ", ".join(s.tags), len(s.facts), len(s.orders))
        return _row(name, cells, f"{s.title} · {who}")

    return _each(scenario_files(), row)


def personas(db: Path) -> Rows:
    """Temperaments."""
    from consult.persona import load_persona, persona_files

    def row(name: str, path: Path) -> Row:
        p = load_persona(name)
        return _row(name, (name, p.name, p.description), p.description)

    return _each(persona_files(), row)


def hospitals(db: Path) -> Rows:
    """Where a consultation can take place."""
    from consult.hospital import hospital_files, load_hospital

    def row(name: str, path: Path) -> Row:
        h = load_hospital(name)
        below = sum(len(d.secondary) for d in h.departments)
        return _row(
            name, (name, h.name, len(h.departments), below, h.knowledge), ", ".join(d.name for d in h.departments)
        )

    return _each(hospital_files(), row)


def agents(db: Path) -> Rows:
    """Who can play the doctor."""
    from consult.agents.registry import agent_names

    return Rows(
        [_row(spec, (spec, text), text) for spec, text in agent_names().items() if not spec.startswith("reference:")]
    )


def _each(files: Mapping[str, Path], row: Callable[[str, Path], Row]) -> Rows:
    """A row for each file that can be read; a broken one does not break the list."""
    good, bad = [], []
    for name in sorted(files):
        try:
            good.append(row(name, files[name]))
        except ConsultError as e:
            bad.append(one_line(str(e)))
    return Rows(good, bad)


SOURCES = (
    Source(
        "consultations", "Consultations",
        (Column("scenario", 25, grows=True), Column("persona", 12, spare=1), Column("doctor", 12, spare=1),
         Column("diagnosis", 12), Column("patient", 9, spare=2), Column("turns", 5, spare=4, right=True),
         Column("end", 12, spare=5), Column("said", 20, grows=True, spare=6), Column("run", 14, spare=7),
         Column("made", 16, spare=8), Column("id", 16, spare=9)),
        consultations, "None is kept yet: n starts one.",
    ),
    Source(
        "runs", "Runs",
        (Column("run", 24, grows=True), Column("consultations", 13, right=True), Column("made", 16, spare=1)),
        runs, "None yet: b begins one, and so does `consult batch`.",
    ),
    Source(
        "scenarios", "Scenarios",
        (Column("scenario", 24), Column("title", 30, grows=True), Column("age", 4, spare=2, right=True),
         Column("sex", 6, spare=2), Column("tags", 24, grows=True, spare=3), Column("facts", 5, spare=4, right=True),
         Column("orders", 6, spare=4, right=True)),
        scenarios, "No scenario fits.",
    ),
    Source(
        "personas", "Personas",
        (Column("persona", 16), Column("name", 16, spare=1), Column("description", 40, grows=True)),
        personas, "No persona fits.",
    ),
    Source(
        "hospitals", "Hospitals",
        (Column("hospital", 18), Column("name", 24, grows=True), Column("departments", 11, right=True),
         Column("below them", 10, spare=1, right=True), Column("knowledge", 12, spare=2)),
        hospitals, "No hospital fits.",
    ),
    Source(
        "agents", "Agents",
        (Column("agent", 16), Column("what it does", 40, grows=True)), agents, "No agent fits.",
    ),
)  # fmt: skip
