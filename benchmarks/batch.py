"""What a batch costs: memory of the writer and of a worker as it grows, consultations a second, bytes on disk.

    python benchmarks/batch.py speed [--rounds 16] [--each 80]
    python benchmarks/batch.py memory [--n 1000 10000] [--max-turns 14] [--max-orders 5] [--jobs 2]

`speed` plays the same sampled consultations by bare `play()` calls in a loop, by a batch with one process and by one with
two, each in fresh processes, and compares consultations a second of wall time round by round: the machine's moods last
longer than a round. It also keeps what was played with and without a sync to disk for each commit. `memory` runs
`consult batch` itself for each n and reads the greatest resident memory of the command and of its workers. Scenarios are
sampled (seed 0): `--scenarios` of them, in as many epochs as make n.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scipy.stats import binom

from consult.batch import Cells, Plan, execute, setups
from consult.files import dump_yaml
from consult.knowledge.load import load_knowledge
from consult.sample import sample
from consult.sim.session import play
from consult.store.db import Kept, Store, prepared

WARM = 8
"""Consultations a process plays before it is timed: by then all that is read once has been read."""


def sampled(folder: Path, n: int) -> Path:
    """A folder of `n` sampled scenarios."""
    folder.mkdir()
    for scenario in sample(n, 0, load_knowledge()):
        data = scenario.model_dump(mode="json", exclude_defaults=True)
        (folder / f"{scenario.id}.yaml").write_text(dump_yaml(data), "utf-8")
    return folder


def bare(cells: Cells) -> float:
    """Consultations a second by session calls in a loop, in a process of its own, after `WARM` of them.

    Each scenario is loaded when its turn comes, as any loop over session calls must.
    """
    return multiprocessing.get_context("spawn").Pool(1).apply(_loop, (cells,))


def _loop(cells: Cells) -> float:
    for i in range(WARM):
        play(cells[i])
    began = time.perf_counter()
    for i in range(WARM, len(cells)):
        play(cells[i])
    return (len(cells) - WARM) / (time.perf_counter() - began)


def batch(cells: Cells, db: Path, jobs: int) -> float:
    """The same by a batch, all of it kept in a store; each of its processes warms up with `WARM`."""
    began = 0.0
    with Store(db) as store:
        for n, done in enumerate(execute(cells.plan, cells, store, jobs=jobs), 1):
            assert done.status == "done", done
            if n == jobs * WARM:
                began = time.perf_counter()
        return (len(cells) - jobs * WARM) / (time.perf_counter() - began)


def kept(results: list[Kept], db: Path, mode: str) -> float:
    """Seconds to keep results, each in a transaction, with SQLite's `synchronous` set to `mode`."""
    with Store(db) as store:
        with store._guarded() as conn:
            conn.execute(f"pragma synchronous = {mode}")
        store.ensure_run("kept", {})
        began = time.perf_counter()
        for one in results:
            store.keep(one, "kept")
        return time.perf_counter() - began


def speed(folder: Path, rounds: int, each: int) -> None:
    """Ratios within a round, in which the arms take turns: forwards in one round, backwards in the next."""
    files = str(sampled(folder / "drawn", each))
    ratios: dict[str, list[float]] = {"1 process / bare": [], "2 processes / 1 process": []}
    print(
        "| round | bare, a second | 1 process | 2 processes | 1 / bare | 2 / 1 |\n| --- | --- | --- | --- | --- | --- |"
    )
    for n in range(rounds):
        cells = setups(Plan(name=str(n), scenarios=(files,), seed=n))
        arms = [("bare", 0), ("one", 1), ("two", 2)]
        rate = {
            name: batch(cells, folder / f"{n}_{jobs}.db", jobs) if jobs else bare(cells)
            for name, jobs in (arms if n % 2 == 0 else reversed(arms))
        }
        one, two = rate["one"] / rate["bare"], rate["two"] / rate["one"]
        ratios["1 process / bare"].append(one)
        ratios["2 processes / 1 process"].append(two)
        print(
            f"| {n} | {rate['bare']:.1f} | {rate['one']:.1f} | {rate['two']:.1f} | {one:.2f} | {two:.2f} |", flush=True
        )
    for name, found in ratios.items():
        low, high = interval(found)
        print(f"{name}: median {statistics.median(found):.2f} (95 % interval of the median {low:.2f} to {high:.2f})")
    cells = setups(Plan(name="kept", scenarios=(files,), seed=0))
    results = [prepared(play(cells[i])) for i in range(len(cells))]
    for mode in ("full", "normal"):
        took = kept(results, folder / f"{mode}.db", mode)
        print(f"kept with synchronous={mode}: {1000 * took / len(results):.2f} ms a consultation")


def interval(found: list[float]) -> tuple[float, float]:
    """The order statistics that hold the median in at least 95 % of samples; the extremes when there are too few."""
    ranks = sorted(found)
    k = int(binom.ppf(0.025, len(ranks), 0.5))
    return ranks[max(k - 1, 0)], ranks[min(len(ranks) - k, len(ranks) - 1)]


def peak(pid: int) -> int:
    """The greatest resident memory of a process so far, in KiB; 0 if it has gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def memory(folder: Path, sizes: list[int], scenarios: int, limits: tuple[int, int], jobs: int) -> None:
    files = sampled(folder / "drawn", scenarios)
    first: tuple[float, ...] = ()
    print("| consultations | parent MiB | worker MiB | seconds | a second | bytes on disk each |")
    print("| --- | --- | --- | --- | --- | --- |")
    for n in sizes:
        db = folder / f"{n}.db"
        command = [sys.executable, "-m", "consult", "batch", "--scenarios", str(files), "--epochs", str(n // scenarios)]
        command += [
            "--max-turns",
            str(limits[0]),
            "--max-orders",
            str(limits[1]),
            "--jobs",
            str(jobs),
            "--db",
            str(db),
            "--json",
        ]
        began = time.perf_counter()
        parent = worker = 0
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            parent = max(parent, peak(process.pid))
            worker = max([worker, *(peak(w) for server in children(process.pid) for w in children(server))])
            time.sleep(0.2)
        assert process.returncode == 0
        took = time.perf_counter() - began
        each = db.stat().st_size / n
        print(
            f"| {n} | {parent / 1024:.0f} | {worker / 1024:.0f} | {took:.0f} | {n / took:.1f} | {each:.0f} |",
            flush=True,
        )
        if first:
            print(f"against the first: parent {parent / first[0]:.2f}, worker {worker / first[1]:.2f}", flush=True)
        first = first or (parent, worker)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed", "memory"])
    parser.add_argument("--rounds", type=int, default=16)
    parser.add_argument("--each", type=int, default=80)
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--scenarios", type=int, default=100)
    parser.add_argument("--max-turns", type=int, default=14)
    parser.add_argument("--max-orders", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consult_batch_") as folder:
        if args.what == "speed":
            speed(Path(folder), args.rounds, args.each)
        else:
            memory(Path(folder), args.n, args.scenarios, (args.max_turns, args.max_orders), args.jobs)


if __name__ == "__main__":
    main()
