"""The finding extractor: what a reply says is so, is not so, or is not known. Text in, readings out.

Serves every free text (a human's, a model's, a reference agent's). A bare "no" takes its meaning from what was asked.
Knows nothing of the scenario: it can only read what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from consult.knowledge.model import FindingKind, Knowledge
from consult.language.lexicon import Entry, Frame, Lexicon, lexicon
from consult.language.replies import NOT_NOTICED, REFUSED, UNKNOWN, YES, Reply, contains, short_reply
from consult.language.tokens import Tokens, sentences, tokens

_NEGATORS: Final = frozenset("no not never without nor neither nothing none deny denied".split())
_BREAKERS: Final = frozenset("but however though although except apart only just yet".split())
_LEADS: Final = YES | {"well", "oh", "so", "honestly", "look"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing a text says."""

    finding: str
    state: Reply
    values: tuple[str, ...] = ()
    text: str = ""
    """The words, where they are the content."""
    implied: bool = False
    """Follows from another reading (a described pain is a pain)."""


def extract(text: str, knowledge: Knowledge, asked: Sequence[str] = ()) -> tuple[Reading, ...]:
    """What `text` says, given the findings `asked` just before it; one reading a finding, the last one said."""
    return _extract(text, lexicon(knowledge), tuple(asked))


@lru_cache(maxsize=4096)
def _extract(text: str, lex: Lexicon, asked: tuple[str, ...]) -> tuple[Reading, ...]:
    """Remembered, because the guard, the recipient and the audit read the same words."""
    out: dict[str, Reading] = {}
    short: Reply | None = None
    stated = [p for p in sentences(text) if not p.endswith("?")]  # a question back states nothing
    for part in stated:
        read, rest = _sentence(part, lex, asked)
        for r in read:
            _put(out, r)
        if short is None and not read:
            short = short_reply(rest)
    _answer(out, short, " ".join(stated), asked, lex)
    _imply(out, lex)
    return tuple(out.values())


def _put(out: dict[str, Reading], r: Reading) -> None:
    old = out.get(r.finding)
    if old is not None and old.state == r.state == "present" and r.values:
        r = replace(r, values=tuple(dict.fromkeys((*old.values, *r.values))))
    out[r.finding] = r


def _sentence(part: str, lex: Lexicon, asked: Sequence[str]) -> tuple[list[Reading], Tokens]:
    toks = tokens(part)
    free = [True] * len(toks)
    read: list[Reading] = []
    for start, end, e in lex.statements.find(toks):
        if _outgrown(toks, start, end, lex):
            continue
        read.append(Reading(e.finding, _hedged(toks, start, e), (e.value,) if e.value else ()))
        free[start:end] = [False] * (end - start)
        if e.value is not None:
            _more_values(toks, end, e.finding, lex, read, free)
    if all(free):
        framed = _framed(part, toks, lex, read, free)
        if framed:
            return read, toks
    for f_id in asked:
        if f_id in lex.values and not any(r.finding == f_id for r in read):
            _more_values(toks, 0, f_id, lex, read, free)
    _mentions(toks, lex, read, free)
    return read, toks


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


def _more_values(toks: Tokens, start: int, finding: str, lex: Lexicon, read: list[Reading], free: list[bool]) -> None:
    """Further values of a finding in the rest of the sentence: "in my arm and my neck"."""
    for i, j, e in lex.values[finding].find(toks[start:], free[start:]):
        if _negated(toks, start + i, free):
            continue
        read.append(Reading(finding, "present", (e.value,) if e.value else ()))
        free[start + i : start + j] = [False] * (j - i)
        if lex.knowledge.finding[finding].kind is FindingKind.CATEGORICAL:
            return


def _framed(part: str, toks: Tokens, lex: Lexicon, read: list[Reading], free: list[bool]) -> bool:
    """Statements with a slot: values in any number, or free words that are kept as they are."""
    for i, frame in _starts(toks, lex.value_frames):
        before = len(read)
        _more_values(toks, i, frame.finding, lex, read, free)
        if len(read) > before:
            free[:i] = [False] * i
            return True
    for i, frame in _starts(toks, lex.text_frames):
        words = _tail(part, i)
        if words:
            read.append(Reading(frame.finding, "present", text=words))
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


def _mentions(toks: Tokens, lex: Lexicon, read: list[Reading], free: list[bool]) -> None:
    have = {r.finding for r in read}
    for start, end, e in lex.mentions.find(toks, free):
        if e.finding in have:
            continue
        finding = lex.knowledge.finding[e.finding]
        state: Reply = "present"
        if contains(toks, UNKNOWN) or contains(toks, REFUSED):
            state = "unknown"
        elif contains(toks, NOT_NOTICED):
            state = "not_noticed"
        elif _negated(toks, start, free):
            state = "absent"
        if finding.kind is not FindingKind.BINARY and (
            state == "present" or (state == "absent" and not finding.absent)
        ):
            continue  # naming an attribute says nothing of its value
        read.append(Reading(e.finding, state))
        free[start:end] = [False] * (end - start)
        have.add(e.finding)


def _negated(toks: Tokens, i: int, free: list[bool]) -> bool:
    """Whether a negation reaches token `i`: one before it in the sentence, with no turn ("but") between."""
    listed = False
    for k in range(i - 1, -1, -1):
        listed = listed or toks[k] in ("or", "nor")  # "no fever or cough": the negation reaches past the first
        if toks[k] in _BREAKERS or (not free[k] and not listed):
            return False
        if toks[k] in _NEGATORS:
            return not (toks[k] == "not" and toks[k + 1 : k + 2] == ("only",))
    return False


def _answer(out: dict[str, Reading], short: Reply | None, text: str, asked: Sequence[str], lex: Lexicon) -> None:
    """Give a bare answer to what was asked, unless the reply spoke of it or of its parent."""
    open_ones = [f for f in asked if f in lex.knowledge.finding and not _spoken(f, out, lex)]
    if not open_ones or (len(asked) > 1 and short == "present"):
        return
    for f_id in open_ones:
        f = lex.knowledge.finding[f_id]
        if short is None:
            if f.kind is FindingKind.TEXT and text and not out and len(asked) == 1:
                out[f_id] = Reading(f_id, "present", text=text.strip())
        elif f.kind is FindingKind.TEXT and short == "present":
            out[f_id] = Reading(f_id, "present", text=text.strip())
        elif short != "present" or f.kind is FindingKind.BINARY:
            out[f_id] = Reading(f_id, short)


def _spoken(f_id: str, out: dict[str, Reading], lex: Lexicon) -> bool:
    node: str | None = f_id
    while node is not None:
        if node in out and (node == f_id or out[node].state != "present"):
            return True
        node = lex.parent(node)
    return False


def _imply(out: dict[str, Reading], lex: Lexicon) -> None:
    """An attribute that is present makes its parent present."""
    for r in list(out.values()):
        node = lex.parent(r.finding)
        while r.state == "present" and node is not None:
            if node not in out:
                out[node] = Reading(node, "present", implied=True)
            node = lex.parent(node)
