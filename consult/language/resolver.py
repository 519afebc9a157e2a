"""The question resolver: what an utterance of the inquirer asks for. Text in, `Query` out; no scenario, no mood.

Stages, each only where the one before found nothing: the knowledge's own phrases (`lexicon`); all concepts of a phrasing
in any order (`gist`); details of what the talk is about (`context`); and, only if asked for by name, likeness of meaning
(`similar`). See docs/language.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from consult.events import Query
from consult.knowledge.model import Knowledge
from consult.language.acts import SpeechAct, does
from consult.language.concepts import concepts
from consult.language.context import of_another, of_the_talk, refers
from consult.language.gist import ASIDE, POLAR, gists
from consult.language.lexicon import Lexicon, lexicon
from consult.language.tokens import Tokens, sentences, tokens
from consult.terms import Resolver

_OPEN: Final = re.compile(
    r"(?:tell me|know|hear|say|explain) (?:me |a )?(?:a )?(?:bit |little )?(?:more|all|everything|what)\b"
    r"|what(?:'s| is| has|'ve| have)? (?:brings|brought|happened)|how (?:can|may) (?:i|we) help"
    r"|what can (?:i|we) (?:do for|help) you|what(?:'s| is) up\b|what seems to be|from the beginning"
    r"|what(?:'s| is) (?:wrong|the (?:matter|problem|trouble|reason)|going on|been (?:happening|going on|bothering|troubling))"
    r"|what (?:problems?|symptoms?) (?:are|have)|(?:any|other|further) (?:other |more )?symptoms|(?:what are|about) your symptoms"
    r"|(?:any|other) (?:other )?(?:problems|complaints|troubles|issues)(?: at all)?[\s?.!]*$|(?:changes? in yourself|in any other way)[\s?.!]*$"
    r"|what made you come|why (?:have|did) you come|anything (?:that )?(?:we|i)(?:'ve| have)?(?:n't| not)? (?:covered|missed|forgotten|left out)"
    r"|have (?:i|we) (?:missed|forgotten|left out) anything|anything (?:more|unusual|different)[\s?.!]*$"
    r"|how do you feel (?:today|now)?"
    r"|anything else|what else|something else|go on\b|in your own words|can you (?:elaborate|expand)"
    r"|describe (?:it|what|how|the problem|your (?:symptoms|problem))"
    r"|how (?:have|are) (?:you|things) (?:been|feeling|doing|going)|how are (?:you|things)(?: today| now)?[\s?.!]*$"
    r"|(?:walk|talk|take) me through",
    re.IGNORECASE,
)
_BOTHERS: Final = re.compile(
    r"\b(?:anything|something|what) else (?:that |that's |that is |is )*(?:(?:bothers|bothering|troubl\w+) you|on your mind)\b",
    re.I,
)
"""What else there is; how much it bothers is not asked."""
_ABOUT: Final = re.compile(
    r"(?:tell me|talk|say|hear|know|more|ask you)(?: \w+){0,3} about |describe |how about |what about ",
    re.IGNORECASE,
)
_HOW: Final = re.compile(r"how (?:is|are|has|have) |how's |(?:problems?|trouble|issues) with ", re.IGNORECASE)
"""Opens a topic where it asks for no finding."""
_REQUEST: Final = re.compile(
    r"\b(?:tell me|describe|talk me|walk me|explain|let me know|i(?:'d| would) like to (?:know|hear)|i wonder)\b", re.I
)
_BEGINS: Final = re.compile(
    r"(?:(?:and|so|ok|okay|right|now|well|also|um+|uh|er|then|alright|but|just)\b[\s,]*)*(?:do|does|did|have|has|had|are|is|was|were"
    r"|can|could|would|any|what|whats|what's|when|where|how|who|which|why|no|ever)\b",
    re.IGNORECASE,
)
"""How a question begins whose writer left out the mark."""
_SHORT: Final = 3
"""Words up to which a bare phrase is a question ("Fever")."""
_LEAVE: Final = re.compile(
    r"\b(?:do you mind|would you mind|is (?:that|it|this) (?:ok|okay|all ?right|alright|clear)|may i (?:examine|listen|look|feel|have a look)"
    r"|(?:can|could|shall) (?:i|we) (?:just |please )*(?:examine|listen|look|have a (?:look|listen|feel)|take your|see if|book|do some)"
    r"|does that (?:make sense|sound)|any questions (?:for|about)|questions for me|(?:can|could) you hear me)\b",
    re.IGNORECASE,
)
"""Leave asked for, and what else a question asks that is none about the illness."""
_OWN_VIEW: Final = {
    SpeechAct.IDEA: "ice.idea",
    SpeechAct.CONCERN: "ice.concern",
    SpeechAct.EXPECTATION: "ice.expectation",
}
"""The patient's own view of it; asked for in words that name other things too ("are you worried about the pain?")."""
_CLAUSE: Final = re.compile(r"(?<=[,;:])\s+|\s+(?=(?:and|or|but|because)\s)", re.IGNORECASE)


