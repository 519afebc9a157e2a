"""Better words for what rules found fault with: the knowledge's plain questions, put as the reference doctor puts them.

Which faults there are, what each weighs and what it is called is data; whether one is there, the scores' own rules say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from consult.agents.inquirers import wording
from consult.agents.inquirers.reference import reasons
from consult.debrief.model import Better, Fault
from consult.debrief.subject import Move, Subject
from consult.events import Concluded, Query, Referred
from consult.knowledge.model import Finding, Source
from consult.language.manner import is_closed, is_stacked, manner, unexplained
from consult.language.tokens import tokens
from consult.mood import is_explained, takes_up, takes_up_last
from consult.score.inquiry import repeats
from consult.score.speech import Spoken, asked, parting
from consult.seeds import rng

WEIGHTS: Final[dict[str, float]] = {
    "cue": 3, "abrupt": 3, "jargon": 2.5, "stacked": 2, "no_net": 2, "repeat": 1.5, "closed": 1, "unread": 1,
}  # fmt: skip
"""What each fault weighs, to find the weakest turn; ours, in the order of what it costs in trust and safety."""
SHOWN: Final = 3
SPLIT: Final = 3
"""Questions that a stacked one is split into, at most."""
CONCERN: Final = "ice.concern"


def better(s: Subject) -> tuple[Better, ...]:
    """The weakest of the doctor's words first, the earlier of equals."""
    found = [b for move in s.moves if (b := _of(s, move)) is not None]
    return tuple(sorted(found, key=lambda b: (-b.weight, b.cite.seq))[:SHOWN])


def _of(s: Subject, move: Move) -> Better | None:
    if isinstance(move.event, (Concluded, Referred)):
        said, ends = parting(s.case), True
    else:
        said, ends = next((a for a in asked(s.case) if a.seq == move.event.seq), None), False
    if said is None:
        return None
    faults = tuple(_of_the_end(s, move, said) if ends else _of_a_question(s, move, said))
    if not faults:
        return None
    rules = frozenset(f.rule for f in faults)
    instead = _ending(s, move) if ends else _instead(s, move, said, rules)
    weight = sum(WEIGHTS[rule] for rule in rules)
    return Better(cite=move.cite, said=said.text, faults=faults, instead=instead, weight=weight)


def _of_a_question(s: Subject, move: Move, said: Spoken) -> Iterator[Fault]:
    q = said.query
    cue = move.view.cue
    if cue and not takes_up(manner(said.text, q, s.knowledge)):
        yield Fault(rule="cue", about=cue)
    if terms := unexplained(said.text, s.knowledge):
        yield Fault(rule="jargon", about=", ".join(terms))
    if is_stacked(said.text, q):
        yield Fault(rule="stacked", about=", ".join(f.plain for f in _meant(s, move, said)))
    if any(r.seq == said.seq for r in repeats(s.case)):
        yield Fault(rule="repeat", about=", ".join(s.finding(f) for f in q.findings))
    if move.view.turn == 0 and is_closed(said.text, q):
        yield Fault(rule="closed", about="")
    if not (q.findings or q.topics or q.open or q.asks_nothing):
        yield Fault(rule="unread", about="")


def _of_the_end(s: Subject, move: Move, said: Spoken) -> Iterator[Fault]:
    end = s.case.end
    assert end is not None
    if not is_explained(end.explanation):
        yield Fault(rule="abrupt", about="")
    elif move.view.cue and not takes_up_last(move.view.cue, manner(said.text, Query(), s.knowledge), end.explanation):
        yield Fault(rule="cue", about=move.view.cue)
    if not end.safety_net.strip():
        yield Fault(rule="no_net", about="")
    if terms := unexplained(said.text, s.knowledge):
        yield Fault(rule="jargon", about=", ".join(terms))


def _instead(s: Subject, move: Move, said: Spoken, rules: frozenset[str]) -> tuple[str, ...]:
    """One question at a time, in plain words, with a kind word where a cue was given; an open one to begin with.

    What was asked before is not asked again, and what could not be read is not guessed: then what tells most is asked.
    """
    view, chance = move.view, rng(move.view.seed, "debrief")
    meant = [] if "repeat" in rules else _meant(s, move, said)
    if "closed" in rules or (not meant and view.turn == 0):
        opened = (wording.open_question(view, chance),)
        return (*opened, *_split(move, meant, opened=True)) if "stacked" in rules else opened
    if meant:
        return tuple(_split(move, meant if "stacked" in rules else meant[:1]))
    concern, best = s.knowledge.finding.get(CONCERN), move.best
    if "cue" in rules and concern is not None and CONCERN not in view.asked:
        return (wording.own_view(concern, view, chance),)
    return tuple(_split(move, [s.knowledge.finding[best.target]])) if best is not None and best.kind == "ask" else ()


def _split(move: Move, findings: Sequence[Finding], *, opened: bool = False) -> Iterator[str]:
    """One question each; the first with a kind word, unless there has been one."""
    chance = rng(move.view.seed, "debrief")
    for n, f in enumerate(findings[:SPLIT]):
        yield wording.question(f, move.view, kind_words=n == 0 and not opened, chance=chance)


def _meant(s: Subject, move: Move, said: Spoken) -> list[Finding]:
    """What the question was after, what tells most first; of clinical terms, the findings they name."""
    names = {*said.query.findings, *_named(s, said.text)}
    found = [f for f in map(s.knowledge.finding.get, names) if f is not None and f.source is Source.HISTORY]
    return sorted(found, key=lambda f: (-move.gains.get(f.id, 0.0), f.id))


def _named(s: Subject, text: str) -> set[str]:
    terms = {tokens(term) for term in unexplained(text, s.knowledge)}
    return {f.id for f in s.knowledge.findings if f.clinical and tokens(f.clinical) in terms}


def _ending(s: Subject, move: Move) -> tuple[str, ...]:
    """The doctor's own diagnosis, explained and with a safety net; nothing where the knowledge does not have it."""
    named, end = s.case.verdict.differential, s.case.end
    condition = s.knowledge.condition.get(named[0].condition or "") if named else None
    if condition is None or end is None:
        return ()
    urgency = end.urgency or condition.urgency
    because = reasons(move.view, move.belief, condition.id)
    return (
        wording.explanation(condition, move.view, because, urgency, rng(move.view.seed, "debrief")),
        wording.safety_net(condition, move.view, urgency),
    )
