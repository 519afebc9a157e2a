"""What a call to a model costs, and how many consultations a second come of it: ours, LiteLLM, inspect_ai, bare aiohttp.

    python benchmarks/transport.py [calls] [consultations] [--rounds 3] [--whole] [--inspect-python PATH]

All of one run goes to one server (`transport_mock.py`), which answers at once, after 50 or after 500 ms. Every way has a
process of its own and they are measured in turn, so that a noisy machine hits all. Printed is every run: of `calls`,
milliseconds of the caller's own processor a call and calls a second; of `consultations` (ten rounds, two roles by models),
consultations a second from the first call to the last byte, and processor with that of worker processes. "Of the bound":
of what the server's delay alone would allow. How busy the server was is printed too, so that it is seen not to be the limit.
`calls` are some pairs of delay and number at once; `--whole` makes it all. inspect_ai needs an environment of its own
(`python -m venv E && E/bin/pip install inspect_ai openai`, then `--inspect-python E/bin/python`), else it is left out.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
LABELS = {
    "aiohttp": "aiohttp, nothing else",
    "direct": "direct transport alone",
    "seam": "the seam over direct",
    "threads": "the seam over direct, a thread each",
    "litellm": "LiteLLM alone",
    "handler": "LiteLLM alone, its handler on",
    "seam-litellm": "the seam over LiteLLM",
    "inspect": "inspect_ai",
}
DELAYS, AT_ONCE, HISTORIES = (0, 50, 500), (1, 16, 64, 256), (2, 10, 41)


class Setting(NamedTuple):
    """One line of circumstances."""

    delay: int
    """Milliseconds."""
    at_once: int
    history: int

    @property
    def calls(self) -> int:
        """Enough for a figure, few enough for a minute."""
        return max(300, 2 * self.at_once) if not self.delay else max(10, self.at_once * 8)


SOME = [
    *(Setting(0, 16, h) for h in HISTORIES),
    *(Setting(0, n, 10) for n in (1, 64, 256)),
    *(Setting(50, n, 10) for n in (16, 64)),
    *(Setting(500, n, 10) for n in (64, 256)),
]


class Server:
    """The server, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, str(HERE / "transport_mock.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._address = self._process.stdout.readline().strip()

    def url(self, delay: int, kind: str) -> str:
        """An address up to `/v1`."""
        return f"{self._address}/{delay}/{kind}/v1"

    def stats(self) -> dict[str, Any]:
        """What was done since this was last asked."""
        with urlopen(f"{self._address}/stats") as response:
            told: dict[str, Any] = json.loads(response.read())
        return told

    def close(self) -> None:
        self._process.communicate("")


class Way:
    """A process that measures one way, line by line."""

    def __init__(self, script: str, name: str, python: str = sys.executable) -> None:
        self._process = subprocess.Popen(
            [python, str(HERE / script), name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def measure(self, **what: Any) -> dict[str, Any]:
        """What it finds. Raises RuntimeError if it ends instead; its own words are on stderr."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(what), file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("{"):  # else it is a library that talks
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError(f"{self._process.args} has ended")

    def close(self) -> None:
        self._process.communicate("")


def has_inspect(python: str) -> bool:
    """Whether that Python can run inspect_ai."""
    tried = subprocess.run([python, "-c", "import inspect_ai, openai"], capture_output=True, check=False)
    return tried.returncode == 0


def calls(server: Server, settings: list[Setting], rounds: int, inspect: str | None) -> None:
    """The table of calls."""
    ways = {name: Way("transport_ways.py", name) for name in LABELS if name != "inspect"}
    for s in settings:
        if inspect is not None:  # a new process: in an old one its first number at once would hold for all
            ways["inspect"] = Way("transport_inspect.py", "calls", inspect)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        busiest = heaviest = 0.0
        for _, (name, way) in product(range(rounds), ways.items()):
            server.stats()
            found = way.measure(
                url=server.url(s.delay, "same"), messages=s.history, calls=s.calls, at_once=s.at_once
            )  # fmt: skip
            runs[name].append(found)
            told = server.stats()
            each = told["processor"] / told["calls"]
            busiest, heaviest = max(busiest, each * found["rate"]), max(heaviest, each)
        print(f"\n{s.delay} ms, {s.at_once} at once, {s.history} messages of history, {s.calls} calls a run")
        for name, found in runs.items():
            show(LABELS[name], found, runs["litellm"], s)
        if inspect is not None:
            ways.pop("inspect").close()
        print(f"  the server: {heaviest * 1000:.3f} ms of processor a call at most, busy {busiest:.0%} at most")
    for way in ways.values():
        way.close()


def show(label: str, runs: list[dict[str, float]], litellm: list[dict[str, float]], s: Setting) -> None:
    """One line: every run."""
    each = " ".join(f"{r['processor']:6.2f}" for r in runs)
    rate = " ".join(f"{r['rate']:6.0f}" for r in runs)
    ratio = statistics.median(r["processor"] / b["processor"] for r, b in zip(runs, litellm, strict=True))
    bound = f"   {median(runs, 'rate') * s.delay / 1000 / s.at_once:.2f} of the bound" if s.delay else ""
    print(f"  {label:36s} {each} ms   {rate} /s   {ratio:.3f} of LiteLLM{bound}", flush=True)


def median(runs: list[dict[str, float]], field: str) -> float:
    """The middle run."""
    return statistics.median(r[field] for r in runs)


CONSULTATIONS = ((50, 64, 12), (500, 64, 6), (500, 256, 6))
"""Delay, how many at once, and how often as many one after the other."""


def consultations(
    server: Server, pairs: Sequence[tuple[int, int, int]], rounds: int, jobs: list[int], inspect: str | None
) -> None:
    """The table of whole consultations."""
    for delay, at_once, waves in pairs:
        runs: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            for n in jobs:
                found = of_ours(server, delay, at_once, n, at_once * waves)
                runs.setdefault(f"consult batch --jobs {n}", []).append(found)
            if inspect is not None:
                way, count = Way("transport_inspect.py", "consultations", inspect), at_once * (2 if delay < 100 else 1)
                server.stats()
                found = way.measure(url=server.url(delay, "play"), consultations=count, at_once=at_once)
                runs.setdefault("inspect_ai", []).append(summed(server, found, count))
                way.close()
            runs.setdefault("a loop, one call after the other", []).append(loop(server, delay))
        print(f"\n{delay} ms, {at_once} at once")
        base = [r["rate"] for r in runs.get("inspect_ai", [])]
        for label, found_all in runs.items():
            bound = at_once / (median(found_all, "each") * delay / 1000)
            rate = " ".join(f"{r['rate']:6.2f}" for r in found_all)
            processor = " ".join(f"{r['processor']:6.1f}" for r in found_all)
            ratio = f"   {median(found_all, 'rate') / statistics.median(base):.2f} of inspect_ai" if base else ""
            share = f"   {median(found_all, 'rate') / bound:.2f} of the bound" if "loop" not in label else ""
            print(
                f"  {label:34s} {rate} /s   {processor} ms each, {median(found_all, 'each'):.1f} calls{ratio}{share}"
                f"   (server busy {max(r['busy'] for r in found_all):.0%})",
                flush=True,
            )


def of_ours(server: Server, delay: int, at_once: int, jobs: int, count: int) -> dict[str, float]:
    """One run of the batch, in a fresh process."""
    way = Way("transport_ways.py", "batch")
    server.stats()
    found = way.measure(url=server.url(delay, "play"), consultations=count, at_once=at_once, jobs=jobs)
    way.close()
    return summed(server, found, count)


def summed(server: Server, found: dict[str, Any], count: int) -> dict[str, float]:
    """Consultations a second since the first call, processor and calls of each."""
    told = server.stats()
    seconds = found["end"] - told["first"]
    return {
        "rate": count / seconds,
        "processor": found["processor"] / count * 1000,
        "each": told["calls"] / count,
        "busy": told["processor"] / seconds,
    }


def loop(server: Server, delay: int) -> dict[str, float]:
    """What a plain loop takes: one consultation's calls, each after the other, nothing else done."""
    calls = 23
    url = server.url(delay, "same")
    host, _, path = url.removeprefix("http://").partition("/")
    body = json.dumps({"model": "local", "messages": [{"role": "user", "content": "Hello. " * 400}]})
    connection = http.client.HTTPConnection(host)
    server.stats()
    start = time.process_time()
    for _ in range(calls):
        connection.request("POST", f"/{path}/chat/completions", body, {"content-type": "application/json"})
        json.loads(connection.getresponse().read())
    return summed(server, {"end": time.monotonic(), "processor": time.process_time() - start}, 1)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["calls", "consultations", []], help="default: both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole", action="store_true", help="every delay, number at once and length of history")
    parser.add_argument("--delay", type=int, help="only what is answered after so many milliseconds")
    parser.add_argument(
        "--jobs", default=f"1,{2 * (os.cpu_count() or 1)}", help="processes of our batch, to be compared"
    )
    parser.add_argument("--inspect-python", default=sys.executable, metavar="PATH", help="one that has inspect_ai")
    args = parser.parse_args()
    inspect: str | None = args.inspect_python if has_inspect(args.inspect_python) else None
    print(f"python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if inspect is None:
        print(f"inspect_ai is not in {args.inspect_python} and is left out (see --help)")
    settings = [Setting(*s) for s in product(DELAYS, AT_ONCE, HISTORIES)] if args.whole else SOME
    settings = [s for s in settings if args.delay in (None, s.delay)]
    server = Server()
    try:
        if "calls" in args.what or not args.what:
            calls(server, settings, args.rounds, inspect)
        if "consultations" in args.what or not args.what:
            pairs = [c for c in CONSULTATIONS if args.delay in (None, c[0])]
            consultations(server, pairs, args.rounds, [int(n) for n in args.jobs.split(",")], inspect)
    finally:
        server.close()


if __name__ == "__main__":
    main()
