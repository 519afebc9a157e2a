"""A finished run judged by models: the scores by rule as they are now, and beside them what the judges say.

Judged scores are one more version of a run's scores (scorers, judges, rubrics and prompts together), so the same call again
finishes what is missing and pays nothing twice. Must not import sim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from consult.batch.plan import Plan
from consult.batch.rescore import Content, Gone, consult_version
from consult.clean import one_line
from consult.errors import ConsultError
from consult.events import Event, Judgement, Scored
from consult.judge.marks import PREFIX, Sitting, judged, table
from consult.judge.panel import Panel
from consult.judge.rubric import Scoring
from consult.judge.tally import bootstrap_error, clipped_mean
from consult.llm.client import Client
from consult.score import Case, assess
from consult.score.understanding import audited
from consult.settings import source_commit
from consult.stats.agreement import agreement
from consult.store.db import Store
from consult.store.packed import unpacked
from consult.store.rows import Judged, Missing, dialogue, rejudged
from consult.store.transcript import Transcript, loads
from consult.store.versions import ScoredBy, judged_by

PAGE: Final = 48
"""Consultations judged and kept at a time: what a kill loses of what a ledger does not hold."""


def scored_by(panel: Panel) -> ScoredBy:
    """The version of such scores: the code, and the panel."""
    return judged_by(panel.spec, panel.hashes, consult_version(), source_commit())


def judge_run(
    store: Store,
    run: str,
    panel: Panel,
    client: Client,
    *,
    folders: tuple[Path, ...] = (),
    begin: Callable[[], bool] = lambda: True,
) -> Iterator[Counter[str]]:
    """Judge what this panel has not judged yet, page by page; gives, for each, why how many are missing ("": judged).

    A consultation at which a server failed is not kept, so that the same call tries it again. `begin` is asked before each;
    once it says no, what was begun is finished and kept, and nothing follows. Raises CallError where no
    further call can succeed (a key, an address), UsageError if there is no such run, StoreError.
    """
    plan = next((Plan.model_validate(r["plan"]) for r in store.runs() if r["name"] == run), Plan())
    content, by, last = Content(plan, folders), scored_by(panel), 0
    at_once = max(j.endpoint.concurrency for j in panel.judges)
    with ThreadPoolExecutor(at_once, thread_name_prefix="consult-judge") as pool:
        while page := store.unjudged(run, by.scorers, after=last, limit=PAGE):
            answers = pool.map(lambda row: _judged(row[1], content, panel, client, by) if begin() else None, page)
            results = [(n, r) for (n, _), r in zip(page, answers, strict=True) if r is not None]
            store.judge((n, r) for n, r in results if not isinstance(r, str))
            yield Counter(r if isinstance(r, str) else r.reason if isinstance(r, Missing) else "" for _, r in results)
            if len(results) < len(page):
                return
            last = page[-1][0]


def _judged(blob: bytes, content: Content, panel: Panel, client: Client, by: ScoredBy) -> Judged | Missing | str:
    """The row of one consultation; or, where a server failed, why there is none."""
    try:
        transcript = loads(unpacked(blob, "transcript"), file="transcript")
        played, happened = content.of(transcript.header), dialogue(transcript)
        *earlier, (persona, case) = content.tellers(played, happened)
    except (Gone, ConsultError) as e:
        return Missing(by, one_line(str(e)))
    _, _, hospital, knowledge = played
    seen = Case(case, knowledge, hospital, happened)
    marks = assess(seen)
    found = judged(_sitting(seen, transcript), panel, client.calls(transcript.id))
    if found.trouble.fatal is not None:
        raise found.trouble.fatal
    if found.trouble.failed:
        return found.trouble.failed
    marks += found.events
    marks += audited(happened, case, knowledge, persona, transcript.header.provenance.resolver, earlier)
    return rejudged(transcript, marks, by)


def _sitting(case: Case, transcript: Transcript) -> Sitting:
    return Sitting(case, transcript.header.agents, transcript.header.provenance.models)


@dataclass(slots=True)
class _Gathered:
    """What a run's judgements say of one rubric."""

    rows: list[list[float | None]]
    scores: list[float | None]


def summed_up(store: Store, run: str, panel: Panel) -> dict[str, Any]:
    """What the panel made of a run, by rubric: how many, the mean, and how far the judges agree; and who judged itself.

    HealthBench's aggregate (the mean clipped to [0, 1], its error by 1,000 draws) stands beside rubrics scored by points.
    """
    version = next((v["version"] for v in store.scorings(run) if v["scorers"] == scored_by(panel).scorers), None)
    found = {r.name: _Gathered([], []) for r in panel.rubrics}
    points = {r.name for r in panel.rubrics if r.scoring is Scoring.POINTS}
    itself: Counter[str] = Counter()
    if version is not None:
        for row in store.consultations(run, version=version):
            events = store.scored(row["consultation_id"], version).events
            _gather(events, found)
            itself.update({f"{j.judge} played {', '.join(j.same_as)}" for j in _judgements(events) if j.same_as})
    rubrics = {name: _told(g, clipped=name in points, votes=len(panel.judges)) for name, g in found.items()}
    return {"version": version, "rubrics": rubrics, "same_model": dict(itself.most_common())}


def _judgements(events: tuple[Event, ...]) -> list[Judgement]:
    return [e for e in events if isinstance(e, Judgement)]


def _gather(events: tuple[Event, ...], found: dict[str, _Gathered]) -> None:
    scores = {e.name: e.value for e in events if isinstance(e, Scored)}
    for name, gathered in found.items():
        gathered.rows += table([j for j in _judgements(events) if j.rubric == name])
        if PREFIX + name in scores:
            gathered.scores.append(scores[PREFIX + name])


def _told(gathered: _Gathered, *, clipped: bool, votes: int) -> dict[str, Any]:
    there = [s for s in gathered.scores if s is not None]
    out: dict[str, Any] = {
        "consultations": len(gathered.scores),
        "missing": len(gathered.scores) - len(there),
        "mean": round(sum(there) / len(there), 6) if there else None,
    }
    if clipped and there:
        out |= {"clipped": round(clipped_mean(there), 6), "clipped_error": round(bootstrap_error(there), 6)}
    if votes > 1:
        rows = [row + [None] * (votes - len(row)) for row in gathered.rows]
        known = asdict(agreement(rows))
        out["agreement"] = {k: round(v, 6) if isinstance(v, float) else v for k, v in known.items()}
    return out
