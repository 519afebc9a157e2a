"""Every scenario x persona x inquirer: how each ends, what the audit finds, and one hash over all transcripts.

    python benchmarks/matrix.py [--seed 0] [--order forward|reverse|shuffled] [--jobs 2]
    python benchmarks/matrix.py --inquirers reference,curt,random,checklist --faults

Beside what the audit counts, it counts findings that the record holds otherwise than the patient told them
(`off_record`), and what the guard stopped before it was said (`guarded`). `--faults` lists each.

The hash does not depend on the order, the process or PYTHONHASHSEED; run it twice and compare:

    PYTHONHASHSEED=1 python benchmarks/matrix.py --order reverse
    PYTHONHASHSEED=2 python benchmarks/matrix.py --order shuffled
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache

from consult import Setup, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.agents.registry import INQUIRERS
from consult.events import Audited, Event, Guarded, Question, RecordUpdate, Scored, Statement, Stopped, Told, Utterance
from consult.persona import persona_files
from consult.scenario import Scenario, scenario_files
from consult.score.audit import faults
from consult.store.transcript import dumps

SHOWN = ("diagnosis.top1", "diagnosis.top3", "triage.primary", "triage.secondary", "triage.under", "inquiry.coverage",
         "inquiry.must_ask", "safety.red_flags_asked")  # fmt: skip
AXES = ("neutral+literacy=low", "neutral+recall=0.5", "neutral+register=colloquial")
BREACHES = ("leak", "unreleased", "invention", "contradiction", "role_break", "early_end", "off_record")


@dataclass
class Tally:
    """What came of the cells of one scenario."""

    scenario: str
    hashes: dict[str, str] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By inquirer."""
    breaches: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By persona."""
    lines: list[str] = field(default_factory=list)


@cache
def world() -> tuple[object, object]:
    """Knowledge and hospital, loaded once a process."""
    return load_knowledge(), load_hospital()


def off_record(events: Iterable[Event]) -> Iterator[str]:
    """Findings that the record holds otherwise than the patient told them: it reads words only, and results."""
    told: dict[str, Told] = {}
    spoken: set[int] = set()
    record: dict[str, Statement] = {}
    for e in events:
        if isinstance(e, Utterance):
            spoken.add(e.seq)
            told |= {t.finding: t for t in e.told if _says_more(told.get(t.finding), t)}
        elif isinstance(e, RecordUpdate):
            record |= {s.finding: s for s in e.statements if s.source in spoken}
    heard = {f: (s.state, frozenset(s.values)) for f, s in record.items() if s.state != "unknown"}
    said = {f: (t.state, frozenset(t.values)) for f, t in told.items()}
    for f in sorted({*heard, *said}):
        if heard.get(f) != said.get(f):
            yield f"{f}: told {said.get(f)}, on record {heard.get(f)}"


def _says_more(old: Told | None, new: Told) -> bool:
    sure = ("present", "absent")
    return new.state in sure or (new.state == "not_noticed" and (old is None or old.state not in sure))


def cells(scenario: Scenario, personas: list[str], inquirers: list[str], seed: int) -> list[Setup]:
    """The cells of a scenario."""
    knowledge, hospital = world()
    return [
        Setup(scenario, load_persona(p), hospital, knowledge, {"inquirer": i}, seed=seed)  # type: ignore[arg-type]
        for p in personas
        for i in inquirers
    ]


def played(path: str, personas: list[str], inquirers: list[str], seed: int) -> Tally:
    """Play and audit all cells of the scenario in a file."""
    scenario = load_scenario(scenario_files()[path])
    tally = Tally(path)
    for setup in cells(scenario, personas, inquirers, seed):
        done = play(setup)
        tally.hashes[setup.cell] = hashlib.sha256(dumps(done.header, done.events).encode()).hexdigest()
        inquirer = setup.line_up["inquirer"]
        _count(done.events, tally.counts[inquirer])
        found = [
            (f.breach, f"{f.about} at {f.seq}") for f in faults(done.events, setup.case, setup.knowledge, setup.persona)
        ]
        found += [("early_end", "") for e in done.events if isinstance(e, Audited) and e.early_end]
        found += [("off_record", line) for line in off_record(done.events)]
        guards = [("guarded", f"{e.breach} {e.about}") for e in done.events if isinstance(e, Guarded)]
        tally.breaches[setup.persona.id].update(b for b, _ in found)
        tally.lines += [f"{path} {setup.persona.id} {inquirer}: {b} {about}" for b, about in (*found, *guards)]
    return tally


def _count(events: Iterable[Event], c: Counter[str]) -> None:
    c["n"] += 1
    for e in events:
        if isinstance(e, Stopped):
            c[e.reason.value] += 1
        elif isinstance(e, Scored) and e.name in SHOWN:
            c[e.name] += e.value or 0  # type: ignore[assignment]
        elif isinstance(e, Question):
            c["questions"] += 1
        elif isinstance(e, Guarded):
            c["guarded"] += 1


def main() -> None:
    """Print the tables and the hash."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--order", choices=("forward", "reverse", "shuffled"), default="forward")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--scenarios", help="ids, with commas between; all")
    parser.add_argument("--personas", default=",".join((*sorted(persona_files()), *AXES)))
    parser.add_argument("--inquirers", default=",".join(INQUIRERS))
    parser.add_argument("--faults", action="store_true", help="list every breach")
    a = parser.parse_args()
    names = a.scenarios.split(",") if a.scenarios else sorted(scenario_files())
    personas, inquirers = a.personas.split(","), a.inquirers.split(",")
    if a.order == "reverse":
        names, personas, inquirers = names[::-1], personas[::-1], inquirers[::-1]
    elif a.order == "shuffled":
        random.shuffle(names)
    rest = ([x] * len(names) for x in (personas, inquirers, a.seed))
    if a.jobs > 1:
        with ProcessPoolExecutor(a.jobs) as pool:
            tallies = list(pool.map(played, names, *rest))
    else:
        tallies = list(map(played, names, *rest))
    report(tallies, personas, inquirers)
    if a.faults:
        print(*(line for t in tallies for line in t.lines), sep="\n")


