"""Every scenario x persona x inquirer: how each ends, what the audit finds, and one hash over all transcripts.

    python benchmarks/matrix.py [--seed 0] [--order forward|reverse|shuffled]

The hash does not depend on the order, the process or PYTHONHASHSEED; run it twice and compare:

    PYTHONHASHSEED=1 python benchmarks/matrix.py --order reverse
    PYTHONHASHSEED=2 python benchmarks/matrix.py --order shuffled
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import Counter, defaultdict

from consult import Setup, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.agents.registry import INQUIRERS
from consult.events import Audited, Guarded, Question, Scored, Stopped
from consult.persona import persona_files
from consult.scenario import scenario_files
from consult.store.transcript import dumps

SHOWN = ("diagnosis.top1", "diagnosis.top3", "triage.primary", "triage.secondary", "triage.under", "inquiry.coverage",
         "inquiry.must_ask", "safety.red_flags_asked")  # fmt: skip


def main() -> None:
    """Print the table and the hash."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--order", choices=("forward", "reverse", "shuffled"), default="forward")
    a = parser.parse_args()
    knowledge, hospital = load_knowledge(), load_hospital()
    scenarios = [load_scenario(p) for _, p in sorted(scenario_files().items())]
    personas = [load_persona(n) for n in sorted(persona_files())]
    setups = [
        Setup(s, p, hospital, knowledge, {"inquirer": i}, seed=a.seed)
        for s in scenarios
        for p in personas
        for i in INQUIRERS
    ]
    if a.order == "reverse":
        setups.reverse()
    elif a.order == "shuffled":
        random.shuffle(setups)
    hashes: dict[str, str] = {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for setup in setups:
        done = play(setup)
        text = dumps(done.header, done.events)
        hashes[setup.cell] = hashlib.sha256(text.encode()).hexdigest()
        c = counts[setup.line_up["inquirer"]]
        c["n"] += 1
        for e in done.events:
            if isinstance(e, Stopped):
                c[e.reason.value] += 1
            elif isinstance(e, Scored) and e.name in SHOWN:
                c[e.name] += e.value or 0  # type: ignore[assignment]
            elif isinstance(e, Question):
                c["questions"] += 1
            elif isinstance(e, Guarded):
                c["guarded"] += 1
            elif isinstance(e, Audited):
                c["leaks"] += e.leaks
                c["unreleased"] += e.unreleased
                c["inventions"] += e.inventions
                c["role_breaks"] += e.role_breaks
                c["early_ends"] += e.early_end
    print(f"{len(scenarios)} scenarios x {len(personas)} personas x {len(INQUIRERS)} inquirers = {len(setups)} cells")
    for name, c in counts.items():
        n = c.pop("n")
        means = "  ".join(f"{k.split('.')[1]} {c[k] / n:.3f}" for k in SHOWN)
        ends = "  ".join(f"{k} {v}" for k, v in sorted(c.items()) if k not in SHOWN and k != "questions")
        print(f"{name:13s} n {n}  questions {c['questions'] / n:.2f}  {means}\n{'':13s} {ends}")
    total = hashlib.sha256("".join(f"{k}{v}" for k, v in sorted(hashes.items())).encode()).hexdigest()
    print(f"sha256 over {len(hashes)} transcripts: {total}")


if __name__ == "__main__":
    main()
