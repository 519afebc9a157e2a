"""How long the report of a large run takes, and what memory: `python benchmarks/report.py --n 100000`.

Plays a few scenarios once with the reference inquirer and with `curt`, then keeps copies of them under other scenario names
and epochs until there are enough. Reports the time to read the run into columns, to make the report, to compare two line-ups,
to write the rows as CSV, and to write the page, with the peak memory of the process; and the same for a hundredth of it.
Where Chromium and playwright are installed the page is opened three times, headless and as a phone would: time to the first
paint and to the end of loading, medians.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from consult import Store, compare, tidy
from consult.batch import Plan, setups
from consult.html import report as page
from consult.report import report
from consult.report.rows import save_csv
from consult.report.table import read_table
from consult.show.names import names_of
from consult.sim.session import play
from consult.store.db import Kept, prepared

LINE_UPS = ("reference", "curt")
SOURCES = 12
"""Scenarios that are played in truth."""


def copies(n: int, scenarios: int) -> Iterator[Kept]:
    """`n` consultations over `scenarios` scenarios, two personas and both line-ups, as many epochs as it takes."""
    plan = Plan(personas=("neutral", "choleric"), inquirer=LINE_UPS)
    by_scenario: dict[str, list[Kept]] = {}
    for setup in setups(plan)[: SOURCES * 4]:
        by_scenario.setdefault(setup.scenario.id, []).append(prepared(play(setup)))
    made = 0
    for number, kept in zip(range(n), cycle(by_scenario.values()), strict=False):
        scenario, epoch = number % scenarios, number // scenarios
        for one in kept:
            columns = one.columns | {"id": f"{made:016x}", "scenario": f"case_{scenario}", "epoch": epoch}
            yield replace(one, id=columns["id"], columns=columns)
            made += 1
            if made == n:
                return


def fill(path: Path, n: int, scenarios: int) -> None:
    """A store with one run, `big`."""
    with Store(path) as store:
        assert store._conn is not None
        store._conn.execute("pragma synchronous = off")  # a scratch file
        store.ensure_run("big", Plan(personas=("neutral", "choleric"), inquirer=LINE_UPS).content)
        for kept in copies(n, scenarios):
            store.keep(kept, "big", cell=kept.id)


def measure(path: Path) -> None:
    """Print times and peak memory; in a process of its own."""
    with Store(path, readonly=True) as store:
        n = len(read_table(store, "big", ["diagnosis.top1"]))
        for name, what in (
            ("read into columns", lambda: read_table(store, "big")),
            ("report", lambda: report(store, "big")),
            ("compare", lambda: compare(store, "big:curt", "big:reference")),
            ("csv", lambda: save_csv(tidy(store, "big"), path.with_suffix(".csv"))),
            ("report as a page", lambda: write_page(store, path.with_suffix(".html"))),
        ):
            started, cpu = time.perf_counter(), time.process_time()
            what()
            took, used = time.perf_counter() - started, time.process_time() - cpu
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"  {n:7d} consultations  {name:18s} {took:6.1f} s ({used:.1f} s of processor)  peak {peak:.0f} MB",
                flush=True,
            )


def write_page(store: Store, to: Path) -> None:
    """As `consult report big --html FILE` does."""
    made = report(store, "big")
    transcripts = [
        store.get(i) for i in page.wanted(made, [row["consultation_id"] for row in store.each("big", scores=())])
    ]
    to.write_text(page.page(made, transcripts, names_of(transcripts[0].header)), "utf-8")


OPENED = """() => {
    const entry = performance.getEntriesByType('navigation')[0];
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    return [paint ? paint.startTime : NaN, entry.loadEventEnd, document.getElementsByTagName('*').length];
}"""


def opened(path: Path) -> None:
    """Print how large the page is and how soon a browser shows it."""
    size = path.stat().st_size / 1e6
    browser = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if browser is None or importlib.util.find_spec("playwright") is None:
        print(f"          the page: {size:.1f} MB (no Chromium or no playwright to open it)")
        return
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(3):
            context = started.new_context(viewport={"width": 390, "height": 844}, offline=True)
            shown = context.new_page()
            shown.goto(path.as_uri(), wait_until="load")
            shown.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            shown.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd")
            found.append(shown.evaluate(OPENED))
            context.close()
        started.close()
    paint, loaded, elements = (statistics.median(x) for x in zip(*found, strict=True))
    print(
        f"          the page: {size:.1f} MB, {elements:.0f} elements, first paint {paint:.0f} ms, loaded {loaded:.0f} ms"
    )


def main() -> None:
    """Fill a scratch store, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument(
        "--scenarios", type=int, default=1000, help="different scenarios; as many as --n / 4: each once"
    )
    parser.add_argument("--db", type=Path, help="measure this store, filled before, or fill it and keep it")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.measure:
        measure(a.db)
        return
    with tempfile.TemporaryDirectory() as folder:
        for n in (a.n // 100, a.n):
            path = a.db if a.db is not None and n == a.n else Path(folder) / f"{n}.db"
            if not path.exists():
                started = time.perf_counter()
                fill(path, n, min(a.scenarios, max(2, n // 4)))
                print(
                    f"  {n:7d} consultations  filled in {time.perf_counter() - started:.0f} s, {os.path.getsize(path) / n / 1024:.1f} KB each"
                )
            subprocess.run([sys.executable, __file__, "--measure", "--db", str(path)], check=True)
            opened(path.with_suffix(".html"))


if __name__ == "__main__":
    main()