def report(tallies: list[Tally], personas: list[str], inquirers: list[str]) -> None:
    """Ends and scores by inquirer, breaches by persona and scenario, the hash."""
    hashes = {k: v for t in tallies for k, v in t.hashes.items()}
    print(f"{len(tallies)} scenarios x {len(personas)} personas x {len(inquirers)} inquirers = {len(hashes)} cells")
    for name in inquirers:
        c = sum((t.counts[name] for t in tallies), Counter[str]())
        n = c.pop("n")
        means = "  ".join(f"{k.split('.')[1]} {c[k] / n:.3f}" for k in SHOWN)
        ends = "  ".join(f"{k} {v}" for k, v in sorted(c.items()) if k not in SHOWN and k != "questions")
        print(f"{name:13s} n {n}  questions {c['questions'] / n:.2f}  {means}\n{'':13s} {ends}")
    print(f"\n{'':36s}" + "".join(f"{b:>15s}" for b in BREACHES))
    for persona in personas:
        _row(persona, sum((t.breaches[persona] for t in tallies), Counter[str]()))
    for t in tallies:
        c = sum(t.breaches.values(), Counter[str]())
        if any(c.values()):
            _row(t.scenario, c)
    _row("all", sum((c for t in tallies for c in t.breaches.values()), Counter[str]()))
    total = hashlib.sha256("".join(f"{k}{v}" for k, v in sorted(hashes.items())).encode()).hexdigest()
    print(f"\nsha256 over {len(hashes)} transcripts: {total}")


def _row(name: str, c: Counter[str]) -> None:
    print(f"{name:36s}" + "".join(f"{c[b]:15d}" for b in BREACHES))


if __name__ == "__main__":
    main()
