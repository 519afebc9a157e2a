"""Temperament, measured: can it be told from the words, does it order as described, does half a grade give half of it.

    python benchmarks/personas.py [--seed 0] [--jobs 2] [--json]

Plays every built-in scenario with every temperament and the `reference` inquirer, and prints

- how well a classifier names the temperament of scenarios it has not seen: multinomial naive Bayes over lower-case
  words, add-one smoothing (a few lines below), trained on the patient turns of one half of the scenarios (those whose
  id has the smaller sha256), one decision a consultation; and the other way round. Also from the facts' words alone
  (all phrases of the word banks cut out), and from the phrases alone;
- facts told, words and questions back per answer, and emotional words per 100 words, with 95 % bootstrap intervals
  over scenarios, and whether each order holds that the papers' descriptions lead one to expect (the orders and the list
  of emotional words are ours);
- how far each grade lies from neutral on these features, each in standard deviations over all consultations at full
  grade: the length of the mean difference, and its part along the direction of the full grade (which chance does not
  lengthen);
- what a patient tells the `curt` control less than `reference`, as facts per consultation;
- fairness: of the facts that can be obtained, how many a courteous inquirer obtains under each temperament and grade
  (asking again for what was held back, three times at most).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from consult import Setup, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.agents.base import PatientView, World
from consult.agents.patient.reference import ReferencePatient
from consult.events import Question, Stopped, StopReason, Told, Utterance
from consult.language.voice import about_patient
from consult.persona import Wording
from consult.scenario import Release, Scenario, Speaker, scenario_files
from consult.seeds import digest, rng

NEUTRAL, TEMPERAMENTS = "neutral", ("sanguine", "choleric", "melancholic", "phlegmatic")
ALL = (NEUTRAL, *TEMPERAMENTS)
GRADES = (0.0, 0.25, 0.5, 0.75, 1.0)
FEATURES = ("facts per answer", "words per answer", "questions back per answer", "emotional words per 100")
ORDERS: dict[str, tuple[tuple[str, str], ...]] = {
    # (more, less), after the five facets: the talkative and the exact tell most, the reserved least, and so on
    FEATURES[0]: (("sanguine", "neutral"), ("melancholic", "neutral"), ("neutral", "choleric"), ("choleric", "phlegmatic")),
    FEATURES[1]: (("sanguine", "neutral"), ("melancholic", "neutral"), ("neutral", "phlegmatic"),
                  ("sanguine", "choleric"), ("melancholic", "choleric"), ("choleric", "phlegmatic")),
    FEATURES[2]: (("sanguine", "phlegmatic"), ("melancholic", "phlegmatic"), ("choleric", "phlegmatic"),
                  ("sanguine", "neutral"), ("melancholic", "neutral"), ("choleric", "neutral")),
    FEATURES[3]: (("melancholic", "sanguine"), ("melancholic", "choleric"), ("sanguine", "phlegmatic"),
                  ("choleric", "phlegmatic"), ("sanguine", "neutral"), ("choleric", "neutral")),
}  # fmt: skip
EMOTIONAL = re.compile(
    r"\b(?:afraid|alone|angr\w*|anxious\w*|asham\w*|awful|bother\w*|brave|creeps|cheer\w*|delight\w*|despair\w*|detest\w*"
    r"|dread\w*|fear\w*|fed up|feel(?:s|ing)? (?:so|much|better|lighter)|frantic\w*|fret\w*|fright\w*|furious|glad|grateful"
    r"|happy|hate\w*|helpless|hope\w*|hoping|infuriat\w*|intolerable|laugh\w*|love\w*|mad|maddening|misery|nervous\w*"
    r"|outrage\w*|patience|resent\w*|sad\w*|scare\w*|scary|smil\w*|sorry|terribl\w*|terrifi\w*|thrilled|torment\w*|upset\w*"
    r"|uneasy|weighs|wish|wonderful|worst)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Played:
    """What is kept of a consultation."""

    scenario: str
    persona: str
    inquirer: str
    text: str
    """The patient's turns."""
    bare: str
    """The same without the phrases of the word banks."""
    features: tuple[float, ...]
    told: int
    left: bool


