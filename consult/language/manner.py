"""How the inquirer speaks: empathy, explanation, signposts, jargon, stacked questions; and what a layperson makes of it.

Text in, causes out; no mood, no scenario.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from consult.events import Query
from consult.knowledge.model import Knowledge
from consult.knowledge.per_object import per_object
from consult.language.lexicon import Entry, Lexicon, Phrases, lexicon
from consult.language.tokens import tokens
from consult.persona import Cause

_EMPATHY: Final = re.compile(
    r"\b(?:sorry (?:to hear|that|you|this|about)|(?:that|this|it) (?:must|sounds?|seems?|can)(?: have| be|'ve)?(?: been)?"
    r"(?: really| very| so| quite)? (?:hard|difficult|frightening|worrying|scary|upsetting"
    r"|tough|exhausting|unpleasant|miserable|distressing|painful|awful|horrible)"
    r"|i (?:can )?(?:understand|see|hear|imagine|appreciate)\b[^.?!]{0,40}"
    r"\b(?:worr|hard|difficult|upset|frighten|scar|concern|frustrat|feel|how|why|tired)"
    r"|thank you for (?:telling|sharing|being|your patience|trusting)|take your time|you(?:'re| are) not alone|anyone would (?:be|feel)"
    r"|i(?:'m| am) here to help|we(?:'ll| will) (?:get to the bottom|look after|take (?:good )?care))",
    re.IGNORECASE,
)
_EXPLANATION: Final = re.compile(
    r"\b(?:i(?:'m| am)? ask(?:ing)?\b[^.?!]{0,30}\bbecause|the reason i|this (?:will )?helps? me|it helps me|so that i can|so (?:that )?we can"
    r"|let me explain|what this means|to rule out|to make sure|to find out)\b",
    re.IGNORECASE,
)
_SIGNPOST: Final = re.compile(
    r"\b(?:(?:let me|i(?:'ll| will|'d like to| would like to| want to)|to|can i|may i) (?:just )?(?:sum up|summari[sz]e|recap|go over what)"
    r"|so,? (?:far )?you(?:'ve| have) told me|(?:what|here)(?:'s| is)? (?:i(?:'d like to| will)|we(?:'ll| will)) (?:do )?(?:first|next|now)"
    r"|(?:first|next|now|then),? i(?:'d like| would like|'ll| will| want| am going|'m going) to (?:ask|look|examine|talk|move|go)"
    r"|before we (?:finish|start|go on)|there (?:are|is) (?:just )?(?:one|two|three|a few) (?:more |last |other )?(?:thing|question)s?)",
    re.IGNORECASE,
)
_STACK: Final = 3
"""Findings asked in one breath from which a question is stacked."""


def manner(text: str, query: Query, knowledge: Knowledge) -> tuple[Cause, ...]:
    """What in `text` can move a mood, by its words alone."""
    out: list[Cause] = []
    if _EMPATHY.search(text):
        out.append(Cause.EMPATHY)
    if _EXPLANATION.search(text):
        out.append(Cause.EXPLANATION)
    if _SIGNPOST.search(text):
        out.append(Cause.SIGNPOST)
    if text.count("?") > 1 or len(query.findings) >= _STACK:
        out.append(Cause.STACKED)
    if jargon(text, _jargon(knowledge)):
        out.append(Cause.JARGON)
    return tuple(out)


@lru_cache(maxsize=20_000)
def jargon(text: str, terms: Phrases) -> tuple[str, ...]:
    """Clinical terms used; each counts even if explained beside it (explaining has its own reward)."""
    toks = tokens(text)
    return tuple(" ".join(toks[i:j]) for i, j, _ in terms.find(toks))


def clinical(text: str, knowledge: Knowledge) -> tuple[str, ...]:
    """The clinical terms of a knowledge that `text` uses."""
    return jargon(text, _jargon(knowledge))


def understood(text: str, query: Query, knowledge: Knowledge, health_literacy: str) -> Query:
    """What a patient makes of `text`, read as `query`: with low literacy, what only clinical words name is lost."""
    if health_literacy != "low" or not query.findings:
        return query
    toks = tokens(text)
    free = [True] * len(toks)
    lost: set[str] = set()
    for i, j, e in _jargon(knowledge).find(toks):
        lost.add(e.finding)
        free[i:j] = [False] * (j - i)
    if not lost:
        return query
    known = lexicon(knowledge)
    lost -= {e.finding for _, _, e in known.mentions.find(toks, free)}  # said in plain words too
    left = tuple(f for f in query.findings if not _hangs_on(f, lost, known))
    if left == query.findings:
        return query
    topics = query.topics if left else ()
    return query.model_copy(update={"findings": left, "topics": topics, "open": query.open and bool(left or topics)})


def _hangs_on(finding: str, lost: set[str], known: Lexicon) -> bool:
    """Whether a finding, or what it belongs to, was named by a word that is not known."""
    node: str | None = finding
    while node is not None:
        if node in lost:
            return True
        node = known.parent(node)
    return False


def _terms(knowledge: Knowledge) -> Phrases:
    """Clinical wordings that are no plain ones: of findings, and nothing that a patient or a plain question says.

    Synonyms do not make a term plain: they are there to be understood, and may well be a doctor's words.
    """
    plain = {t for f in knowledge.findings for w in (f.plain, *f.questions, f.present) for t in tokens(w)}
    out = Phrases()
    for f in knowledge.findings:
        key = tokens(f.clinical)
        if key and not set(key) <= plain:
            out.add(key, Entry(f.id))
    return out


_jargon = per_object(_terms)
