"""DDXPlus by cross-validation, through the whole dialogue engine.

    python benchmarks/ddxplus.py --data ../shared/data/ddxplus [--folds 5] [--fold-seed 0 ...] [--limits 5 10 15 30]
        [--inquirers reference ...] [--jobs 2]

Patients are shuffled into folds; each is consulted with a knowledge fitted on the other folds. Neutral persona, the
general hospital, no orders (the data holds none). Top-1 and top-5 are shares of all patients: a consultation that
fails or ends without a diagnosis counts as wrong. Questions are the mean number asked.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from consult import Limits, Setup, load_hospital, load_persona, play
from consult.events import Audited, Question, Stopped, Verdict
from consult.importers.ddxplus import scenario
from consult.importers.ddxplus_codes import condition_ids
from consult.importers.ddxplus_files import read_evidences, read_pathologies
from consult.importers.ddxplus_fit import fit_knowledge
from consult.importers.ddxplus_patients import read_patients
from consult.seeds import rng


def fold_of(n: int, folds: int, seed: int) -> list[int]:
    """The fold of each patient: a seeded shuffle dealt out in turn."""
    order = list(range(n))
    rng("folds", seed).shuffle(order)
    out = [0] * n
    for place, patient in enumerate(order):
        out[patient] = place % folds
    return out


def run_fold(job: tuple[Path, int, int, int, tuple[int, ...], tuple[str, ...]]) -> Counter[tuple[str, int, str]]:
    """All patients of one fold: counts by (inquirer, limit, what)."""
    data, folds, fold, seed, limits, inquirers = job
    evidences = read_evidences(data / "release_evidences.json")
    pathologies = read_pathologies(data / "release_conditions.json", evidences)
    rows = read_patients(data / "patients.csv", pathologies, evidences)
    ids = condition_ids(pathologies, data)
    at = fold_of(len(rows), folds, seed)
    knowledge = fit_knowledge(pathologies, evidences, [r for r, f in zip(rows, at, strict=True) if f != fold])
    persona, hospital = load_persona("neutral"), load_hospital()
    counts: Counter[tuple[str, int, str]] = Counter()
    for row in (r for r, f in zip(rows, at, strict=True) if f == fold):
        case = scenario(row, pathologies, evidences, ids)
        for inquirer in inquirers:
            for limit in limits:
                bounds = Limits(max_turns=limit, max_orders=0)
                done = play(Setup(case, persona, hospital, knowledge, {"inquirer": inquirer}, bounds))
                counts += _counted(done.events, inquirer, limit)
    return counts


def _counted(events: tuple[object, ...], inquirer: str, limit: int) -> Counter[tuple[str, int, str]]:
    verdict = next(e for e in events if isinstance(e, Verdict))
    audit = next(e for e in events if isinstance(e, Audited))
    stop = next(e for e in events if isinstance(e, Stopped))
    what = {
        "n": 1,
        "questions": sum(isinstance(e, Question) for e in events),
        "top1": verdict.rank == 1,
        "top5": verdict.rank is not None and verdict.rank <= 5,
        "breaches": audit.leaks + audit.unreleased + audit.inventions + audit.contradictions + audit.role_breaks,
        "errors": not stop.reason.clinical or stop.reason == "model_error",
    }
    return Counter({(inquirer, limit, k): int(v) for k, v in what.items()})


def main() -> None:
    """Print one line an inquirer, fold seed and limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fold-seed", type=int, nargs="+", default=[0])
    parser.add_argument("--limits", type=int, nargs="+", default=[5, 10, 15, 30])
    parser.add_argument("--inquirers", nargs="+", default=["reference"])
    parser.add_argument("--jobs", type=int, default=2)
    a = parser.parse_args()
    print("inquirer      fold_seed  limit    n   top1    top5    questions  breaches  errors")
    for seed in a.fold_seed:
        jobs = [(a.data, a.folds, f, seed, tuple(a.limits), tuple(a.inquirers)) for f in range(a.folds)]
        start = time.perf_counter()
        total: Counter[tuple[str, int, str]] = Counter()
        with ProcessPoolExecutor(a.jobs) as pool:
            for counts in pool.map(run_fold, jobs):
                total += counts
        for inquirer in a.inquirers:
            for limit in a.limits:
                c = {k: total[inquirer, limit, k] for k in ("n", "top1", "top5", "questions", "breaches", "errors")}
                print(
                    f"{inquirer:13s} {seed:9d}  {limit:5d}  {c['n']:3d}  {c['top1'] / c['n']:.4f}  "
                    f"{c['top5'] / c['n']:.4f}  {c['questions'] / c['n']:9.2f}  {c['breaches']:8d}  {c['errors']:6d}",
                    flush=True,
                )
        print(f"# {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
