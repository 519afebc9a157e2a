"""The eight assessor items of 3MDBench (arXiv 2504.13861), by rules.

Owns the `mdbench.*` scores; see docs/scoring.md. The source asks a model to judge the items; every rule here is *ours*
and deterministic. Must not import agents, sim, store or llm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from consult.events import Concluded, Scored, StopReason, Utterance
from consult.knowledge.model import BACKGROUND, Finding
from consult.language.acts import SpeechAct
from consult.language.concepts import concepts
from consult.language.tokens import tokens
from consult.mood import is_explained
from consult.score.base import Case, finding_of
from consult.score.inquiry import repeats
from consult.score.speech import NO_END, asked, parting, spoken

STEP_FROM: Final = 0.3
"""Share of the content words of a step of the gold plan that one step of the inquirer's holds, for it to be met."""
PLAN_FROM: Final = 0.5
"""Share of the gold plan's steps to be met."""
EXCELLENT_FROM: Final = 0.75
SOUND_FROM: Final = 0.5
"""Shares of the seven other items from which the eighth is 2 and 1."""
_NOT_SYMPTOMS: Final = BACKGROUND - {"course"}
_CAUSES: Final = frozenset({"risk", "social", "family"})


class Item(NamedTuple):
    """The outcome of an item: 1 if nothing is missing, 0 if something is, None if it cannot be judged."""

    value: float | None
    evidence: tuple[int, ...]
    reason: str = ""


def scores(case: Case) -> Iterable[Scored]:
    """The `mdbench.*` scores, in the order of the source."""
    items = {name: rule(case) for name, rule in _ITEMS.items()}
    for name, item in items.items():
        yield case.score(f"mdbench.{name}", item.value, "0/1", item.evidence, item.reason)
    overall = _overall(items)
    yield case.score("mdbench.4.1", overall.value, "0..2", case.ending, overall.reason)


def _all_of(parts: Iterable[tuple[str, Iterable[int]]], *, done: str = "missing") -> Item:
    """1 if every part has evidence; the reason names those without."""
    found = [(name, tuple(seqs)) for name, seqs in parts]
    gone = [name for name, seqs in found if not seqs]
    evidence = tuple(seq for _, seqs in found for seq in seqs[:1])
    return Item(float(not gone), evidence, f"{done}: {', '.join(gone)}" if gone else "")


# --- what was asked ------------------------------------------------------------------------------------------------


def _is_operation(f: Finding) -> bool:
    return "operation" in concepts(tokens(f.plain))


def _is_medicine(f: Finding) -> bool:
    said = concepts(tokens(f.plain))
    return "allergy" not in said and (f.topic == "medicines" or "medicine" in said)


def _is_disease(f: Finding) -> bool:
    return f.topic == "past" and not _is_operation(f)


def _is_symptom(f: Finding) -> bool:
    return f.topic not in _NOT_SYMPTOMS


def _is_cause(f: Finding) -> bool:
    return f.topic in _CAUSES or f.id == "ice.idea"


def _raised(case: Case, belongs: Callable[[Finding], bool]) -> list[int]:
    """seqs of the answers in which such a finding was asked for or told."""
    return [u.seq for u in _answers(case) if any(belongs(f) for f in _findings(case, u))]


def _answers(case: Case) -> Iterable[Utterance]:
    return (u for u in case.utterances if u.query is not None and not u.query.asks_nothing)


def _findings(case: Case, u: Utterance) -> Iterable[Finding]:
    names = [finding_of(n) for n in u.query.findings] if u.query is not None else []
    names += [t.finding for t in u.told if t.state != "withheld"]
    return (case.knowledge.finding[n] for n in names if n in case.knowledge.finding)


def _topic(case: Case, name: str) -> list[int]:
    return [u.seq for u in _answers(case) if u.query is not None and name in u.query.topics]


def _history(case: Case) -> Item:
    """1.1: past diseases, medication and surgery were asked about."""
    groups = (
        ("past diseases", _is_disease, "past"),
        ("medication", _is_medicine, "medicines"),
        ("surgery", _is_operation, ""),
    )
    known = [g for g in groups if any(map(g[1], case.knowledge.findings))]
    if not known:
        return Item(None, (), "the knowledge has no past diseases, medication or surgery")
    return _all_of(((name, _raised(case, is_it) + _topic(case, t)) for name, is_it, t in known), done="not asked")


