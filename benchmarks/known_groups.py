"""Known groups: inquirers whose order is known beforehand, on scenarios sampled from a knowledge or on the written ones.

    python benchmarks/known_groups.py [--n 500 | --written] [--seed 0] [--max-turns 14] [--knowledge general] [--jobs 2]

Neutral persona. Top-1 with its 95 % Wilson interval; expected: oracle >= reference > checklist > random > opening-only.
`bits` and `efficiency` are the means of `inquiry.information` and `inquiry.efficiency` over the cases that have one, the
latter with its 95 % interval over cases; expected of efficiency: reference > checklist > random.
(For DDXPlus: `benchmarks/ddxplus.py --inquirers oracle reference checklist random opening-only`.)
"""

from __future__ import annotations

import argparse
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from math import sqrt
from statistics import NormalDist, mean, stdev

from consult import Limits, Setup, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.events import Audited, Question, Scored, Stopped, Verdict
from consult.sample import sample
from consult.scenario import scenario_files

GROUPS = ("oracle", "reference", "curt", "checklist", "random", "opening-only")
MEANS = ("inquiry.information", "inquiry.efficiency")
Values = dict[tuple[str, str], list[float]]


def run_part(job: tuple[int, int, int, int, str, int]) -> tuple[Counter[tuple[str, str]], Values]:
    """Every `parts`-th scenario from `part`, with every inquirer; all the written ones where `n` is 0."""
    part, parts, n, seed, name, max_turns = job
    knowledge, hospital, persona = load_knowledge(name), load_hospital(), load_persona("neutral")
    counts: Counter[tuple[str, str]] = Counter()
    values: Values = {(g, m): [] for g in GROUPS for m in MEANS}
    written = (load_scenario(path) for _, path in sorted(scenario_files().items()))
    for case in islice(sample(n, seed, knowledge) if n else written, part, None, parts):
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
            for e in events:
                if isinstance(e, Scored) and e.name in MEANS and e.value is not None:
                    values[inquirer, e.name].append(e.value)
    return counts, values


def mean_half(values: list[float]) -> tuple[float, float]:
    """A mean and half of its 95 % interval."""
    return mean(values), NormalDist().inv_cdf(0.975) * stdev(values) / sqrt(len(values))


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval for a proportion."""
    p, d = k / n, 1 + z * z / n
    mid, half = (p + z * z / (2 * n)) / d, z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return mid - half, mid + half


def main() -> None:
    """Print a line an inquirer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--written", action="store_true", help="the hand-written scenarios instead of sampled ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-turns", type=int, default=14)
    parser.add_argument("--knowledge", default="general")
    parser.add_argument("--jobs", type=int, default=2)
    a = parser.parse_args()
    jobs = [(i, a.jobs, 0 if a.written else a.n, a.seed, a.knowledge, a.max_turns) for i in range(a.jobs)]
    total: Counter[tuple[str, str]] = Counter()
    values: Values = {(g, m): [] for g in GROUPS for m in MEANS}
    with ProcessPoolExecutor(a.jobs) as pool:
        for counts, part in pool.map(run_part, jobs):
            total += counts
            for key, found in part.items():
                values[key] += found
    print(
        "inquirer        n   top1   (95 % interval)     top3   questions  breaches  not concluded   bits  efficiency  (n)"
    )
    for g in GROUPS:
        n, low_high = total[g, "n"], wilson(total[g, "top1"], total[g, "n"])
        print(
            f"{g:12s} {n:4d}  {total[g, 'top1'] / n:.3f}  ({low_high[0]:.3f} to {low_high[1]:.3f})  "
            f"{total[g, 'top3'] / n:.3f}  {total[g, 'questions'] / n:9.2f}  {total[g, 'breaches']:8d}  "
            f"{total[g, 'not concluded']:13d}",
            end="",
        )
        bits, efficiency = (values[g, m] for m in MEANS)
        if len(efficiency) > 1:
            middle, half = mean_half(efficiency)
            print(f"  {mean(bits):5.2f}  {middle:.3f} +- {half:.3f} ({len(efficiency)})", end="")
        print()


if __name__ == "__main__":
    main()