@dataclass(slots=True)
class _Asked:
    """What has been found so far."""

    found: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    is_open: bool = False


def resolve(text: str, knowledge: Knowledge, by: Resolver = Resolver.LEXICON, talk: tuple[str, ...] = ()) -> Query:
    """What `text` asks: findings asked specifically, topics opened, whether it is open, or nothing at all.

    `talk`: the complaints that the talk is about (`talk_of`), for what says too little by itself. Raises UsageError if
    `by` is embedding and the extra for it is not installed.
    """
    lex = lexicon(knowledge)
    return _known(text, lex) or _resolve(text, lex, by, talk)


@lru_cache(maxsize=20_000)
def _known(text: str, lex: Lexicon) -> Query | None:
    """The last sentences, as many as it takes, as one known question (whose wording may hold full stops)."""
    parts = sentences(text)
    for k in range(max(0, len(parts) - lex.longest_question), len(parts)):
        hit = lex.questions.get(tokens(" ".join(parts[k:])))
        if hit is not None:
            return Query(findings=(hit,))
    return None


@lru_cache(maxsize=20_000)
def _resolve(text: str, lex: Lexicon, by: Resolver, talk: tuple[str, ...]) -> Query:
    parts = sentences(text)
    marked = [p for p in parts if "?" in p or _REQUEST.search(p) or _OPEN.search(p)]
    unmarked = [] if marked else [p for p in parts if _BEGINS.match(p) or len(p.split()) <= _SHORT]
    asking = [p for p in marked or unmarked if not _LEAVE.search(p)]
    a = _Asked()
    for part in asking:
        _part(part, lex, by, talk, a)
    if a.is_open:
        a.topics += [t for f in a.found if (t := _topic(f, lex.knowledge))]
    return Query(
        findings=tuple(dict.fromkeys(a.found)),
        topics=tuple(dict.fromkeys(a.topics)),
        open=a.is_open,
        asks_nothing=not (a.found or a.topics or a.is_open) and (not marked or not asking),
    )


def _part(part: str, lex: Lexicon, by: Resolver, talk: tuple[str, ...], a: _Asked) -> None:
    """Add what one asking sentence asks for."""
    part = _BOTHERS.sub("anything else", part)
    key = tokens(part)
    whole = _whole(key, lex, talk)
    if whole:
        a.found += whole
        return
    views = [f for act, f in _OWN_VIEW.items() if f in lex.knowledge.finding and does(part, act)]
    if views:
        a.found += views
        return
    free = [True] * len(key)
    found = _named(key, free, lex)
    found += _gist(part, key, free, lex, named=bool(found))
    about = _ABOUT.search(part) or (not found and _HOW.search(part))
    topics = _topics(key, free, lex, wide=bool(about)) if about or not found else []
    opens = bool(_OPEN.search(part) or (about and (found or topics)))
    if not (topics or opens) and of_another(found, key, talk, lex):
        found = of_the_talk(key, talk, lex) or found or _last_resort(part, key, lex, by)
    a.found += found
    a.topics += topics
    a.is_open = a.is_open or opens


