"""Whether batches with models survive storms and kills: nothing hangs, nothing is paid twice, no key is ever written.

    python benchmarks/storm.py faults [--cells 2000] [--share 0.2] [--concurrency 64] [--transport direct|litellm]
    python benchmarks/storm.py resume [--cells 200] [--kills 5] [--concurrency 16]

`faults`: both models fail in a fifth of all calls, in every way of tests/storm_world.py. Every consultation must end with a
stop reason, failures of the server told apart from the doctor's; no call may be sent more often than the retries allow (the
server counts, by the key of each call); no key may stand in the store, the ledger, the logs or what is printed. Then the
same batch in calm weather finishes what failed. `resume`: a batch is killed with -9 at random moments and begun again; the
server counts how many calls more than an undisturbed run it had, and the stores are compared byte by byte.
Leaves with code 1 if anything of this is not so.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kills import Batch, content, killed, waited
from shared import PERSONAS, scenarios

from consult.batch import Plan, execute, setups
from consult.cli.main import cli
from consult.llm.base import MAX_ASKS
from consult.llm.pacing import Retry
from consult.store.db import Store

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from scripted_server import ScriptedServer, plays
from storm_world import KEY, SECRETS, Storm, logged, marked

MODEL = "llm:openai/local"
TIMEOUT = 2.0
"""Seconds for an answer; a proper one takes some milliseconds, and more where the machine is busy."""


def plan_of(cells: int, url: str) -> Plan:
    """So many consultations of two models, over the scenarios and temperaments."""
    names = tuple(scenarios())[: -(-cells // len(PERSONAS))]
    epochs = -(-cells // (len(names) * len(PERSONAS)))
    given = {"name": "storm", "scenarios": names, "personas": PERSONAS, "epochs": epochs, "inquirer": (MODEL,)}
    return Plan.model_validate(given | {"patient": MODEL, "api_base": url, "timeout": TIMEOUT})


@dataclass
class Outcome:
    """What a storm left behind."""

    rows: list[dict[str, Any]]
    storm: Storm
    written: str
    """Everything that was written or logged, as text."""

    def problems(self) -> list[str]:
        """What is not as it should be."""
        found = [f"{r['consultation_id']} has no stop reason" for r in self.rows if not r["stop_reason"]]
        most = Retry().attempts
        found += [f"sent {n} times: {mark}" for mark, n in self.storm.sent.items() if n > most]
        found += [f"{secret} is written" for secret in SECRETS if secret in self.written]
        for r in self.rows:
            if r["stop_reason"] == "infrastructure_error" and r["correct"] is not None:
                found.append(f"{r['consultation_id']} is judged, though its server failed")
        return found


def weathered(
    server: ScriptedServer, folder: Path, plan: Plan, concurrency: int, transport: str, share: float
) -> Outcome:
    """The plan in a storm."""
    storm = server.default = Storm(share)
    os.environ["CONSULT_API_KEY"] = KEY
    told: list[str] = []
    with marked(), logged() as logs, Store(folder / "s.db") as store:
        cells = setups(plan)
        cells = replace(cells, models=replace(cells.models, transport=transport))
        told += [repr(done) for done in execute(plan, cells, store, concurrency=concurrency)]
        rows = list(store.each(plan.run))
        texts = [text for _, text in store.texts([r["consultation_id"] for r in rows])]
    ledger = (folder / "s.ledger").read_bytes().decode("utf-8", "replace")
    return Outcome(rows, storm, "\n".join([*told, *logs, *texts, ledger, repr(rows)]))


def faults(args: argparse.Namespace, folder: Path) -> bool:
    with ScriptedServer() as server:
        plan = plan_of(args.cells, server.url)
        began, cpu = time.monotonic(), time.process_time()
        out = weathered(server, folder, plan, args.concurrency, args.transport, args.share)
        took, busy = time.monotonic() - began, time.process_time() - cpu
        storm, ends = out.storm, Counter(r["stop_reason"] for r in out.rows)
        calls = sum(storm.sent.values())
        print(f"{len(out.rows)} consultations of {len(setups(plan))}: {dict(ends)}")
        print(f"{took:.0f} s, {busy:.0f} s of processor with the server; {calls} requests for {len(storm.sent)} calls")
        print(f"{sum(storm.met.values())} failed ({sum(storm.met.values()) / calls:.1%}): {dict(storm.met)}")
        print(
            f"sent at most {max(storm.sent.values())} times of {Retry().attempts}; asked at most {MAX_ASKS} times a wording"
        )
        code = exit_code(["batch", "--name", "storm", "--db", str(folder / "s.db")], plan)
        server.default = plays
        before = len(server.requests)
        with Store(folder / "s.db") as store:
            again = Counter(d.status for d in execute(plan, setups(plan), store, concurrency=args.concurrency))
            calm = Counter(r["stop_reason"] for r in store.each(plan.run))
        print(f"then in calm weather: {dict(again)}, {len(server.requests) - before} requests; {dict(calm)}")
    found = out.problems() + ([] if not calm["infrastructure_error"] else ["failures are left after calm weather"])
    print(*found, sep="\n")
    return not found and len(out.rows) == len(setups(plan)) and code


def exit_code(words: list[str], plan: Plan) -> bool:
    """Whether the report of a run with failures says so."""
    from click.testing import CliRunner

    out = CliRunner().invoke(cli, ["report", plan.run, "--json", "--db", words[-1]])
    print(f"report: exit code {out.exit_code}, secrets in it: {[s for s in SECRETS if s in out.output]}")
    return out.exit_code == 0 and not any(s in out.output for s in SECRETS)


class Modelled(Batch):
    """A batch of models under test, on one store."""

    def __init__(self, plan: Plan, db: Path, concurrency: int) -> None:
        self.cells, self.db, self.calls = len(setups(plan)), db, 0
        self.command = [sys.executable, "-m", "consult", "batch", "--name", "storm", "--api-base", plan.api_base]
        self.command += ["--scenarios", ",".join(plan.scenarios), "--personas", ",".join(plan.personas)]
        self.command += ["--inquirer", MODEL, "--patient", MODEL, "--epochs", str(plan.epochs)]
        self.command += ["--concurrency", str(concurrency), "--db", str(db), "--json"]


def resume(args: argparse.Namespace, folder: Path) -> bool:
    """Kills at random moments, as parts of what the undisturbed run took."""
    rng, good = random.Random("resume"), True
    with ScriptedServer(lambda asked: replace(plays(asked), wait=0.02)) as server:
        plan = plan_of(args.cells, server.url)
        plain = Modelled(plan, folder / "plain.db", args.concurrency)
        took = plain.undisturbed()
        wanted, needed = content(plain.db), len(server.requests)
        print(f"undisturbed: {len(wanted)} consultations, {needed} calls, {took:.0f} s after the first was kept")
        server.forget()
        batch, kept = Modelled(plan, folder / "c.db", args.concurrency), []
        for _ in range(args.kills):
            process, before = batch.begin(), len(server.requests)
            while process.poll() is None and len(server.requests) == before:
                time.sleep(0.02)
            waited(process, rng.uniform(0.05, 1.5) * took / args.kills)
            killed(process)
            kept.append(batch.count())
        batch.finish()
        more = len(server.requests) - needed
        equal = content(batch.db) == wanted
        calls = len(server.requests)
        batch.finish()
        for_nothing = len(server.requests) == calls
    print(f"{args.kills} kills, kept after each {kept}: {more} calls more ({args.kills * args.concurrency} allowed)")
    print(f"stores {'equal' if equal else 'NOT EQUAL'}; a further run asks {'nothing' if for_nothing else 'AGAIN'}")
    return good and equal and for_nothing and more <= args.kills * args.concurrency


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["faults", "resume"])
    parser.add_argument("--cells", type=int)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--transport", default="", choices=["", "direct", "litellm"])
    args = parser.parse_args()
    storm = args.which == "faults"
    args.cells = args.cells or (2000 if storm else 200)
    args.concurrency = args.concurrency or (64 if storm else 16)
    with tempfile.TemporaryDirectory(prefix="consult_storm_") as folder:
        good = (faults if storm else resume)(args, Path(folder))
    print("good" if good else "NOT GOOD")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
