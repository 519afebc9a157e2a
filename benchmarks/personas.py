"""Temperament, measured: can it be told from the words, does it order as described, does half a grade give half of it.

    python benchmarks/personas.py [--seed 0] [--epochs 3] [--jobs 2] [--json]

Plays every built-in scenario with every temperament and the `reference` inquirer, as often as there are epochs (a seed
each; means are over them), and prints

- how well a classifier names the temperament (of five; chance 0.20) in scenarios that it has not seen: multinomial naive
  Bayes over lower-case words, add-one smoothing, trained on the patient's turns in one half of the scenarios, one
  decision a consultation; 20 random halvings, with a 95 % bootstrap interval over scenarios. What it rests on is shown
  by five views: all words; without asides (only the answers: yes, no, lead-ins and facts); the facts' own words (every
  phrase of every word bank cut out); unseen phrases (trained on one half of each bank's phrases and tested on the
  other, so that no phrase can be recognised); and no words at all (a Gaussian classifier over the four measures below);
- facts told, words and questions back per answer, and emotional words per 100 words, and whether these order the
  temperaments as 3MDBench (arXiv 2504.13861) describes them. Its facets, in our reading of what each leads one to
  expect (the orders and the list of emotional words are ours):
    facts: the sanguine offers more than is asked and the melancholic is exact, so both above neutral; the choleric cuts
      detail, so below neutral; the phlegmatic tells only what is asked, so least;
    words: sanguine and melancholic above neutral and above choleric; the phlegmatic least of all;
    questions back: sanguine (curious), melancholic (details, reassurance) and choleric (outcome) above neutral and
      above the phlegmatic, who rarely asks;
    emotional words: the melancholic above sanguine and choleric, these above neutral and above the phlegmatic.
  Differences are paired by scenario, with 95 % bootstrap intervals over scenarios;
- for each temperament and measure, the distance to neutral at grade 0.5 as a share of that at grade 1, with an interval
  (where the full distance itself is clear of zero; 0.35 to 0.65 is "about half"), and the same along all measures in
  standard deviations, for every grade;
- fairness: a courteous inquirer asks for every finding, and again (four times at most) for what was held back, did not
  come to mind, or was not understood. How much is told at the first time of asking, how much in the end, and every fact
  that is never obtained. Beside it, what is told at the first time of asking if the clinical words are used, by literacy.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from shared import PERSONAS, TEMPERAMENTS, Interval, interval, picks, scenarios

from consult import Setup, load_hospital, load_knowledge, load_persona, play
from consult.agents.base import PatientView, World
from consult.agents.patient.reference import ReferencePatient
from consult.agents.patient.speaker import spoken_by
from consult.errors import UsageError
from consult.events import Question, Told, Utterance
from consult.language.realiser import OWN_TOPICS, spoken
from consult.language.voice import about_patient
from consult.persona import Wording
from consult.scenario import Release, Scenario, Speaker
from consult.seeds import digest, rng
from consult.terms import Sex

ANSWERING = ("yes", "no", "dont_know", "forgot", "not_noticed", "lead_in")
"""The word banks that are no aside: they carry or introduce the answer."""
SPLITS = 20
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
    r"\b(?:afraid|ang(?:er|ry)|annoy\w*|anxious\w*|asham\w*|awful|cheer\w*|delight\w*|despair\w*|detest\w*|disappoint\w*"
    r"|dread\w*|enjoy\w*|excit\w*|fear\w*|fed up|fright\w*|frustrat\w*|fun|furious|glad|grateful|grief|happy|hate\w*"
    r"|helpless|hope\w*|hoping|horr\w*|infuriat\w*|jolly|joy\w*|laugh\w*|lonely|love\w*|mad|miser\w*|nervous\w*|outrag\w*"
    r"|panic\w*|proud|relie(?:f|ved)|resent\w*|sad\w*|scare\w*|scary|seeth\w*|smil\w*|sorry|terribl\w*|terrifi\w*|thrill\w*"
    r"|torment\w*|unhappy|uneasy|upset\w*|wonderful|worst)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Played:
    """What is kept of a consultation."""

    scenario: str
    persona: str
    seed: int
    text: str
    """The patient's turns."""
    features: tuple[float, ...]


@lru_cache(maxsize=8)
def phrases(kind: str = "") -> re.Pattern[str]:
    """The phrases of all word banks as they may be said; `kind`: only those of "asides", or one half ("0", "1")."""
    said = set()
    for name in PERSONAS:
        persona = load_persona(name)
        for bank in Wording.model_fields:
            if kind == "asides" and bank in ANSWERING:
                continue
            for phrase in (*persona.bank(bank), *persona.bank(bank, grave=True)):
                if kind not in ("0", "1") or int(digest(phrase)[:8], 16) % 2 == int(kind):
                    said |= {spoken(phrase, of) for of in (None, *Sex)}
    return re.compile("|".join(map(re.escape, sorted(said, key=len, reverse=True))))


