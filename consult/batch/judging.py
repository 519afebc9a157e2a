"""A finished run scored with models: the scores by rule as they are now, beside them what judges say, and diagnoses matched.

Such scores are one more version of a run's scores (scorers, judges, rubrics, matcher and prompts together), so the same
call again finishes what is missing and pays nothing twice. Must not import sim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from consult.batch.plan import Plan
from consult.batch.rescore import Content, Gone, consult_version
from consult.clean import one_line
from consult.errors import ConsultError
from consult.events import Event, Judgement, Scored
from consult.judge.asking import Trouble
from consult.judge.marks import PREFIX, Sitting, judged, table
from consult.judge.matching import Matcher
from consult.judge.matching import asked as meant
from consult.judge.panel import Panel
from consult.judge.rubric import Scoring
from consult.judge.tally import bootstrap_error, clipped_mean
from consult.llm.client import Client
from consult.llm.endpoint import Endpoint
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


class Asked(NamedTuple):
    """The models that score: judges, somebody who matches names, or both."""

    panel: Panel | None = None
    matcher: Matcher | None = None

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where they are reached."""
        judges = [judge.endpoint for judge in self.panel.judges] if self.panel is not None else []
        return judges + ([self.matcher.endpoint] if self.matcher is not None else [])

    @property
    def scored_by(self) -> ScoredBy:
        """The version of such scores: the code, and whom it asks."""
        spec, hashes = (self.panel.spec, self.panel.hashes) if self.panel is not None else ("", {})
        matcher, more = (self.matcher.spec, self.matcher.hashes) if self.matcher is not None else ("", {})
        return judged_by(spec, hashes | more, consult_version(), source_commit(), matcher=matcher)


def judge_run(
    store: Store,
    run: str,
    asked: Asked,
    client: Client,
    *,
    folders: tuple[Path, ...] = (),
    begin: Callable[[], bool] = lambda: True,
) -> Iterator[Counter[str]]:
    """Score what these models have not scored yet, page by page; gives, for each, why how many are missing ("": scored).

    A consultation at which a server failed is not kept, so that the same call tries it again. `begin` is asked before each;
    once it says no, what was begun is finished and kept, and nothing follows. Raises CallError where no
    further call can succeed (a key, an address), UsageError if there is no such run, StoreError.
    """
    plan = next((Plan.model_validate(r["plan"]) for r in store.runs() if r["name"] == run), Plan())
    content, by, last = Content(plan, folders), asked.scored_by, 0
    at_once = max(endpoint.concurrency for endpoint in asked.endpoints)
    with ThreadPoolExecutor(at_once, thread_name_prefix="consult-judge") as pool:
        while page := store.unjudged(run, by.scorers, after=last, limit=PAGE):
            answers = pool.map(lambda row: _judged(row[1], content, asked, client, by) if begin() else None, page)
            results = [(n, r) for (n, _), r in zip(page, answers, strict=True) if r is not None]
            store.judge((n, r) for n, r in results if not isinstance(r, str))
            yield Counter(r if isinstance(r, str) else r.reason if isinstance(r, Missing) else "" for _, r in results)
            if len(results) < len(page):
                return
            last = page[-1][0]


def _judged(blob: bytes, content: Content, asked: Asked, client: Client, by: ScoredBy) -> Judged | Missing | str:
    """The row of one consultation; or, where a server failed, why there is none."""
    try:
        transcript = loads(unpacked(blob, "transcript"), file="transcript")
        played, happened = content.of(transcript.header), dialogue(transcript)
        *earlier, (persona, case) = content.tellers(played, happened)
    except (Gone, ConsultError) as e:
        return Missing(by, one_line(str(e)))
    _, _, hospital, knowledge = played
    seen, trouble = Case(case, knowledge, hospital, happened), Trouble()
    # the key of the run, whose judges are not asked twice
    calls = client.calls(transcript.id, epoch=transcript.header.epoch)
    said: tuple[Event, ...] = ()
    if asked.matcher is not None:
        seen = replace(seen, meant=meant(seen, asked.matcher, calls, trouble))
    if asked.panel is not None and not (trouble.failed or trouble.fatal):
        found = judged(_sitting(seen, transcript), asked.panel, calls)
        said, trouble = found.events, found.trouble
    if trouble.fatal is not None:
        raise trouble.fatal
    if trouble.failed:
        return trouble.failed
    marks = [*assess(seen), *said]
    marks += audited(happened, case, knowledge, persona, transcript.header.provenance.resolver, earlier)
    return rejudged(transcript, marks, by)


def _sitting(case: Case, transcript: Transcript) -> Sitting:
    return Sitting(case, transcript.header.agents, transcript.header.provenance.models)


@dataclass(slots=True)
class _Gathered:
    """What a run's judgements say of one rubric."""

    rows: list[list[float | None]]
    scores: list[float | None]


def summed_up(store: Store, run: str, asked: Asked) -> dict[str, Any]:
    """What the judges made of a run, by rubric: how many, the mean, and how far they agree; who judged itself; names matched.

    HealthBench's aggregate (the mean clipped to [0, 1], its error by 1,000 draws) stands beside rubrics scored by points.
    """
    own = asked.scored_by.scorers
    version = next((v["version"] for v in store.scorings(run) if v["scorers"] == own), None)
    there = asked.panel.rubrics if asked.panel is not None else ()
    found = {r.name: _Gathered([], []) for r in there}
    points = {r.name for r in there if r.scoring is Scoring.POINTS}
    votes = len(asked.panel.judges) if asked.panel is not None else 0
    itself: Counter[str] = Counter()
    if version is not None:
        for row in store.consultations(run, version=version):
            events = store.scored(row["consultation_id"], version).events
            _gather(events, found)
            itself.update({f"{j.judge} played {', '.join(j.same_as)}" for j in _judgements(events) if j.same_as})
    rubrics = {name: _told(g, clipped=name in points, votes=votes) for name, g in found.items()}
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