def _present(case: Case) -> Item:
    """1.2: current symptoms, possible causes and treatments tried were asked about."""
    said = asked(case)
    tried = [s.seq for s in said if s.does(SpeechAct.TREATMENTS)]
    open_ = [s.seq for s in said if s.query.open]
    return _all_of(
        (
            ("current symptoms", _raised(case, _is_symptom) + open_),
            ("possible causes", _raised(case, _is_cause)),
            ("treatments tried", _raised(case, _is_medicine) + tried),
        ),
        done="not asked",
    )


# --- how it was said -----------------------------------------------------------------------------------------------


def _basis(case: Case) -> Item:
    """1.3: the patient was told what the conclusion rests on."""
    last = parting(case)
    if last is None:
        return Item(0, case.ending, NO_END)
    told = is_explained(last.text) and last.does(SpeechAct.BASIS)
    return Item(float(told), (last.seq,), "" if told else "what the conclusion rests on was not said")


def _doing(case: Case, act: SpeechAct) -> list[int]:
    return [s.seq for s in spoken(case) if s.does(act)]


def _respect(case: Case) -> Item:
    """2.1: empathy, guidance, a proper end, and nothing drawn out by asking again."""
    last, again = parting(case), [q.seq for q in repeats(case)]
    proper = last is not None and is_explained(last.text)
    item = _all_of(
        (
            ("empathy", _doing(case, SpeechAct.EMPATHY)),
            ("guidance (a signpost or a summary)", _doing(case, SpeechAct.SIGNPOST) + _doing(case, SpeechAct.SUMMARY)),
            ("an explained end", case.ending if proper else ()),
        )
    )
    if not again:
        return item
    return Item(0, tuple(again), "; ".join(filter(None, (item.reason, f"asked again: {len(again)} times"))))


def _wishes(case: Case) -> Item:
    """2.2: the patient's worries or hopes were brought up, and a say in the plan was given."""
    if case.stop is not None and case.stop.reason is StopReason.PATIENT_LEFT:
        return Item(0, case.ending, "the patient left")
    raised = [case.raised[f] for f in ("ice.concern", "ice.expectation") if f in case.raised]
    return _all_of((("worries or hopes", raised), ("a say in the plan", _doing(case, SpeechAct.SHARED))))


# --- what was decided ----------------------------------------------------------------------------------------------


def _diagnosis(case: Case) -> Item:
    """3.1: the first diagnosis is right, matched as for `diagnosis.top1`."""
    if case.verdict.unsettled:
        return Item(None, case.ending, case.verdict.unsettled)
    right = case.verdict.rank == 1
    return Item(float(right), case.ending, "" if right else "the first diagnosis is not an accepted one")


def _plan(case: Case) -> Item:
    """3.2: enough steps of the gold plan are in the inquirer's."""
    gold = [words for words in map(_words, case.scenario.gold.plan) if words]
    if not gold:
        return Item(None, (), "the case gives no plan")
    plan = [_words(step) for step in case.end.plan] if isinstance(case.end, Concluded) else []
    if not plan:
        return Item(0, case.ending, "no plan was given")
    met = sum(any(len(step & own) >= STEP_FROM * len(step) for own in plan) for step in gold)
    enough = met >= PLAN_FROM * len(gold)
    return Item(float(enough), case.ending, f"{met} of {len(gold)} steps of the gold plan")


def _words(step: str) -> frozenset[str]:
    return frozenset(concepts(tokens(step)))


_ITEMS: Final[dict[str, Callable[[Case], Item]]] = {
    "1.1": _history,
    "1.2": _present,
    "1.3": _basis,
    "2.1": _respect,
    "2.2": _wishes,
    "3.1": _diagnosis,
    "3.2": _plan,
}


def _overall(items: dict[str, Item]) -> Item:
    """4.1: 2 with the right diagnosis and three quarters of the items that could be judged, 1 with half of them."""
    judged = [i.value for i in items.values() if i.value is not None]
    met = sum(judged)
    share = met / len(judged)
    why = f"{met:.0f} of {len(judged)} items met"
    if share >= EXCELLENT_FROM and items["3.1"].value == 1:
        return Item(2, (), why)
    return Item(float(share >= SOUND_FROM), (), why)