def run(job: tuple[str, str, int]) -> Played:
    """One consultation."""
    name, persona, seed = job
    setup = Setup(scenarios()[name], load_persona(persona), load_hospital(), load_knowledge(), seed=seed)
    events = play(setup).events
    said = [e for e in events if isinstance(e, Utterance)]
    answers = [e for e in said if e.query is not None and not e.query.asks_nothing]
    text = " ".join(e.text for e in said)
    n, words = max(1, len(answers)), len(text.split())
    facts = {t.finding for e in said for t in e.told if t.state in ("present", "absent")}
    opened = {t.finding for t in said[0].told}
    assert len(answers) <= sum(isinstance(e, Question) for e in events)
    return Played(
        name, persona, seed, text,
        (
            len(facts - opened) / n,
            sum(len(e.text.split()) for e in answers) / n,
            sum(e.text.count("?") for e in answers) / n,
            100 * len(EMOTIONAL.findall(text)) / max(1, words),
        ),
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


def gauss(train: Sequence[tuple[tuple[float, ...], str]], test: Sequence[tuple[float, ...]]) -> list[str]:
    """The likeliest label of each row of numbers: Gaussian naive Bayes."""
    labels = sorted({label for _, label in train})
    score = []
    for label in labels:
        rows = np.array([x for x, of in train if of == label])
        mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
        score.append(-(((np.array(test) - mean) / spread) ** 2 / 2 + np.log(spread)).sum(axis=1))
    return [labels[i] for i in np.argmax(score, axis=0)]


def accuracy(played: Sequence[Played]) -> dict[str, Interval]:
    """Share named rightly in scenarios not trained on, by view, with a bootstrap interval over scenarios."""
    views: dict[str, tuple[Callable[[Played], Any], Callable[[Played], Any], Any]] = {}
    for name, train, test in (("all words", "", ""), ("without asides", "asides", "asides"), ("facts' words", "all", "all"),
                              ("unseen phrases", "0", "1")):  # fmt: skip
        views[name] = (_seen(played, train), _seen(played, test), bayes)
    views["no words"] = (lambda p: p.features, lambda p: p.features, gauss)
    names = sorted({p.scenario for p in played})
    right: dict[str, dict[str, list[bool]]] = {view: {n: [] for n in names} for view in views}
    for split in range(SPLITS):
        known = set(rng("split", split).sample(names, len(names) // 2))
        unseen = [p for p in played if p.scenario not in known]
        for view, (train_on, test_on, guess) in views.items():
            guessed = guess(
                [(train_on(p), p.persona) for p in played if p.scenario in known], [test_on(p) for p in unseen]
            )
            for p, g in zip(unseen, guessed, strict=True):
                right[view][p.scenario].append(g == p.persona)
    return {view: interval(np.array([np.mean(x) for x in by.values() if x])) for view, by in right.items()}


def _seen(played: Sequence[Played], without: str) -> Callable[[Played], Counter[str]]:
    """The words of a consultation without the phrases of a kind ("all": without any)."""
    if not without:
        words = {(p.scenario, p.persona, p.seed): words_of(p.text) for p in played}
    else:
        pattern = phrases("" if without == "all" else without)
        words = {(p.scenario, p.persona, p.seed): words_of(pattern.sub(" ", p.text)) for p in played}
    return lambda p: words[p.scenario, p.persona, p.seed]


# --- features ------------------------------------------------------------------------------------------------------


def table(played: Sequence[Played], personas: Sequence[str]) -> np.ndarray[Any, Any]:
    """Features by scenario, persona and feature, as means over the seeds."""
    rows: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for p in played:
        rows.setdefault((p.scenario, p.persona), []).append(p.features)
    names = sorted({p.scenario for p in played})
    return np.array([[np.mean(rows[n, who], axis=0) for who in personas] for n in names])


def describe(t: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Means per temperament and feature, and the orders."""
    means = {f: {p: interval(t[:, j, i]) for j, p in enumerate(PERSONAS)} for i, f in enumerate(FEATURES)}
    orders = [
        {
            "feature": f,
            "more": a,
            "less": b,
            "difference": interval(t[:, PERSONAS.index(a), i] - t[:, PERSONAS.index(b), i]),
        }
        for i, f in enumerate(FEATURES)
        for a, b in ORDERS[f]
    ]
    for o in orders:
        o["holds"], o["clear"] = o["difference"][0] > 0, o["difference"][1] > 0
    return {"means": means, "orders": orders}


def doses(played: Sequence[Played]) -> dict[str, Any]:
    """Distance from neutral by grade, and what half a grade is of a whole one, by measure."""
    full = table(played, PERSONAS)
    spread = full.reshape(-1, len(FEATURES)).std(axis=0)
    out = {}
    for name in TEMPERAMENTS:
        t = table(played, [spec(name, g) for g in GRADES]) - full[:, :1]
        apart = t.mean(axis=0) / spread
        along = apart @ apart[-1] / np.linalg.norm(apart[-1])
        axis = apart[-1] / np.linalg.norm(apart[-1])
        out[name] = {
            "along": dict(zip(map(str, GRADES), map(float, along), strict=True)),
            "half": {f: share(t[:, 2, i], t[:, 4, i]) for i, f in enumerate(FEATURES)},
            "half_along": share((t[:, 2] / spread) @ axis, (t[:, 4] / spread) @ axis),
        }
    return out


def share(half: np.ndarray[Any, Any], whole: np.ndarray[Any, Any]) -> Interval | None:
    """The mean of `half` as a share of that of `whole`, with its interval; None if `whole` is not clear of zero."""
    _, low, high = interval(whole)
    if low <= 0 <= high:
        return None
    drawn = picks(len(half))
    ratios = half[drawn].mean(axis=1) / whole[drawn].mean(axis=1)
    return float(half.mean() / whole.mean()), *map(float, np.quantile(ratios, (0.025, 0.975)))


def spec(name: str, grade: float) -> str:
    """The spec of a graded temperament."""
    return name if grade == 1 else f"{name}@{grade:g}"


# --- fairness ------------------------------------------------------------------------------------------------------


def obtained(job: tuple[str, str, bool]) -> dict[str, Any] | None:
    """What a courteous inquirer obtains: facts wanted, told at first, and not told in the end; None if nobody can speak so.

    With the third of the job true, it asks in clinical words, and once only.
    """
    name, who, latin = job
    persona, k = load_persona(who), load_knowledge()
    try:
        scenario = spoken_by(scenarios()[name], persona.speaker, k)
    except UsageError:
        return None
    wanted = [f for f in scenario.facts if f.release not in (Release.UNKNOWN, Release.ORDER_ONLY)]
    view = PatientView(
        World(k, load_hospital()), scenario, persona, persona.temper.start, {}, (), "", 0, int(digest(name)[:8], 16)
    )
    reply = ReferencePatient().open(view)
    told, turn, at_first = _told(reply.events), 0, 0
    for again in range(2 if latin else 5):
        left = [f for f in wanted if not _has(told, f.finding)]
        at_first = len(wanted) - len(left) if again <= 1 else at_first
        left.sort(key=lambda f: f.release is Release.SENSITIVE)
        for fact in left if not latin or not again else ():
            turn += 1
            view = replace(
                view, mood=reply.mood, memory=reply.memory, told=tuple(told), turn=turn,
                question=_question(fact.finding, scenario, turn, latin=latin),
            )  # fmt: skip
            reply = ReferencePatient().reply(view)
            told += _told(reply.events)
            if reply.leaves:
                break
        if reply.leaves:
            break
    known = {f.finding for f in scenarios()[name].facts if f.release not in (Release.UNKNOWN, Release.ORDER_ONLY)}
    return {
        "wanted": len(wanted), "at_first": at_first, "beyond": len(known) - len(wanted),
        "missing": [f.finding for f in wanted if not _has(told, f.finding)] + [f"left after {turn}"] * reply.leaves,
    }  # fmt: skip


def _question(f_id: str, scenario: Scenario, turn: int, *, latin: bool) -> str:
    finding = load_knowledge().finding[f_id]
    text = f"Do you have any {finding.clinical}?" if latin and finding.clinical else finding.questions[0]
    if scenario.patient.speaker is not Speaker.SELF and finding.topic not in OWN_TOPICS:
        text = about_patient(text, scenario.patient.sex)
    return f"{rng(scenario.id, turn).choice(KIND)} {text}"


def _told(events: Iterable[Any]) -> list[Told]:
    return list(next(e for e in events if isinstance(e, Utterance)).told)


FAIR_TO = (
    *PERSONAS, *(f"{t}@0.5" for t in TEMPERAMENTS), "neutral+literacy=low", "neutral+recall=0.5", "neutral+register=formal",
    "neutral+register=colloquial", "melancholic+literacy=low+recall=0.5", "choleric+recall=0.3+register=colloquial",
    "phlegmatic+literacy=low+recall=0", "neutral+speaker=carer", "choleric+speaker=carer", "neutral+speaker=self",
)  # fmt: skip


LATIN_TO = tuple(f"neutral+literacy={level}" for level in ("low", "medium", "high"))


def fairness(found: dict[tuple[str, str, bool], dict[str, Any] | None]) -> dict[str, Any]:
    """By persona: facts wanted, the share told at first, and those never told."""
    out = {}
    for who, latin in (*((w, False) for w in FAIR_TO), *((w, True) for w in LATIN_TO)):
        cells = {n: x for (n, *cell), x in found.items() if cell == [who, latin] and x is not None}
        wanted = sum(x["wanted"] for x in cells.values())
        out[who + " in clinical words" * latin] = {
            "scenarios": len(cells), "wanted": wanted, "at_first": sum(x["at_first"] for x in cells.values()) / wanted,
            "beyond": sum(x["beyond"] for x in cells.values()),
            "missing": None if latin else {n: x["missing"] for n, x in cells.items() if x["missing"]},
        }  # fmt: skip
    return out


KIND = (
    "I understand how hard this is for you. I'm asking because it helps me to find the cause.",
    "I can hear that this worries you. The answer helps me to decide what we do next.",
    "That must be hard. Take your time; I ask this to make sure that I miss nothing.",
)


def _has(told: Iterable[Told], finding: str) -> bool:
    return any(t.finding == finding and t.state in ("present", "absent") for t in told)


# --- all of it -----------------------------------------------------------------------------------------------------


def measure(seed: int, epochs: int, jobs: int) -> dict[str, Any]:
    """Everything, as plain data."""
    names = sorted(scenarios())
    specs = [PERSONAS[0], *(spec(t, g) for t in TEMPERAMENTS for g in GRADES)]
    cells = [(n, p, seed + e) for e in range(epochs) for n in names for p in specs]
    asked = [(n, p, False) for n in names for p in FAIR_TO] + [(n, p, True) for n in names for p in LATIN_TO]
    with ProcessPoolExecutor(jobs) as pool:
        played = list(pool.map(run, cells, chunksize=16))
        fair = dict(zip(asked, pool.map(obtained, asked, chunksize=4), strict=True))
    full = [p for p in played if p.persona in PERSONAS]
    return {
        "scenarios": len(names),
        "consultations": len(played),
        "seed": seed,
        "epochs": epochs,
        "accuracy": accuracy(full),
        **describe(table(full, PERSONAS)),
        "grades": doses(played),
        "fairness": fairness(fair),
    }


def show(m: dict[str, Any]) -> None:
    """Print it for people."""
    print(f"{m['scenarios']} scenarios, {m['consultations']} consultations, seed {m['seed']}, {m['epochs']} epochs")
    print("\ntemperament named rightly on scenarios not seen (chance 0.20)")
    for name, (mean, low, high) in m["accuracy"].items():
        print(f"  {name:14s} {mean:.3f}  ({low:.3f} to {high:.3f})")
    for feature, by in m["means"].items():
        print(f"\n{feature}")
        for persona, (mean, low, high) in by.items():
            print(f"  {persona:12s} {mean:6.2f}  ({low:.2f} to {high:.2f})")
    print("\norders")
    for o in m["orders"]:
        mean, low, high = o["difference"]
        word = "clear" if o["clear"] else "holds" if o["holds"] else "FAILS"
        print(f"  {word:5s}  {o['feature']}: {o['more']} > {o['less']}  {mean:+.2f} ({low:+.2f} to {high:+.2f})")
    print("\ngrade 0.5 as a share of grade 1, distance to neutral")
    for name, g in m["grades"].items():
        for feature, x in (*g["half"].items(), ("all together", g["half_along"])):
            said = f"{x[0]:.2f} ({x[1]:.2f} to {x[2]:.2f})" if x else "no clear distance at grade 1"
            print(f"  {name:12s} {feature:26s} {said}")
        print(f"  {name:12s} by grade, in sd: " + "  ".join(f"{k} {v:.2f}" for k, v in g["along"].items()))
    print("\nfairness: facts obtained by a courteous inquirer")
    for who, x in m["fairness"].items():
        print(
            f"  {who:40s} {x['scenarios']} scenarios, {x['wanted']} facts, told at first {x['at_first']:.3f}, "
            f"known to the patient only {x['beyond']}, never told: {'not tried' if x['missing'] is None else x['missing'] or 'none'}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    start = time.perf_counter()
    measured = measure(a.seed, a.epochs, a.jobs)
    if a.json:
        print(json.dumps(measured, indent=2))
    else:
        show(measured)
        print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
