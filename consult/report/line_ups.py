"""What a run's line-ups are called: as its plan names them, else by what tells them apart.

The one place that names them, for tables, comparisons, rows and pages alike. Must not import numpy: rows are written without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consult.errors import UsageError
from consult.store.db import Store


def line_up_names(agents: Sequence[Mapping[str, str]], plan: Mapping[str, Any]) -> tuple[str, ...]:
    """As the plan names them; else the inquirer's spec, with the other roles if that does not tell them apart."""
    roles = sorted({role for a in agents for role in a} - {"inquirer"})
    differing = [r for r in roles if len({a.get(r) for a in agents}) > 1]
    out = []
    for a in agents:
        name = a.get("inquirer", "(none)")
        alike = sum(b.get("inquirer") == a.get("inquirer") for b in agents) > 1
        own = "+".join([name, *(f"{r}={a.get(r, '(none)')}" for r in differing if alike)])
        out.append(_named(a, plan) or own)
    return tuple(out)


def _named(agents: Mapping[str, str], plan: Mapping[str, Any]) -> str | None:
    """The plan's name for these agents, where it gives line-ups names of their own; roles it leaves out are as the plan says."""
    for one in plan.get("line_ups", ()):
        meant = {r: one.get(r) or plan.get(r) or "reference" for r in {*agents, "matcher"} - {"examiner"}}
        if all(agents.get(r, "reference") == spec for r, spec in meant.items()):
            name: str = one["name"]
            return name
    return None


def plan_of(store: Store, run: str) -> dict[str, Any]:
    """What the run was asked to do, beyond the defaults. Raises UsageError if there is no such run."""
    runs = {r["name"]: r["plan"] for r in store.runs()}
    if run not in runs:
        known = f"one of: {', '.join(runs)}" if runs else "`consult batch --name` makes one"
        raise UsageError(f"RUN: there is no run {run!r} (mend: {known})")
    plan: dict[str, Any] = runs[run]
    return plan


def planned(plan: Mapping[str, Any]) -> list[str]:
    """The line-ups of a plan, by name."""
    return [one["name"] for one in plan.get("line_ups", ())] or list(plan.get("inquirer", ()))
