"""Communication, measured: does each score tell a doctor with skill from one without, and is the curt one told less.

    python benchmarks/communication.py [--seed 0] [--jobs 2] [--json]

Plays every built-in scenario under all five temperaments with `reference` and with `curt` (its questions without any
communication skill), and prints, each with a 95 % percentile bootstrap interval clustered by scenario:

- for every `communication.*` and `mdbench.*` score the means and the mean paired difference, reference less curt, over
  the pairs of consultations in which both have it (a cue that was never given cannot be answered);
- per temperament the facts told to each, the difference, and how many walked out on `curt`;
- the same with the questions held fixed, so that nothing differs but how they are put: the questions that `curt` asks
  of the neutral patient are put to each temperament as they are, and with a kind word where a cue, a private matter or
  the beginning calls for one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from shared import PERSONAS, Interval, interval, scenarios

from consult import Setup, load_hospital, load_knowledge, load_persona, play
from consult.agents.base import PatientView, World
from consult.agents.inquirers import wording
from consult.agents.patient.reference import ReferencePatient
from consult.events import Question, Scored, Stopped, StopReason, Utterance
from consult.language.resolver import resolve
from consult.score import Case
from consult.seeds import rng, seed_of

GROUPS = ("reference", "curt")
FAMILIES = ("communication.", "mdbench.")


@dataclass(frozen=True)
class Played:
    """What is kept of a consultation."""

    scenario: str
    persona: str
    inquirer: str
    scores: dict[str, float | None]
    told: int
    left: bool


def run(job: tuple[str, str, str, int]) -> Played:
    """One consultation."""
    name, persona, inquirer, seed = job
    scenario, knowledge, hospital = scenarios()[name], load_knowledge(), load_hospital()
    events = play(Setup(scenario, load_persona(persona), hospital, knowledge, {"inquirer": inquirer}, seed=seed)).events
    scores = {e.name: e.value for e in events if isinstance(e, Scored) and e.name.startswith(FAMILIES)}
    stop = next(e for e in events if isinstance(e, Stopped))
    told = len(Case(scenario, knowledge, hospital, events).told)
    return Played(name, persona, inquirer, scores, told, stop.reason is StopReason.PATIENT_LEFT)


# --- the same questions --------------------------------------------------------------------------------------------


def same_questions(job: tuple[str, int]) -> dict[str, tuple[int, int]]:
    """Facts told to the curt one's questions, put kindly and as they are, by temperament."""
    name, seed = job
    setup = Setup(scenarios()[name], load_persona("neutral"), load_hospital(), load_knowledge(), {"inquirer": "curt"}, seed=seed)  # fmt: skip
    asked = [e.text for e in play(setup).events if isinstance(e, Question)]
    return {p: (_told(name, p, asked, seed, kind=True), _told(name, p, asked, seed, kind=False)) for p in PERSONAS}


def _told(name: str, who: str, asked: Sequence[str], seed: int, *, kind: bool) -> int:
    scenario, persona, k = scenarios()[name], load_persona(who), load_knowledge()
    world, patient = World(k, load_hospital()), ReferencePatient()
    mood, memory, question = persona.temper.start, {}, ""
    told: list[Any] = []
    for turn, text in enumerate(("", *asked)):
        question = _kindly(text, turn, str(memory.get("cue", "")), name) if kind and text else text
        view = PatientView(
            world, scenario, persona, mood, memory, tuple(told), question, turn, seed_of(name, who, seed)
        )
        reply = patient.reply(view) if turn else patient.open(view)
        mood, memory = reply.mood, reply.memory
        told += next(e for e in reply.events if isinstance(e, Utterance)).told
        if reply.leaves:
            break
    obtainable = Case(scenario, k, world.hospital, ()).obtainable
    return len({t.finding for t in told if t.state in ("present", "absent")} & obtainable.keys())


def _kindly(text: str, turn: int, cue: str, name: str) -> str:
    """The question with a kind word before it, where one is called for."""
    k, chance = load_knowledge(), rng(name, turn)
    if any(k.finding[f].sensitive for f in resolve(text, k).findings):
        bank: Sequence[str] = wording.DELICATE
    elif cue:
        bank = wording.EMPATHY if cue == "worry" else wording.OUTCOME
    else:
        bank = wording.FIRST if turn == 1 else ("",)
    return f"{chance.choice(bank)} {text}".strip()


