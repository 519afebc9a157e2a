"""The debrief in sentences: sections of rows, the same in the terminal application, in plain text, in Markdown and on a page.

Says what `model` holds and computes nothing. Whoever draws it decides on signs and colours by a row's `kind`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from consult.clean import one_line
from consult.debrief.model import Answer, Better, Cite, Debrief, Mark, Missed, Otherwise, Unsaid, View, Why
from consult.show.words import SHARES, value_words

HEADS: Final = (
    "inquiry.efficiency", "inquiry.coverage", "inquiry.must_ask", "safety.red_flags_asked", "communication.composite",
    "communication.cues_answered", "communication.ice", "communication.trust", "communication.safety_net",
)  # fmt: skip
"""The scores that stand with the result."""
SAID: Final = 600
"""Characters of one speech that are shown."""
LINES: Final = 8
"""Lines of the other future before its end."""
BARELY: Final = 0.01
"""Bits below which a question would have told hardly anything."""
SIGNS: Final = {"good": "✓", "bad": "✗", "flag": "⚑", "head": "", "doctor": "D", "patient": "P", "better": "→", "": "·"}
"""By a row's kind; a word says the same where it matters."""
_RULES: Final = {
    "opening": "told in the first words",
    "volunteered": "an open question leaves room for it",
    "on_topic": "told when its topic is asked about",
    "direct": "told when it is asked for",
    "sensitive": "told when it is asked for, to someone trusted",
}
_WHY: Final = {
    Why.TRUST: "Asked for, and kept back: trust was too low",
    Why.RECALL: "Asked for, and did not come to mind",
    Why.CLINICAL: "Asked for in words that this patient does not know",
    Why.PASSED: "Asked for, and not told",
    Why.ROOM: "There was room for it, and the patient told other things or nothing",
    Why.NOT_ASKED: "Nobody asked",
    Why.ORDER_ONLY: "Only a test or an examination tells it, and it was not ordered",
    Why.UNKNOWN: "The patient cannot know it",
}
_FAULTS: Final = {
    "cue": "passes over a cue ({about})",
    "jargon": "clinical words, not explained: {about}",
    "stacked": "several questions in one breath: {about}",
    "repeat": "asked before, and nothing new came of it: {about}",
    "closed": "begins with a question that yes or no would answer",
    "unread": "the patient could not tell what was asked",
    "abrupt": "ends without an explanation",
    "no_net": "does not say what must bring the patient back",
}
_BETTER_ASKED: Final = "inquiry.efficiency"
"""The score whose reason is the list of what had better been asked."""
_FAMILIES: Final = {"mdbench": "3MDBench, by rules", "judge": "Judges"}
_PARTS: Final = {"ice.idea": "Idea", "ice.concern": "Concern", "ice.expectation": "Expectation"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a section, with the places it can lead to."""

    text: str
    kind: str = ""
    """good, bad, flag, head, doctor, patient, better, or nothing."""
    notes: tuple[str, ...] = ()
    """Quiet lines below it."""
    cites: tuple[Cite, ...] = ()
    share: float | None = None
    """For a bar, where it is a value of 0..1."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the debrief."""

    id: str
    title: str
    lead: str
    rows: tuple[Row, ...]
    brief: int
    """Rows of it in a short debrief; 0: it is left out."""


def sections(d: Debrief) -> tuple[Section, ...]:
    """The whole debrief, in the order in which it is read."""
    return (
        Section("result", "Result", "", tuple(_result(d)), 3),
        Section("missed", "What was missed", _missed_lead(d), tuple(map(_missed, d.missed)), 5),
        Section("unsaid", "What the patient never said", _unsaid_lead(d), tuple(_unsaid(d.unsaid)), 6),
        Section("views", "Ideas, concerns, expectations", "", tuple(map(_view, d.views)), 3),
        Section("better", "In better words", _better_lead(d), tuple(_better(d.better)), 3),
        Section("otherwise", "How the reference doctor went on", _other_lead(d), tuple(_other(d.otherwise)), 1),
        Section("scores", "All scores", "A question's number leads to what the score rests on.", tuple(_scores(d)), 0),
    )


def short(of: Iterable[Section]) -> tuple[Section, ...]:
    """The sections of a short debrief, each cut; the last row says how many are left out."""
    kept = [s for s in of if s.brief]
    return tuple(
        s if len(s.rows) <= s.brief else replace(s, rows=(*s.rows[: s.brief], Row(f"… {len(s.rows) - s.brief} more")))
        for s in kept
    )


def title(d: Debrief) -> str:
    """One line: what is debriefed."""
    parts = (d.scenario, d.persona, f"doctor {d.doctor}", _count(d.questions, "question"), _count(d.orders, "order"),
             d.end.replace("_", " ") or "no end")  # fmt: skip
    return "Debrief: " + " · ".join(one_line(p, limit=60) for p in parts)


def turn_words(c: Cite) -> str:
    """A place, in words."""
    return "the end" if c.end else f"question {c.turn}" if c.turn else "the opening"


def _result(d: Debrief) -> Iterator[Row]:
    if d.answer is None:
        yield Row("The diagnosis was not judged: the dialogue did not come to its end.")
    else:
        yield from _answer(d.answer)
    marks = {m.name: m for m in d.marks}
    yield from (_mark(marks[name], family=True) for name in HEADS if name in marks)


def _answer(a: Answer) -> Iterator[Row]:
    if a.rank == 1:
        other = "" if a.named[0] == a.gold else f" (accepted for {a.gold})"
        yield Row(f"Diagnosis right: {one_line(a.named[0], limit=120)}{other}", "good")
    elif not a.named:
        yield Row(f"No diagnosis given; it was {a.gold}", "bad")
    else:
        place = f"named at rank {a.rank}" if a.rank else "not named"
        yield Row(f"Diagnosis wrong: {one_line(a.named[0], limit=120)}; it was {a.gold} ({place})", "bad")
    for what, said, right in (("Department", a.triaged, a.department), ("Urgency", a.triaged_urgency, a.urgency)):
        if said == right:
            yield Row(f"{what} right: {right}", "good")
        else:
            yield Row(f"{what} wrong: {said or 'never given'}; it was {right}", "bad")


def _mark(m: Mark, *, family: bool = False) -> Row:
    group, _, name = m.name.partition(".")
    words = (f"{group}: {name}" if family and name else name or group).replace("_", " ")
    value = "—" if m.value is None else value_words(m.value, m.unit)
    unit = "" if m.unit in (*SHARES, "0/1", "", name) else f" {m.unit}" if m.unit.isalpha() else f" ({m.unit})"
    reason = one_line(m.reason)
    if m.name == _BETTER_ASKED and m.value is not None and reason:
        reason = f"better asked: {reason}"
    share = m.value if m.unit in SHARES else None
    return Row(f"{words} {value}{unit}", notes=(reason,) if reason else (), cites=m.cites, share=share)


def _scores(d: Debrief) -> Iterator[Row]:
    for family, marks in groupby(d.marks, key=lambda m: m.name.partition(".")[0]):
        yield Row(_FAMILIES.get(family) or family.replace("_", " ").capitalize(), "head")
        yield from map(_mark, marks)


def _missed_lead(d: Debrief) -> str:
    if not d.missed:
        return "Nothing that would have told much was left unasked."
    return (
        "By the information each was expected to give at the move where it was greatest, by the belief over what was on "
        "record then. Danger signs come first, whatever they would have told."
    )


def _missed(m: Missed) -> Row:
    tags = [*(["danger sign"] if m.red_flag else []), *(["must be asked"] if m.must_ask else [])]
    text = f"{m.name} ({', '.join(tags)})" if tags else m.name
    told = "hardly any information" if m.bits < BARELY else f"{m.bits:.2f} bits"
    where = f" expected at {turn_words(m.cite)}" if m.cite is not None else ""
    left = (
        f"; {m.left:.2f} still at the last move"
        if m.left >= 10 * BARELY and m.cite is not None and not m.cite.end
        else ""
    )
    if m.towards is not None and m.towards >= 10 * BARELY:
        left += f"; its answer would have brought {m.towards:.1f} bits towards the right diagnosis"
    answer = f"The answer: {one_line(m.answer, limit=300)}" if m.answer else "The case holds nothing of it."
    ask = f"“{m.ask}” {answer}" if m.ask else f"Order it. {answer}"
    cites = (m.cite,) if m.cite is not None else ()
    return Row(text, "flag" if m.red_flag else "", (ask, f"{told}{where}{left}"), cites)


def _unsaid_lead(d: Debrief) -> str:
    n = sum(u.present for u in d.unsaid)
    return f"{_count(n, 'fact')} of the case never came out." if n else "Everything that the patient has came out."


def _unsaid(all_: Iterable[Unsaid]) -> Iterator[Row]:
    found = list(all_)
    for why, head in _WHY.items():
        here = [u for u in found if u.why is why]
        if here:
            yield Row(head, "head")
            yield from _by_order(here) if why is Why.ORDER_ONLY else _facts(here)


def _facts(facts: list[Unsaid]) -> Iterator[Row]:
    yield from (_fact(u) for u in facts if u.present or u.why not in (Why.NOT_ASKED, Why.ROOM, Why.UNKNOWN))
    others = [u.name for u in facts if not u.present and u.why in (Why.NOT_ASKED, Why.ROOM, Why.UNKNOWN)]
    if others:
        known = "Not known to them" if facts[0].why is Why.UNKNOWN else "Nor did they say that they do not have"
        yield Row(f"{known}: {', '.join(others)}")


def _fact(u: Unsaid) -> Row:
    text = (u.name if u.present else f"{u.name}: no") + (f" “{one_line(u.words, limit=200)}”" if u.words else "")
    return Row(text, "bad" if u.why is Why.TRUST else "", (_law(u),), u.cites)


def _law(u: Unsaid) -> str:
    where = f" at {' and '.join(turn_words(c) for c in u.cites[:3])}" if u.cites else ""
    if u.needed is not None and u.trust is not None:
        stood = f"it stood at {u.trust:.2f}{where}" if u.cites else f"at its best it was {u.trust:.2f}"
        return f"told from a trust of {u.needed:.2f}; {stood}"
    return _RULES.get(u.rule, u.rule.replace("_", " ")) + (f"; {_said_there(u)}{where}" if where else "")


def _said_there(u: Unsaid) -> str:
    return "its topic was open" if u.why is Why.ROOM else "asked"


def _by_order(facts: list[Unsaid]) -> Iterator[Row]:
    for order in dict.fromkeys(u.order for u in facts):
        here = [u.name if u.present else f"no {u.name}" for u in facts if u.order == order]
        yield Row(f"{order}: {'; '.join(here)}")


def _view(v: View) -> Row:
    words = f": “{one_line(v.words, limit=200)}”" if v.held and v.words else ""
    if not v.held and v.told is None:
        note = "asked for; the patient had none" if v.asked else "not asked for; the patient had none"
        return Row(_PARTS.get(v.part, v.part), "good" if v.asked else "", (note,), _those(v.asked))
    steps = [f"asked at {turn_words(v.asked)}" if v.asked else "never asked for"]
    steps += [f"told at {turn_words(v.told)}" if v.told else "never told"]
    if v.told is not None:
        steps += [f"taken up at {turn_words(v.answered)}" if v.answered else "never taken up"]
    kind = "good" if v.answered else "bad"
    return Row(_PARTS.get(v.part, v.part) + words, kind, ("; ".join(steps),), _those(v.asked, v.told, v.answered))


def _those(*cites: Cite | None) -> tuple[Cite, ...]:
    return tuple({c.seq: c for c in cites if c is not None}.values())


def _better_lead(d: Debrief) -> str:
    return "The weakest first." if d.better else "No rule found fault with the doctor's words."


def _better(all_: Iterable[Better]) -> Iterator[Row]:
    for b in all_:
        yield Row(
            f"“{one_line(b.said, limit=SAID)}”" if b.said else "(the patient is told nothing)",
            "bad",
            ("; ".join(faults_in_words(b)),),
            (b.cite,),
        )
        by = f"put so by {b.by}" if b.by else f"by the rule; no words of the model: {b.why_not}" if b.why_not else ""
        last = len(b.instead) - 1
        yield from (Row(f"“{text}”", "better", (by,) if by and n == last else ()) for n, text in enumerate(b.instead))


def faults_in_words(b: Better) -> list[str]:
    """What the rules found fault with."""
    return [_FAULTS[f.rule].format(about=one_line(f.about, limit=200)) for f in b.faults]


def _other_lead(d: Debrief) -> str:
    o = d.otherwise
    if o is None:
        return f"There is nothing to compare: {one_line(d.why_not, limit=300)}."
    why = f", where the best move was expected to tell {o.missed:.2f} bits more" if o.missed >= BARELY else ""
    where = "ending" if o.cite.end else turn_words(o.cite)
    return f"The same patient and the same past; it goes on instead of {where}{why}."


def _other(o: Otherwise | None) -> Iterator[Row]:
    if o is None:
        return
    end = f"{'right' if o.right else 'wrong'}: {one_line(o.top, limit=120)}" if o.top else "no diagnosis"
    asked = f"after {_count(o.questions, 'more question')} and {_count(o.orders, 'order')}"
    yield Row(f"It ended {asked}; {end}", "good" if o.right else "bad", _compared(o), (o.cite,))
    talk = [line for line in o.lines if line.who != "end"]
    last = max((n for n, line in enumerate(talk) if line.who == "doctor"), default=len(talk))
    for n, line in enumerate(talk):
        if n == LINES < last:
            yield Row(f"… {last - LINES} more lines")
        if n < LINES or n >= last:
            kind, before = {"order": ("doctor", "orders: "), "result": ("", "")}.get(line.who, (line.who, ""))
            yield Row(before + one_line(line.text, limit=SAID), kind)


def _compared(o: Otherwise) -> tuple[str, ...]:
    pairs = (
        f"{name.partition('.')[2].replace('_', ' ')} {_number(here)} here, {_number(there)} there"
        for name, (here, there) in o.scores.items()
    )
    return ("; ".join(pairs),) if o.scores else ()


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