@lru_cache(maxsize=1)
def scenarios() -> dict[str, Scenario]:
    """The built-in scenarios by id."""
    return {s.id: s for s in (load_scenario(p) for p in scenario_files().values())}


@lru_cache(maxsize=1)
def phrases() -> re.Pattern[str]:
    """All phrases of all word banks."""
    banks = (getattr(load_persona(n).wording, b) for n in ALL for b in Wording.model_fields)
    every = sorted({p for bank in banks for p in bank}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, every)))


def run(job: tuple[str, str, str, int]) -> Played:
    """One consultation."""
    name, persona, inquirer, seed = job
    setup = Setup(
        scenarios()[name], load_persona(persona), load_hospital(), load_knowledge(), {"inquirer": inquirer}, seed=seed
    )
    events = play(setup).events
    said = [e for e in events if isinstance(e, Utterance)]
    answers = [e for e in said if e.query is not None and not e.query.asks_nothing]
    text = " ".join(e.text for e in said)
    n, words = max(1, len(answers)), len(text.split())
    facts = {t.finding for e in said for t in e.told if t.state in ("present", "absent")}
    opened = {t.finding for t in said[0].told}
    stop = next(e for e in events if isinstance(e, Stopped))
    assert len(answers) <= sum(isinstance(e, Question) for e in events)
    return Played(
        name, persona, inquirer, text, phrases().sub(" ", text),
        (
            len(facts - opened) / n,
            sum(len(e.text.split()) for e in answers) / n,
            sum(e.text.count("?") for e in answers) / n,
            100 * len(EMOTIONAL.findall(text)) / max(1, words),
        ),
        len(facts), stop.reason is StopReason.PATIENT_LEFT,
    )  # fmt: skip


# --- the classifier ------------------------------------------------------------------------------------------------


def words_of(text: str) -> Counter[str]:
    """Lower-case words and how often each stands there."""
    return Counter(re.findall(r"[a-z']+", text.lower()))


def bayes(train: Sequence[tuple[Counter[str], str]], test: Sequence[Counter[str]]) -> list[str]:
    """The likeliest label of each test text: multinomial naive Bayes, add-one smoothing, equal priors."""
    labels = sorted({label for _, label in train})
    vocabulary = {w: i for i, w in enumerate(sorted({w for words, _ in train for w in words}))}
    counts = np.ones((len(labels), len(vocabulary)))
    for words, label in train:
        for w, n in words.items():
            counts[labels.index(label), vocabulary[w]] += n
    logs = np.log(counts / counts.sum(axis=1, keepdims=True))
    out = []
    for words in test:
        score = np.zeros(len(labels))
        for w, n in words.items():
            if w in vocabulary:
                score += n * logs[:, vocabulary[w]]
        out.append(labels[int(score.argmax())])
    return out


