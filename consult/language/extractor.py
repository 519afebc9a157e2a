"""The finding extractor: what a reply says is so, is not so, or is not known. Text in, readings out.

Serves every free text (a human's, a model's, a reference agent's). A bare "no" takes its meaning from what was asked.
Knows nothing of the scenario: it can only read what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from consult.disclosure import ancestors
from consult.knowledge.model import FindingKind, Knowledge
from consult.language.lexicon import Entry, Frame, Lexicon, lexicon
from consult.language.mentions import Reading, Sentence, mentions, negated, paraphrases
from consult.language.replies import (
    NO,
    UNKNOWN,
    YES,
    Reply,
    contains,
    denies,
    hums_yes,
    in_turn,
    says_both,
    says_something,
    short_reply,
)
from consult.language.tokens import Tokens, sentences, tokens

__all__ = ["Reading", "extract"]
_LEADS: Final = YES | {"well", "oh", "so", "honestly", "look"}
NONE: Final = "none"
"""The value that a plain "no" stands for, where a finding has it."""
_BARE: Final = 3
"""Tokens up to which a sentence is not searched for paraphrases."""


def extract(
    text: str, knowledge: Knowledge, asked: Sequence[str] = (), *, for_other: bool = False
) -> tuple[Reading, ...]:
    """What `text` says, given the findings `asked` just before it; one reading a finding, the last one said.

    `for_other`: a parent or carer speaks, so that "my son" is the patient.
    """
    return _extract(text, lexicon(knowledge), tuple(asked), for_other)


@lru_cache(maxsize=4096)
def _extract(text: str, lex: Lexicon, asked: tuple[str, ...], for_other: bool = False) -> tuple[Reading, ...]:
    """Remembered, because the guard, the recipient and the audit read the same words."""
    out: dict[str, Reading] = {}
    short: Reply | None = None
    stated = [p for p in sentences(text) if not p.endswith("?")]  # a question back states nothing
    for part in stated:
        s = Sentence(part, tokens(part), lex, for_other, asked, [], [])
        s.free = [True] * len(s.toks)
        _sentence(s, asked)
        for r in s.read:
            _put(out, r)
        if short is None:
            short = _answered(s, asked)
    _answer(out, short, " ".join(stated), asked, lex)
    _imply(out, lex)
    return tuple(out.values())


def _answered(s: Sentence, asked: Sequence[str]) -> Reply | None:
    """The bare answer a sentence gives: as a whole, or by the "yes" or "no" with which it opens."""
    if not asked:
        return None
    if not s.read:
        return "present" if hums_yes(s.part) else short_reply(s.toks) or _in_a_clause(s.part)
    if len(asked) == 1 and len(s.toks) > 1 and s.part[len(s.part.split(",")[0]) :].startswith(","):
        first = tokens(s.part.split(",")[0])
        if len(first) == 1 and first[0] in YES | NO:  # an answer to what was asked, whatever else is told
            return "present" if first[0] in YES else "absent"
    return None


def _in_a_clause(part: str) -> Reply | None:
    """The bare answer that a sentence begins or ends with: "They are, I can't get my shoes on", "It doesn't hurt, no"."""
    first, *rest = part.split(",")
    if not rest:
        return None
    last = tokens(rest[-1])
    return short_reply(tokens(first)) or (short_reply(last) if len(last) == 1 and last[0] in YES | NO else None)


def _put(out: dict[str, Reading], r: Reading) -> None:
    old = out.get(r.finding)
    if old is not None and old.state == r.state == "present" and r.values:
        r = replace(r, values=tuple(dict.fromkeys((*old.values, *r.values))))
    if old is not None and (old.turned or {old.state, r.state} == {"present", "absent"}):
        r = replace(r, turned=True)
    out[r.finding] = r


def _sentence(s: Sentence, asked: Sequence[str]) -> None:
    """Read a sentence: statements, then frames with a slot, values of what was asked, mentions, paraphrases."""
    for start, end, e in s.lex.statements.find(s.toks):
        if _outgrown(s.toks, start, end, s.lex):
            continue
        state = _hedged(s.toks, start, e)
        if state != "unknown" and end - start < len(s.toks) - 1 and not s.own(e.finding, start, end):
            s.take(start, end)
            continue
        s.read.append(Reading(e.finding, state, (e.value,) if e.value else ()))
        s.take(start, end)
        if e.value is not None:
            _more_values(s, end, e.finding)
    if all(s.free) and _framed(s):
        return
    for f_id in asked:
        future = "will" in s.toks  # "a good story one day"
        if f_id in s.lex.values and not future and not any(r.finding == f_id for r in s.read):
            _more_values(s, 0, f_id)
    if any(s.free):
        mentions(s)
        if (not s.read and len(s.toks) >= _BARE) or sum(s.free) >= _BARE:
            paraphrases(s)


def _outgrown(toks: Tokens, start: int, end: int, lex: Lexicon) -> bool:
    """Whether a statement is only the beginning of something else: "I have a headache" of "a headache worse in bed"."""
    hits = ((i, lex.mentions.at(toks, i)) for i in range(start + 1, end))
    return any(hit is not None and i + hit[0] > end for i, hit in hits)


def _hedged(toks: Tokens, start: int, e: Entry) -> Reply:
    """The state a statement has after what introduces it: "I don't think (that) …", "I don't know whether …"."""
    before = toks[:start]
    if e.state == "present" and before[-1:] == ("that",):
        before = before[:-1]
    if e.state == "present" and before[-2:] in (("not", "think"), ("not", "believe")):
        return "absent"
    if before[-1:] in (("if",), ("whether",)) and contains(before, UNKNOWN):
        return "unknown"
    return e.state


def _more_values(s: Sentence, start: int, finding: str) -> None:
    """Further values of a finding in the rest of the sentence: "in my arm and my neck"."""
    for i, j, e in s.lex.values[finding].find(s.toks[start:], s.free[start:]):
        if negated(s, start + i):
            continue
        s.read.append(Reading(finding, "present", (e.value,) if e.value else ()))
        s.take(start + i, start + j)
        if s.lex.knowledge.finding[finding].kind is FindingKind.CATEGORICAL:
            return


def _framed(s: Sentence) -> bool:
    """Statements with a slot: values in any number, or free words that are kept as they are."""
    for i, frame in _starts(s.toks, s.lex.value_frames):
        before = len(s.read)
        _more_values(s, i, frame.finding)
        if len(s.read) > before:
            s.take(0, i)
            return True
    for i, frame in _starts(s.toks, s.lex.text_frames):
        words = _tail(s.part, i)
        if words:
            s.read.append(Reading(frame.finding, "present", text=words))
            return True
    return False


def _starts(toks: Tokens, frames: dict[Tokens, list[Frame]]) -> Iterable[tuple[int, Frame]]:
    """Frames that the sentence opens with, an answering word left aside, and where their slot begins."""
    for lead in (0, 1) if toks and toks[0] in _LEADS else (0,):
        for frame in frames.get(toks[lead : lead + 2], ()):
            n = lead + len(frame.before)
            if toks[lead:n] == frame.before and len(toks) > n:
                yield n, frame


def _tail(part: str, skip: int) -> str:
    """The raw words of a sentence behind its first `skip` tokens."""
    words = part.split()
    for k in range(1, len(words)):
        if len(tokens(" ".join(words[:k]))) >= skip:
            return " ".join(words[k:]).rstrip(".!;… ")
    return ""


def _answer(out: dict[str, Reading], short: Reply | None, text: str, asked: Sequence[str], lex: Lexicon) -> None:
    """Give a bare answer to what was asked, unless the reply spoke of it or of its parent."""
    open_ones = [f for f in asked if f in lex.knowledge.finding and not _spoken(f, out, lex)]
    if not open_ones:
        return
    if len(asked) > 1 and (ordered := in_turn(text)):
        for f_id, state in zip(asked, ordered, strict=False):
            out.setdefault(f_id, Reading(f_id, state))
        return
    if len(asked) > 1 and short == "present" and not says_both(text):
        return
    for f_id in open_ones:
        f = lex.knowledge.finding[f_id]
        if f.covers and not f.present and short in (None, "present"):
            continue  # nobody has it as such: "in my back" is no answer that could be noted under it
        if short is None:
            if f.kind is FindingKind.TEXT and says_something(text) and not out and len(asked) == 1:
                out[f_id] = Reading(f_id, "absent") if denies(text) else Reading(f_id, "present", text=text.strip())
        elif f.kind is FindingKind.TEXT and short == "present":
            out[f_id] = Reading(f_id, "present", text=text.strip())
        elif short == "absent" and NONE in f.value_ids:
            out[f_id] = Reading(f_id, "present", (NONE,))
        elif short != "present" or f.kind is FindingKind.BINARY:
            out[f_id] = Reading(f_id, short)


def _spoken(f_id: str, out: dict[str, Reading], lex: Lexicon) -> bool:
    above = ancestors(f_id, lex.knowledge.parent_of)
    return f_id in out or any(a in out and out[a].state != "present" for a in above)


def _imply(out: dict[str, Reading], lex: Lexicon) -> None:
    """An attribute that is present makes its parent present."""
    for r in [r for r in out.values() if r.state == "present"]:
        for above in ancestors(r.finding, lex.knowledge.parent_of):
            out.setdefault(above, Reading(above, "present", implied=True))
