"""What the consultations of a plan came to: its rows, and a line per inquirer and persona."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from consult.batch.plan import Plan
from consult.store.db import Store
from consult.store.summary import failed

if TYPE_CHECKING:
    from consult.sim.session import Setup


def rows_of(plan: Plan, cells: Sequence[Setup], store: Store) -> tuple[list[dict[str, Any]], int]:
    """The rows of the plan's cells, and how many others the run holds (made from content that has changed since)."""
    kept = store.members(plan.run)
    wanted = {kept[s.cell] for s in cells if s.cell in kept}
    rows = store.consultations(run=plan.run)
    mine = [row for row in rows if row["consultation_id"] in wanted]
    return mine, len(rows) - len(mine)


def line_ups(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Results per inquirer and persona, in the order met. Shares are null where nothing was judged.

    `n` counts consultations that were judged: failures around the doctor are counted apart, abstentions as wrong.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["inquirer"], row["persona"]), []).append(row)
    return [_line_up(inquirer, persona, group) for (inquirer, persona), group in groups.items()]


def _line_up(inquirer: str, persona: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [r for r in rows if r["correct"] is not None]
    audited = [r for r in rows if r["clean"] is not None]
    return {
        "inquirer": inquirer,
        "persona": persona,
        "n": len(judged),
        "top1": _mean([float(r["correct"]) for r in judged]),
        "top5": _mean([float(r["rank"] is not None and r["rank"] <= 5) for r in judged]),
        "questions": _mean([r["turns"] for r in judged]),
        "orders": _mean([r["orders"] for r in judged]),
        "stop_reasons": dict(sorted(Counter(str(r["stop_reason"]) for r in rows).items())),
        "audited": len(audited),
        "clean": sum(r["clean"] for r in audited),
        "failed": sum(failed(r["stop_reason"]) for r in rows),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None
