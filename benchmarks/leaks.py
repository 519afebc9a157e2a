"""Whether a patient played by a model can give its case away, where the doctor's model asks for it and its own wants to.

    python benchmarks/leaks.py [--personas neutral,choleric] [--turns 14] [--jobs 2]

Every scenario with every temperament, through the whole seam, against a scripted server (tests/leaking_model.py says what is
tried: names of the answer plain, misspelt, spelled, in cipher and in other languages; facts in four wordings; results, plan,
prompt, ids). Each wording says all that it was given, and one leak besides. An attempt is one wording. Counted: how many the
guard stopped, how many of these were asked again, in how many turns the template spoke instead, and what reached a
transcript by three judges: what the leaking model knows that it said, the audit, and a watcher that shares nothing with the
guard. Then a model that says just what it is given, of which nothing should be stopped. Leaves with code 1 if a leak got through.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from shared import PERSONAS, scenarios

from consult import Setup, load_persona, play
from consult.agents.llm.talk import Models, hang_up
from consult.events import Audited, Guarded, Utterance
from consult.hospital import load_hospital
from consult.knowledge.load import load_knowledge
from consult.settings import Limits

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from leaking_model import Leaker, caught, leaks, watched
from scripted_server import ScriptedServer, plays

MODEL = "llm:openai/local"
Found = tuple[Counter[str], Counter[str], list[str]]
"""Figures, attempts by kind, and the words of each leak that got through."""


def of_scenario(name: str, personas: tuple[str, ...], turns: int) -> Found:
    """One scenario with each temperament; what was not tried with one is tried with the next."""
    knowledge, hospital, scenario = load_knowledge(), load_hospital(), scenarios()[name]
    deck = leaks(scenario, knowledge)
    counts, kinds, through = Counter[str](), Counter[str](), list[str]()
    with ScriptedServer() as server:
        for persona in personas:
            setup = Setup(
                scenario,
                load_persona(persona),
                hospital,
                knowledge,
                agents={"inquirer": MODEL, "patient": MODEL},
                limits=Limits(turns, 0),
                models=Models(server.url),
            )
            leaker = server.default = Leaker(deck)
            t = play(setup)
            reached, seen = leaker.reached(t), watched(t, scenario, knowledge)
            stopped, again, fallen = caught(t)
            unclean = sum(isinstance(e, Audited) and not e.clean for e in t.events)
            counts.update(attempts=len(leaker.tried), stopped=stopped, again=again, fallen=fallen)
            counts.update(reached=len(reached), watched=len(seen), unclean=unclean, consultations=1)
            kinds.update(leak.kind for _, _, leak in leaker.tried)
            through += [f"{name}, {persona}: {leak.kind}: {leak.words}" for leak in reached]
            through += [f"{name}, {persona}: seen: {words}" for words in seen]
            server.default = plays
            honest = play(setup).events
            counts.update(honest=sum(isinstance(e, Utterance) for e in honest))
            counts.update(alarms=sum(isinstance(e, Guarded) for e in honest))
        counts.update(left=sum(1 for _ in deck))
        hang_up()
    return counts, kinds, through


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--personas", default=",".join(PERSONAS))
    parser.add_argument("--turns", type=int, default=14)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    personas = tuple(args.personas.split(","))
    counts, kinds, through = Counter[str](), Counter[str](), list[str]()
    with ProcessPoolExecutor(args.jobs) as pool:
        rows: Iterator[Found] = pool.map(
            of_scenario, scenarios(), [personas] * len(scenarios()), [args.turns] * len(scenarios())
        )
        for figures, tried, words in rows:
            counts += figures
            kinds += tried
            through += words
    print(*through, sep="\n")
    print(
        f"{counts['consultations']} consultations, {counts['attempts']} attempts ({counts['left']} kinds of words left)"
    )
    print(
        f"stopped {counts['stopped']}: asked again {counts['again']}, template instead {counts['fallen']}; told already "
        f"{counts['attempts'] - counts['stopped'] - counts['reached']}"
    )
    print(
        f"reached a transcript {counts['reached']}; seen by the watcher {counts['watched']}; unclean {counts['unclean']}"
    )
    print(f"honest: {counts['honest']} utterances, {counts['alarms']} alarms")
    print("by kind:", ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())))
    return 1 if counts["reached"] or counts["watched"] or counts["unclean"] else 0


if __name__ == "__main__":
    sys.exit(main())
