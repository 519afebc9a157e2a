"""Whether patients are fair beyond the matrix, and whether the audit would see it if they were not.

    python benchmarks/fairness.py stress [--questions 60] [--personas choleric,neutral] [--jobs 2]
    python benchmarks/fairness.py planted [--misses]

`stress` asks each patient questions drawn at random from the doctors' own-wording set (`data/doctor_questions.txt`),
whatever they are about. It counts breaches, exceptions and findings that the record holds otherwise than told.
`planted` puts each line of `data/planted_breaches*.txt` into a consultation as the patient's words, and counts how many
breaches the audit finds, and how many honest words it takes for one.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from typing import Any

import labelled
from matrix import off_record, world

from consult import Setup, load_persona, load_scenario, play
from consult.actions import Ask, Conclude
from consult.agents.base import Act, InquirerView
from consult.events import Event, Guarded, Question, Stopped, StopReason, Utterance
from consult.scenario import Scenario, scenario_files
from consult.score.audit import Fault, faults
from consult.seeds import rng
from consult.settings import Limits
from consult.sim import session

SETS = {"first": "planted_breaches.txt", "second": "planted_breaches_second.txt"}
BREACHES = ("leak", "unreleased", "invention", "contradiction", "role_break")


@dataclass(frozen=True)
class Asker:
    """An inquirer that asks what it was given, and concludes nothing."""

    questions: tuple[str, ...]

    def act(self, view: InquirerView) -> Act:
        """The next question."""
        if view.turn < len(self.questions):
            return Act(Ask(text=self.questions[view.turn]))
        return Act(Conclude(differential=()))


def drawn(scenario: str, persona: str, n: int) -> tuple[str, ...]:
    """Questions for one patient, without replacement, the same each time."""
    return tuple(i.text for i in rng("stress", scenario, persona).sample(labelled.questions(), n))


def asked(setup: Setup, questions: tuple[str, ...]) -> tuple[Event, ...]:
    """The consultation in which these are asked, until the patient leaves."""
    sound = session.context
    session.context = lambda s: replace(sound(s), inquirer=Asker(questions))
    try:
        return play(setup).events
    finally:
        session.context = sound


def stressed(name: str, persona: str, n: int) -> tuple[Counter[str], list[str]]:
    """What came of `n` questions to one patient; who leaves is met anew, and asked the rest."""
    knowledge, hospital = world()
    scenario, who = load_scenario(scenario_files()[name]), load_persona(persona)
    setup: Any = Setup(scenario, who, hospital, knowledge, limits=Limits(n, 0))  # type: ignore[arg-type]
    left, c, lines = drawn(name, persona, n), Counter[str](), []
    while left:
        events = asked(setup, left)
        count = sum(isinstance(e, Question) for e in events)
        c["questions"] += count
        stop = next(e for e in events if isinstance(e, Stopped)).reason
        c["left"] += stop is StopReason.PATIENT_LEFT
        c["exceptions"] += stop not in (StopReason.PATIENT_LEFT, StopReason.CONCLUDED)
        c["findings told"] += sum(len(e.told) for e in events if isinstance(e, Utterance) and e.query is not None)
        c["guarded"] += sum(isinstance(e, Guarded) for e in events)
        if count == 0:
            break
        left = left[count:]
        found = [(f.breach, f"{f.about} at {f.seq}") for f in faults(events, setup.case, setup.knowledge, who)]
        found += [("off_record", line) for line in off_record(events)]
        c.update(kind for kind, _ in found)
        lines += [f"{name} {persona}: {kind} {about}" for kind, about in found]
    return c, lines


def stress(personas: list[str], n: int, jobs: int) -> None:
    """Ask everyone, and print the table."""
    cells = [(s, p) for p in personas for s in sorted(scenario_files())]
    with ProcessPoolExecutor(jobs) as pool:
        done = list(pool.map(stressed, *zip(*cells, strict=True), repeat(n)))
    kinds = ("questions", "findings told", *BREACHES, "off_record", "exceptions", "guarded", "left")
    print(f"{'':12s}" + "".join(f"{k:>15s}" for k in kinds))
    for persona in personas:
        c = sum((d for (_, p), (d, _) in zip(cells, done, strict=True) if p == persona), Counter[str]())
        print(f"{persona:12s}" + "".join(f"{c[k]:15d}" for k in kinds))
    print(*(line for _, lines in done for line in lines), sep="\n")


@dataclass(frozen=True)
class Planted:
    """A line of a file: the turns before, the question, the words, and the breach they are."""

    set: str
    breach: str
    scenario: str
    before: tuple[tuple[str, str], ...]
    question: str
    words: str


def planted() -> Iterator[Planted]:
    """The lines of both files."""
    for name, file in SETS.items():
        for breach, scenario, asked, words in labelled.rows(file, 4):
            *turns, question = asked.split(" ; ")
            before = tuple((q.strip(), w.strip()) for q, _, w in (t.partition(" > ") for t in turns))
            yield Planted(name, breach, scenario, before, question, words)


@cache
def _case(name: str) -> Scenario:
    return load_scenario(scenario_files()[name])


def heard(p: Planted) -> tuple[Fault, ...]:
    """What the audit finds in the words; an opening and the turns before them are not counted."""
    knowledge, _ = world()
    scenario = _case(p.scenario)
    events: list[Event] = [Utterance(text=scenario.opening or "Hello.", seq=0)]
    for q, words in (*p.before, (p.question, p.words)):
        events += [Question(text=q, seq=len(events)), Utterance(text=words, seq=len(events) + 1)]
    found = faults(events, scenario, knowledge, load_persona("neutral"))  # type: ignore[arg-type]
    return tuple(f for f in found if f.seq == events[-1].seq)


def detection(*, misses: bool) -> None:
    """How many planted breaches are found, as what they are or as any breach, and how many honest words are not."""
    rows: dict[tuple[str, str], Counter[str]] = {}
    for p in planted():
        kinds = {f.breach for f in heard(p)}
        c = rows.setdefault((p.breach, p.set), Counter())
        c["n"] += 1
        c["any"] += bool(kinds)
        c["kind"] += p.breach in kinds
        if misses and (p.breach not in kinds) != (p.breach == "honest" and not kinds):
            print(f"  {p.set:12s}{p.breach:14s}{sorted(kinds)}  {p.question} | {p.words}  {heard(p)}")
    for name in SETS:
        total: Counter[str] = Counter()
        for breach in BREACHES:
            c = rows.get((breach, name), Counter())
            total += c
            print(f"{name:12s} {breach:14s} n {c['n']:3d}   found {c['any']:3d}   as such {c['kind']:3d}")
        c = rows.get(("honest", name), Counter())
        print(
            f"{name:12s} {'all planted':14s} n {total['n']:3d}   found {total['any']:3d} ({total['any'] / total['n']:.2f})"
            f"   as such {total['kind']:3d}   false alarms {c['any']} of {c['n']}"
        )


def main() -> None:
    """One of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("stress", "planted"))
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--personas", default="choleric,neutral")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--misses", action="store_true")
    a = parser.parse_args()
    if a.what == "stress":
        stress(a.personas.split(","), a.questions, a.jobs)
    else:
        detection(misses=a.misses)


if __name__ == "__main__":
    main()