def _topic(f_id: str, knowledge: Knowledge) -> str:
    """The topic that a finding asked for openly opens; what is asked of the whole body ("pain") opens none."""
    f = knowledge.finding[f_id]
    return f.topic if not f.covers or f.topic in map(knowledge.topic_of, f.covers) else ""


def _whole(key: Tokens, lex: Lexicon, talk: tuple[str, ...]) -> list[str]:
    """What a sentence asks for that is as a whole a known way of asking."""
    hit = lex.questions.get(key)
    if hit is not None:
        return [hit]
    heard = list(gists(lex.knowledge).whole(key))
    if refers(key) and any(lex.knowledge.finding[f].covers for f in heard):
        return of_the_talk(key, talk, lex) or heard  # "where does it hurt?"
    return heard


def _named(key: Tokens, free: list[bool], lex: Lexicon) -> list[str]:
    """Findings whose phrases stand in a sentence, or what those phrases are only a part of; takes their tokens."""
    spans = list(lex.mentions.find(key))
    if not spans:
        return []
    for start, end, _ in spans:
        free[start:end] = [False] * (end - start)
    valued = _valued(key, free, {e.finding for _, _, e in spans}, lex)
    g, said = gists(lex.knowledge), concepts(key)
    several = "or" in key or "and" in key
    out: list[str] = []
    for start, end, e in spans:
        wider = g.wider(frozenset(concepts(key[start:end])), said)
        below = [] if valued or wider else g.below(e.finding, said, several=several)
        out += wider or below or [e.finding]
        if several and not wider and not below:
            out += g.beside(frozenset(concepts(key[start:end])), said)
    out += valued
    return [f for f in dict.fromkeys(out) if not any(f in g.ancestors(o) for o in out)]


def _topics(key: Tokens, free: list[bool], lex: Lexicon, *, wide: bool) -> list[str]:
    """Topics named; in a question that does not ask "about" them, only where it says little else."""
    hits = list(lex.topics.find(key, free))
    named = {c for i, j, _ in hits for c in concepts(key[i:j])}
    rest = set(concepts(key)) - named - POLAR - ASIDE
    return [e.finding for _, _, e in hits] if wide or len(rest) <= 1 else []


def _valued(key: Tokens, free: list[bool], here: set[str], lex: Lexicon) -> list[str]:
    """Attributes of which a value is named beside the finding they belong to."""
    out: list[str] = []
    for i in range(len(key)):
        for n in (3, 2, 1):
            if i + n <= len(key) and all(free[i : i + n]):
                named = (e.finding for e in lex.value_mentions.get(key[i : i + n], ()))
                out += [f for f in named if lex.knowledge.parent_of(f) in here]
    return out


def _gist(part: str, key: Tokens, free: list[bool], lex: Lexicon, *, named: bool) -> list[str]:
    """What the clauses without any known phrase are about."""
    g = gists(lex.knowledge)
    if not named:
        whole = g.about(concepts(key))
        if whole:
            return [h.finding for h in whole]
    out: list[str] = []
    at = 0
    for clause in _CLAUSE.split(part):
        toks = tokens(clause)
        if all(free[at : at + len(toks)]):
            said = concepts(toks)
            hits = g.about(said)
            out += [h.finding for h in hits] or (g.neutral(said) if POLAR.intersection(said) else ())
        at += len(toks)
    return out


def _last_resort(part: str, key: Tokens, lex: Lexicon, by: Resolver) -> list[str]:
    said = concepts(key)
    neutral = gists(lex.knowledge).neutral(said)
    if neutral:
        return list(neutral)
    if by is Resolver.EMBEDDING:
        from consult.language.similar import nearest

        return nearest(part, lex.knowledge)
    return []