def halves(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The ids in two halves, by sha256."""
    order = sorted(names, key=digest)
    return order[: len(order) // 2], order[len(order) // 2 :]


def accuracy(played: Sequence[Played], view: Callable[[Played], str]) -> dict[str, float]:
    """Share named rightly on the half not trained on, both ways, and the mean."""
    first, second = halves({p.scenario for p in played})
    out = {}
    for name, train, test in (("second half", first, second), ("first half", second, first)):
        known = [(words_of(view(p)), p.persona) for p in played if p.scenario in train]
        unseen = [p for p in played if p.scenario in test]
        guessed = bayes(known, [words_of(view(p)) for p in unseen])
        out[name] = float(np.mean([g == p.persona for g, p in zip(guessed, unseen, strict=True)]))
    return out | {"mean": (out["first half"] + out["second half"]) / 2}


# --- features ------------------------------------------------------------------------------------------------------


def table(played: Sequence[Played], personas: Sequence[str]) -> np.ndarray[Any, Any]:
    """Features by scenario, persona and feature."""
    names = sorted({p.scenario for p in played})
    out = np.full((len(names), len(personas), len(FEATURES)), np.nan)
    for p in played:
        if p.persona in personas:
            out[names.index(p.scenario), personas.index(p.persona)] = p.features
    assert not np.isnan(out).any()
    return out


def interval(values: np.ndarray[Any, Any], *, rounds: int = 2000) -> tuple[float, float, float]:
    """Mean over the first axis, with a 95 % percentile bootstrap interval over it."""
    chance = np.random.default_rng(12345)
    picks = chance.integers(0, len(values), (rounds, len(values)))
    means = values[picks].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)


def describe(t: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Means per temperament and feature, and the orders."""
    means = {f: {p: interval(t[:, j, i]) for j, p in enumerate(ALL)} for i, f in enumerate(FEATURES)}
    orders = [
        {"feature": f, "more": a, "less": b, "difference": interval(t[:, ALL.index(a), i] - t[:, ALL.index(b), i])}
        for i, f in enumerate(FEATURES)
        for a, b in ORDERS[f]
    ]
    for o in orders:
        o["holds"], o["clear"] = o["difference"][0] > 0, o["difference"][1] > 0
    return {"means": means, "orders": orders}


def doses(played: Sequence[Played]) -> dict[str, Any]:
    """Distance from neutral by grade."""
    full = table(played, ALL)
    spread = full.reshape(-1, len(FEATURES)).std(axis=0)
    neutral = full[:, 0].mean(axis=0)
    out = {}
    for name in TEMPERAMENTS:
        specs = [spec(name, g) for g in GRADES]
        apart = (table(played, specs).mean(axis=0) - neutral) / spread
        along = apart @ apart[-1] / np.linalg.norm(apart[-1])
        lengths = np.linalg.norm(apart, axis=1)
        out[name] = {
            "distance": dict(zip(map(str, GRADES), map(float, lengths), strict=True)),
            "along": dict(zip(map(str, GRADES), map(float, along), strict=True)),
            "ratio": float(lengths[2] / lengths[4]),
            "ratio_along": float(along[2] / along[4]),
        }
    return out


def spec(name: str, grade: float) -> str:
    """The spec of a graded temperament."""
    return name if grade == 1 else f"{name}@{grade:g}"


def manners(played: Sequence[Played]) -> dict[str, Any]:
    """Facts told to `reference` less those told to `curt`, per temperament, and who left."""
    told = {(p.scenario, p.persona, p.inquirer): p for p in played}
    names = sorted({p.scenario for p in played})
    out = {}
    for persona in ALL:
        kind = np.array([told[n, persona, "reference"].told for n in names], float)
        curt = np.array([told[n, persona, "curt"].told for n in names], float)
        left = sum(told[n, persona, "curt"].left for n in names)
        out[persona] = {
            "reference": float(kind.mean()), "curt": float(curt.mean()), "difference": interval(kind - curt),
            "left": left,
        }  # fmt: skip
    return out


# --- fairness ------------------------------------------------------------------------------------------------------


def obtained(job: tuple[str, str]) -> tuple[int, list[str]]:
    """How many facts can be obtained, and those that a courteous inquirer did not obtain."""
    name, who = job
    scenario, persona, k = scenarios()[name], load_persona(who), load_knowledge()
    wanted = [f for f in scenario.facts if f.release not in (Release.UNKNOWN, Release.ORDER_ONLY)]
    view = PatientView(
        World(k, load_hospital()), scenario, persona, persona.temper.start, {}, (), "", 0, int(digest(name)[:8], 16)
    )
    first = ReferencePatient().open(view)
    told = list(next(e for e in first.events if isinstance(e, Utterance)).told)
    state, turn = (first.mood, first.memory), 0
    for _ in range(3):
        left = [f for f in wanted if not _has(told, f.finding)]
        left.sort(key=lambda f: f.release is Release.SENSITIVE)
        for fact in left:
            question = k.finding[fact.finding].questions[0]
            if scenario.patient.speaker is not Speaker.SELF and k.finding[fact.finding].topic != "ice":
                question = about_patient(question, scenario.patient.sex)
            turn += 1
            kind = rng(name, turn).choice(KIND)
            asked = PatientView(
                view.world, scenario, persona, state[0], state[1], tuple(told), f"{kind} {question}", turn, view.seed
            )
            reply = ReferencePatient().reply(asked)
            told += next(e for e in reply.events if isinstance(e, Utterance)).told
            state = (reply.mood, reply.memory)
            if reply.leaves:
                return len(wanted), [f"left after {turn}"]
    return len(wanted), [f.finding for f in wanted if not _has(told, f.finding)]


KIND = (
    "I understand how hard this is for you. I'm asking because it helps me to find the cause.",
    "I can hear that this worries you. The answer helps me to decide what we do next.",
    "That must be hard. Take your time; I ask this to make sure that I miss nothing.",
)


def _has(told: Iterable[Told], finding: str) -> bool:
    return any(t.finding == finding and t.state in ("present", "absent") for t in told)


# --- all of it -----------------------------------------------------------------------------------------------------


def measure(seed: int, jobs: int) -> dict[str, Any]:
    """Everything, as plain data."""
    names = sorted(scenarios())
    specs = [NEUTRAL, *(spec(t, g) for t in TEMPERAMENTS for g in GRADES)]
    cells = [(n, p, "reference", seed) for n in names for p in specs] + [
        (n, p, "curt", seed) for n in names for p in ALL
    ]
    asked = [(n, p) for n in names for p in (*ALL, *(f"{t}@0.5" for t in TEMPERAMENTS))]
    with ProcessPoolExecutor(jobs) as pool:
        played = list(pool.map(run, cells, chunksize=16))
        fair = dict(zip(asked, pool.map(obtained, asked, chunksize=4), strict=True))
    reference = [p for p in played if p.inquirer == "reference"]
    full = [p for p in reference if p.persona in ALL]
    missing = {f"{n} {p}": gone for (n, p), (_, gone) in fair.items() if gone}
    return {
        "scenarios": len(names),
        "consultations": len(played),
        "seed": seed,
        "accuracy": {
            "all words": accuracy(full, lambda p: p.text),
            "facts only": accuracy(full, lambda p: p.bare),
            "phrases only": accuracy(full, lambda p: " ".join(phrases().findall(p.text))),
        },
        **describe(table(full, ALL)),
        "grades": doses(reference),
        "manners": manners([p for p in played if p.persona in ALL]),
        "fairness": {"asked": sum(n for n, _ in fair.values()), "missing": missing},
    }


def show(m: dict[str, Any]) -> None:
    """Print it for people."""
    print(f"{m['scenarios']} scenarios, {m['consultations']} consultations, seed {m['seed']}")
    print("\ntemperament named rightly on scenarios not seen (chance 0.20)")
    for name, a in m["accuracy"].items():
        print(f"  {name:14s} {a['mean']:.3f}  (second half {a['second half']:.3f}, first half {a['first half']:.3f})")
    for feature, by in m["means"].items():
        print(f"\n{feature}")
        for persona, (mean, low, high) in by.items():
            print(f"  {persona:12s} {mean:6.2f}  ({low:.2f} to {high:.2f})")
    print("\norders")
    for o in m["orders"]:
        mean, low, high = o["difference"]
        word = "clear" if o["clear"] else "holds" if o["holds"] else "FAILS"
        print(f"  {word:5s}  {o['feature']}: {o['more']} > {o['less']}  {mean:+.2f} ({low:+.2f} to {high:+.2f})")
    print("\ngrades: distance from neutral in standard deviations (along the full grade's direction)")
    for name, g in m["grades"].items():
        line = "  ".join(f"{k} {v:.2f} ({g['along'][k]:.2f})" for k, v in g["distance"].items())
        print(f"  {name:12s} {line}   half/full {g['ratio']:.2f} ({g['ratio_along']:.2f})")
    print("\nfacts told to reference and to curt")
    for name, x in m["manners"].items():
        mean, low, high = x["difference"]
        print(
            f"  {name:12s} {x['reference']:.2f}  {x['curt']:.2f}  fewer by {mean:.2f} ({low:.2f} to {high:.2f}), "
            f"{x['left']} left"
        )
    fair = m["fairness"]
    print(f"\nfairness: {fair['asked']} facts asked for courteously, not obtained: {fair['missing'] or 'none'}")


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
