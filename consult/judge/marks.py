"""A consultation judged: who is asked what, the votes put together, and the events that come of it.

Owns the scores `judge.*`. A vote that failed is missing; where all failed, so is the score, with the reason. Reads events
and the case, never other scores, the persona or an agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from consult.clean import one_line
from consult.events import Event, Judgement, Ruling, Scored, Stopped
from consult.judge.asking import Answer, Asks, Task, Trouble, ask
from consult.judge.panel import Judge, Panel
from consult.judge.rubric import Item, Rubric, Scoring
from consult.judge.tally import by_axis, process_reward, score, vetoed
from consult.judge.view import View, view_of
from consult.score.base import Case
from consult.stats.agreement import raw

PREFIX: Final = "judge."
_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Sitting:
    """What is judged: the case, and who played which role (specs, and the models' ids as returned)."""

    case: Case
    agents: Mapping[str, str]
    models: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marks:
    """What the judges said, as events (`seq` and `turn` are the caller's)."""

    events: tuple[Event, ...]
    trouble: Trouble


def judged(sitting: Sitting, panel: Panel, calls: Asks) -> Marks:
    """All judgements and their scores, rubric by rubric. Raises UsageError and StoreError only."""
    trouble, out = Trouble(), list[Event]()
    view = view_of(sitting.case.events)
    for rubric in panel.rubrics:
        if not rubric.serves(sitting.case.scenario.id):
            continue
        said: list[Judgement] = []
        if not sitting.case.void:
            tasks = list(_tasks(rubric, view, sitting.case))
            said = [j for judge in panel.judges for j in _votes(judge, rubric, tasks, sitting, panel, calls, trouble)]
        out += said
        out += scores(sitting.case, rubric, said, votes=len(panel.judges))
    return Marks(tuple(out), trouble)


def _tasks(rubric: Rubric, view: View, case: Case) -> Iterator[Task]:
    """What is asked at once: points item by item (HealthBench), the rest together, apart where the answer is needed."""
    turn = max((e.turn for e in case.events), default=0)
    if rubric.scoring is Scoring.PROCESS:
        turns = {e.seq: e.turn for e in case.events}
        for line in view.doctor:
            yield Task(rubric, rubric.items, view.upto(line.seq), line.seq, turns[line.seq])
        return
    if rubric.scoring is Scoring.POINTS:
        groups: list[tuple[Item, ...]] = [(i,) for i in rubric.items]
    else:
        blind, told = (tuple(i for i in rubric.items if i.answer is needs) for needs in (False, True))
        groups = [g for g in (blind, told) if g]
    for group in groups:
        yield Task(rubric, group, view, turn=turn, answer=_answer(case) if group[0].answer else None)


def _answer(case: Case) -> Answer:
    gold, names = case.scenario.gold, case.knowledge.condition

    def name(condition: str) -> str:
        return names[condition].name if condition in names else condition

    others = tuple(name(a) for a in gold.alternatives)
    return Answer(name(gold.condition), others, gold.urgency.value.replace("_", " "), tuple(gold.plan))


def _votes(
    judge: Judge, rubric: Rubric, tasks: Sequence[Task], sitting: Sitting, panel: Panel, calls: Asks, trouble: Trouble
) -> Iterator[Judgement]:
    """What one judge said: one judgement for each thing that is judged."""
    heard = [(task.subject, ask(task, judge, calls, panel.prompts, trouble)) for task in tasks]
    for subject in dict.fromkeys(s for s, _ in heard):
        parts = [h for s, h in heard if s == subject]
        rulings = {item: ruling for part in parts for item, ruling in part.rulings.items()}
        model = next((p.model for p in parts if p.model), "")
        yield Judgement(
            rubric=rubric.name,
            judge=judge.spec,
            vote=judge.vote,
            model=model,
            content=rubric.content_hash(),
            prompts=panel.prompts.fingerprint,
            same_as=judge.same_as(sitting.agents, model, sitting.models),
            subject=subject,
            rulings=tuple(rulings[i.id] for i in rubric.items),
        )


@dataclass(frozen=True, slots=True)
class _Agreed:
    """The votes on one item put together."""

    value: float | None
    evidence: tuple[int, ...]
    reason: str


def agreed(rulings: Sequence[Ruling]) -> _Agreed:
    """The median of the votes that there are; of an even number the mean of the middle two (ours)."""
    there = [(r.value, r) for r in rulings if r.value is not None]
    lost = [r.reason for r in rulings if r.value is None]
    if not there:
        return _Agreed(None, (), lost[0] if lost else "nobody judged it")
    value = float(median(v for v, _ in there))
    nearest = min(there, key=lambda pair: abs(pair[0] - value))[1]
    said = [f"votes {', '.join(f'{v:g}' for v, _ in there)}"] if len({v for v, _ in there}) > 1 else []
    said += [f"{len(lost)} of {len(rulings)} votes missing ({lost[0]})"] if lost else []
    said += [nearest.reason] if nearest.reason else []
    seqs = tuple(q.event for _, r in there for q in r.quotes)
    return _Agreed(value, seqs, one_line("; ".join(said), limit=_REASON))


def unjudged(case: Case, panel: Panel, reason: str) -> Iterator[Scored]:
    """All the panel's scores of a case, missing."""
    for rubric in panel.rubrics:
        if rubric.serves(case.scenario.id):
            for score in scores(case, rubric, (), votes=len(panel.judges)):
                yield score.model_copy(update={"value": None, "reason": case.void or one_line(reason, limit=_REASON)})


def remarks(events: Iterable[Event]) -> list[str]:
    """What whoever runs a consultation should hear of its judges: that one judged itself, or that they failed."""
    happened = list(events)
    said = [e for e in happened if isinstance(e, Judgement)]
    out = {f"the same model: {j.judge} played {', '.join(j.same_as)}, so it judged itself" for j in said if j.same_as}
    clinical = all(e.reason.clinical for e in happened if isinstance(e, Stopped))
    lost = [e.reason for e in happened if isinstance(e, Scored) and e.name.startswith(PREFIX) and e.value is None]
    if lost and not said and clinical:
        mend = "`consult score RUN` with the same --assessor and --rubric asks again"
        out.add(f"the judges failed, so their scores are missing: {lost[0]} (mend: {mend})")
    return sorted(out)


def scores(case: Case, rubric: Rubric, said: Sequence[Judgement], *, votes: int) -> Iterator[Scored]:
    """The scores of a rubric from its judgements."""
    name = PREFIX + rubric.name
    if rubric.scoring is Scoring.PROCESS:
        yield _process(case, name, said)
    else:
        items = {i.id: agreed([r for j in said for r in j.rulings if r.item == i.id]) for i in rubric.items}
        yield from _whole(case, rubric, items)
    if votes > 1:
        share = raw(table(said))
        reason = "" if share is not None else "fewer than two judges have judged anything"
        yield case.score(f"{name}.agreement", share, "share of pairs", reason=reason)


def _whole(case: Case, rubric: Rubric, items: Mapping[str, _Agreed]) -> Iterator[Scored]:
    name, values = PREFIX + rubric.name, {i: a.value for i, a in items.items()}
    if rubric.scoring is Scoring.LEVELS:
        for item in rubric.items:
            a, high = items[item.id], rubric.range(item)[1]
            unit = "0/1" if high == 1 else f"0..{high}"
            yield case.score(f"{name}.{item.id}", a.value, unit, a.evidence, a.reason)
    lost = [f"{i}: {a.reason}" for i, a in items.items() if a.value is None]
    why = one_line("; ".join(lost), limit=_REASON) if lost else ""
    evidence = [seq for a in items.values() for seq in a.evidence]
    value = score(rubric, values)
    yield case.score(name, value, "share", evidence, why or _remark(rubric, values, value))
    for axis, part in by_axis(rubric, values).items() if rubric.scoring is Scoring.POINTS else ():
        reason = "" if part is not None else why or "nothing positive on this axis"
        yield case.score(f"{name}:{axis}", part, "share", reason=reason)


def _remark(rubric: Rubric, values: Mapping[str, float | None], value: float | None) -> str:
    if value is None:
        return "there are no positive points to be had"
    levels = [values[i.id] or 0.0 for i in rubric.items]
    return "something critical to safety was left out" if vetoed(rubric, levels) else ""


def rewards(said: Sequence[Judgement]) -> dict[int, tuple[float | None, str]]:
    """The process reward of each thing the doctor said, by seq; None with the reason where it is missing."""
    out: dict[int, tuple[float | None, str]] = {}
    for seq in dict.fromkeys(j.subject for j in said if j.subject is not None):
        rulings = [r for j in said if j.subject == seq for r in j.rulings]
        items = {i: agreed([r for r in rulings if r.item == i]) for i in dict.fromkeys(r.item for r in rulings)}
        values = {i: a.value for i, a in items.items() if a.value is not None}
        lost = next((f"{i}: {a.reason}" for i, a in items.items() if a.value is None), "")
        out[seq] = (None, lost) if lost else (process_reward(values), "")
    return out


def _process(case: Case, name: str, said: Sequence[Judgement]) -> Scored:
    """The mean reward over what could be judged; the reason has the reward of each, and what is missing."""
    each = rewards(said)
    there = {seq: r for seq, (r, _) in each.items() if r is not None}
    lost = [f"event {seq} missing ({why})" for seq, (r, why) in each.items() if r is None]
    reason = one_line("; ".join([*lost, *(f"event {s}: {r:.2f}" for s, r in there.items())]), limit=2 * _REASON)
    if not there:
        return case.score(name, None, "reward", reason=reason or "the doctor said nothing")
    return case.score(name, sum(there.values()) / len(there), "reward", there, reason)


def table(said: Sequence[Judgement]) -> list[list[float | None]]:
    """One row for each item and thing that was judged, one rating for each vote."""
    votes = sorted({j.vote for j in said})
    at = {(j.subject, r.item, j.vote): r.value for j in said for r in j.rulings}
    rows = dict.fromkeys((subject, item) for subject, item, _ in at)
    return [[at.get((subject, item, vote)) for vote in votes] for subject, item in rows]