# --- statistics ----------------------------------------------------------------------------------------------------


def components(played: Sequence[Played]) -> dict[str, Any]:
    """Per score: how many pairs have it, both means, and the paired difference."""
    by = {(p.scenario, p.persona, p.inquirer): p.scores for p in played}
    names, out = sorted({p.scenario for p in played}), {}
    for score in next(iter(by.values())):
        pairs: dict[str, list[tuple[float, float]]] = {n: [] for n in names}
        for n in names:
            for persona in PERSONAS:
                kind, curt = by[n, persona, "reference"][score], by[n, persona, "curt"][score]
                if kind is not None and curt is not None:
                    pairs[n].append((kind, curt))
        flat = [p for group in pairs.values() for p in group]
        out[score] = {
            "pairs": len(flat),
            "reference": float(np.mean([a for a, _ in flat])) if flat else None,
            "curt": float(np.mean([b for _, b in flat])) if flat else None,
            "difference": interval([a - b for a, b in group] for group in pairs.values()),
        }
    return out


def facts(kind: Callable[[str, str], int], curt: Callable[[str, str], int], names: Sequence[str]) -> dict[str, Any]:
    """Per temperament: facts told to the kind and the curt one, and the difference."""
    return {
        p: {
            "reference": float(np.mean([kind(n, p) for n in names])),
            "curt": float(np.mean([curt(n, p) for n in names])),
            "difference": interval([[kind(n, p) - curt(n, p)] for n in names]),
        }
        for p in PERSONAS
    }


# --- all of it -----------------------------------------------------------------------------------------------------


def measure(seed: int, jobs: int) -> dict[str, Any]:
    """Everything, as plain data."""
    names = sorted(scenarios())
    cells = [(n, p, i, seed) for n in names for p in PERSONAS for i in GROUPS]
    with ProcessPoolExecutor(jobs) as pool:
        played = list(pool.map(run, cells, chunksize=10))
        fixed = dict(zip(names, pool.map(same_questions, [(n, seed) for n in names], chunksize=5), strict=True))
    told = {(p.scenario, p.persona, p.inquirer): p.told for p in played}
    own = facts(lambda n, p: told[n, p, "reference"], lambda n, p: told[n, p, "curt"], names)
    for p in PERSONAS:
        own[p]["left"] = sum(x.left for x in played if x.persona == p and x.inquirer == "curt")
        own[p]["left reference"] = sum(x.left for x in played if x.persona == p and x.inquirer == "reference")
    return {
        "scenarios": len(names),
        "consultations": len(played),
        "seed": seed,
        "scores": components(played),
        "facts": own,
        "facts, same questions": facts(lambda n, p: fixed[n][p][0], lambda n, p: fixed[n][p][1], names),
    }


def show(m: dict[str, Any]) -> None:
    """Print it as the tables of README.md."""
    print(f"{m['scenarios']} scenarios, {m['consultations']} consultations, seed {m['seed']}\n")
    print("| score | pairs | reference | curt | difference (95 % interval) |\n| --- | --- | --- | --- | --- |")
    for name, x in m["scores"].items():
        print(f"| `{name}` | {x['pairs']} | {_number(x['reference'])} | {_number(x['curt'])} | {_range(x['difference'])} |")  # fmt: skip
    print("\n| facts told | reference | curt | difference (95 % interval) | walked out on reference, curt |")
    print("| --- | --- | --- | --- | --- |")
    for persona, x in m["facts"].items():
        print(_facts(persona, x) + f" {x['left reference']}, {x['left']} |")
    print("\n| facts told to the same questions | kindly | as they are | difference (95 % interval) |")
    print("| --- | --- | --- | --- |")
    for persona, x in m["facts, same questions"].items():
        print(_facts(persona, x))


def _facts(persona: str, x: dict[str, Any]) -> str:
    return f"| {persona} | {x['reference']:.2f} | {x['curt']:.2f} | {_range(x['difference'])} |"


def _number(x: float | None) -> str:
    return "–" if x is None else f"{x:.2f}"


def _range(x: Interval) -> str:
    return "–" if x[0] != x[0] else f"{x[0]:+.2f} ({x[1]:+.2f} to {x[2]:+.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    start = time.perf_counter()
    measured = measure(a.seed, a.jobs)
    if a.json:
        print(json.dumps(measured, indent=2))
    else:
        show(measured)
        print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
