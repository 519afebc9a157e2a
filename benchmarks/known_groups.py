"""Known groups: inquirers whose order is known beforehand, on the hand-written scenarios and on sampled ones.

    python benchmarks/known_groups.py [--n 500] [--seed 0] [--max-turns 14] [--knowledge general] [--jobs 2]

Neutral persona; the hand-written ones only with the general knowledge. Top-1 with its 95 % Wilson interval; expected:
oracle >= reference > checklist > random > opening-only. What `reference` gets wrong is listed. `bits` and `efficiency`
are the means of `inquiry.information` and of `inquiry.efficiency`, this with its 95 % interval and the number of cases
that have one; expected of it: reference > checklist > random.
(For DDXPlus: `benchmarks/ddxplus.py --inquirers oracle reference checklist random opening-only`.)
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from math import sqrt

from consult import Limits, Setup, load_hospital, load_knowledge, load_persona, play
from consult.events import Audited, Question, Scored, Stopped, Verdict
from consult.knowledge.load import DEFAULT
from consult.knowledge.model import Knowledge
from consult.sample import sample
from consult.scenario import Scenario, load_scenario, scenario_files

GROUPS = ("oracle", "reference", "curt", "checklist", "random", "opening-only")


def cases(n: int, seed: int, knowledge: Knowledge) -> Iterator[Scenario]:
    """`n` sampled scenarios; with 0 the hand-written ones."""
    yield from sample(n, seed, knowledge) if n else map(load_scenario, sorted(scenario_files().values()))


def run_part(job: tuple[int, int, int, int, str, int]) -> Counter[tuple[str, str]]:
    """Every `parts`-th scenario from `part`, with every inquirer."""
    part, parts, n, seed, name, max_turns = job
    knowledge, hospital, persona = load_knowledge(name), load_hospital(), load_persona("neutral")
    counts: Counter[tuple[str, str]] = Counter()
    for case in islice(cases(n, seed, knowledge), part, None, parts):
        for inquirer in GROUPS:
            setup = Setup(case, persona, hospital, knowledge, {"inquirer": inquirer}, Limits(max_turns=max_turns))
            events = play(setup).events
            verdict = next(e for e in events if isinstance(e, Verdict))
            audit = next(e for e in events if isinstance(e, Audited))
            stop = next(e for e in events if isinstance(e, Stopped))
            counts[inquirer, "n"] += 1
            counts[inquirer, "top1"] += verdict.rank == 1
            counts[inquirer, "top3"] += verdict.rank is not None and verdict.rank <= 3
            counts[inquirer, "questions"] += sum(isinstance(e, Question) for e in events)
            counts[inquirer, "breaches"] += not audit.clean
            counts[inquirer, "not concluded"] += stop.reason != "concluded"
            marks = {e.name: e.value for e in events if isinstance(e, Scored)}
            if (efficiency := marks["inquiry.efficiency"]) is not None:
                counts[inquirer, "efficient"] += 1
                for name, x in (("e", efficiency), ("e2", efficiency**2), ("bits", marks["inquiry.information"] or 0)):
                    counts[inquirer, name] += x  # type: ignore[assignment]
            if inquirer == "reference" and verdict.rank != 1:
                counts["wrong", f"{case.id}: {case.gold.condition}, taken for {verdict.top} (rank {verdict.rank})"] += 1
    return counts


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a proportion."""
    p, d = k / n, 1 + z * z / n
    mid, half = (p + z * z / (2 * n)) / d, z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return mid - half, mid + half


def efficiency(total: Counter[tuple[str, str]], group: str) -> str:
    """Mean bits and efficiency of the cases that have one; nothing for groups that ask no question."""
    n = total[group, "efficient"]
    if n < 2:
        return ""
    mean = total[group, "e"] / n
    half = 1.959964 * sqrt(max(total[group, "e2"] / n - mean**2, 0) / (n - 1))
    return f"{total[group, 'bits'] / n:5.2f}  {mean:.3f} +- {half:.3f} ({n})"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-turns", type=int, default=14)
    parser.add_argument("--knowledge", default="general")
    parser.add_argument("--jobs", type=int, default=2)
    a = parser.parse_args()
    for n in (0, a.n) if a.knowledge == DEFAULT else (a.n,):
        jobs = [(i, a.jobs, n, a.seed, a.knowledge, a.max_turns) for i in range(a.jobs)]
        total: Counter[tuple[str, str]] = Counter()
        with ProcessPoolExecutor(a.jobs) as pool:
            for counts in pool.map(run_part, jobs):
                total += counts
        print(f"sampled from {a.knowledge}:" if n else "hand-written:")
        table(total)


def table(total: Counter[tuple[str, str]]) -> None:
    """Print a line an inquirer, then what `reference` got wrong."""
    print(
        "inquirer        n   top1   (95 % interval)     top3   questions  breaches  not concluded   bits  efficiency (n)"
    )
    for g in GROUPS:
        n, low_high = total[g, "n"], wilson(total[g, "top1"], total[g, "n"])
        print(
            f"{g:12s} {n:4d}  {total[g, 'top1'] / n:.3f}  ({low_high[0]:.3f} to {low_high[1]:.3f})  "
            f"{total[g, 'top3'] / n:.3f}  {total[g, 'questions'] / n:9.2f}  {total[g, 'breaches']:8d}  "
            f"{total[g, 'not concluded']:13d}  {efficiency(total, g)}"
        )
    for line in sorted(what for who, what in total if who == "wrong"):
        print("   ", line)


if __name__ == "__main__":
    main()
