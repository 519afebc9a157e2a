"""Triage: accuracy per round, urgency, emergencies missed, and what each part of the guidance is worth.

    python benchmarks/triage.py [--n 500] [--seed 0] [--hospital general] [--all-personas] [--jobs 2] [--json]

The `reference` inquirer, 14 questions and 5 orders. A round is one triage event; round 1 follows the patient's first
words. A consultation with fewer rounds keeps its last prediction. On every hand-written scenario and on `n` sampled
ones, side by side: the reference triage and its ablations (`--triage reference:no-inquiry` and so on). Intervals are 95 %
and clustered by scenario (normal approximation over the scenarios' means); an ablation's figure is its paired difference
from the full one, below zero where leaving the part out costs accuracy.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from math import sqrt
from typing import Any

from shared import PERSONAS

from consult import Limits, Setup, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.events import Scored, Triaged, Verdict
from consult.sample import sample
from consult.scenario import scenario_files

SPECS = ("reference", "reference:no-inquiry", "reference:no-comparison", "reference:no-dynamic")
ROUNDS = (1, 2, 3, 4, 0)
"""0 stands for the last."""
Z = 1.959964


@dataclass(frozen=True)
class Seen:
    """What is kept of a consultation."""

    group: str
    scenario: str
    persona: str
    spec: str
    primary: tuple[bool, ...]
    """By round of `ROUNDS`."""
    secondary: tuple[bool, ...]
    urgency: str
    """Gold."""
    said: tuple[str, ...]
    must_ask: float | None


def look(setup: Setup, group: str) -> Seen:
    """One consultation."""
    events = play(setup).events
    gold = next(e for e in events if isinstance(e, Verdict))
    rounds = [e for e in events if isinstance(e, Triaged)]
    at = [rounds[min(n, len(rounds)) - 1] if n else rounds[-1] for n in ROUNDS]
    must = next(e.value for e in events if isinstance(e, Scored) and e.name == "inquiry.must_ask")
    return Seen(
        group, setup.scenario.id, setup.persona.id, setup.line_up["triage"],
        tuple(t.department.primary == gold.department.primary for t in at),
        tuple(t.department == gold.department for t in at),
        str(gold.urgency), tuple(str(t.urgency) for t in at), must,
    )  # fmt: skip


def run_part(job: tuple[int, int, int, int, str, tuple[str, ...]]) -> list[Seen]:
    """Every `parts`-th scenario from `part`, with every persona and every spec."""
    part, parts, n, seed, name, personas = job
    knowledge, hospital = load_knowledge(), load_hospital(name)
    paths = [p for _, p in sorted(scenario_files().items())]
    cases = [("hand-written", load_scenario(p)) for p in islice(paths, part, None, parts)]
    cases += [("sampled", s) for s in islice(sample(n, seed, knowledge), part, None, parts)]
    return [
        look(Setup(s, load_persona(who), hospital, knowledge, {"triage": spec}, Limits()), group)
        for group, s in cases
        for who in (personas if group == "hand-written" else personas[:1])
        for spec in SPECS
    ]


def clustered(values: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """Mean, and half the width of its interval; the scenarios are the clusters."""
    by: dict[str, list[float]] = {}
    for scenario, x in values:
        by.setdefault(scenario, []).append(x)
    means = [sum(v) / len(v) for v in by.values()]
    mean = sum(means) / len(means)
    spread = sum((m - mean) ** 2 for m in means) / max(1, len(means) - 1)
    return mean, Z * sqrt(spread / len(means))


def accuracy(seen: Sequence[Seen], of: Callable[[Seen], tuple[bool, ...]]) -> list[tuple[float, float]]:
    """Mean and half-width by round."""
    return [clustered([(s.scenario, float(of(s)[i])) for s in seen]) for i in range(len(ROUNDS))]


def differences(full: Sequence[Seen], less: Sequence[Seen], of: Callable[[Seen], tuple[bool, ...]]) -> Any:
    """Paired differences, ablation minus full, by round."""
    base = {(s.scenario, s.persona): of(s) for s in full}
    return [
        clustered([(s.scenario, float(of(s)[i]) - float(base[s.scenario, s.persona][i])) for s in less])
        for i in range(len(ROUNDS))
    ]


def under(seen: Sequence[Seen], i: int) -> list[str]:
    """Emergencies that triage did not call so in that round."""
    names = (
        f"{s.scenario} ({s.persona}, {s.said[i]})"
        for s in seen
        if s.urgency == "emergency" and s.said[i] != "emergency"
    )
    return sorted(set(names))


def show(seen: Sequence[Seen], group: str) -> None:
    """The tables of one group of scenarios."""
    by = {spec: [s for s in seen if s.group == group and s.spec == spec] for spec in SPECS}
    full = by[SPECS[0]]
    heads = "".join(f"{f'round {n}' if n else 'last':>16s}" for n in ROUNDS)
    print(f"\n{group}: {len({s.scenario for s in full})} scenarios, {len(full)} consultations\n{'':34s}{heads}")
    for what, of in (("primary", lambda s: s.primary), ("secondary", lambda s: s.secondary)):
        cells = "".join(f"{m:9.3f} ±{h:5.3f}" for m, h in accuracy(full, of))
        print(f"{SPECS[0]:24s}{what:10s}{cells}")
        for spec in SPECS[1:]:
            cells = "".join(f"{m:+9.3f} ±{h:5.3f}" for m, h in differences(full, by[spec], of))
            print(f"{spec:24s}{what:10s}{cells}")
    asked = [(s.scenario, s.must_ask) for s in full if s.must_ask is not None]
    print(f"inquiry.must_ask {clustered(asked)[0]:.3f}; urgency (gold -> said at the end):")
    for (gold, said), n in sorted(Counter((s.urgency, s.said[-1]) for s in full).items()):
        print(f"  {gold:10s} -> {said:10s} {n:5d}")
    for label, i in (("round 4", 3), ("the end", 4)):
        missed = under(full, i)
        total = sum(s.urgency == "emergency" for s in full)
        shown = "; ".join(missed[:12]) or "none"
        print(f"emergencies under-triaged at {label}: {len(missed)} of {total}: {shown}")


def main() -> None:
    """Play everything and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hospital", default="general")
    parser.add_argument("--all-personas", action="store_true", help="on the hand-written scenarios")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    personas = PERSONAS if a.all_personas else PERSONAS[:1]
    jobs = [(i, a.jobs, a.n, a.seed, a.hospital, personas) for i in range(a.jobs)]
    with ProcessPoolExecutor(a.jobs) as pool:
        seen = [s for part in pool.map(run_part, jobs) for s in part]
    if a.json:
        print(json.dumps([asdict(s) for s in seen]))
        return
    for group in ("hand-written", "sampled"):
        if any(s.group == group for s in seen):
            show(seen, group)


if __name__ == "__main__":
    main()
