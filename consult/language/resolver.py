"""The question resolver: what an utterance of the inquirer asks for. Text in, `Query` out; no scenario, no mood."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from consult.events import Query
from consult.knowledge.model import Knowledge
from consult.language.lexicon import Lexicon, lexicon
from consult.language.tokens import Tokens, sentences, tokens

_OPEN: Final = re.compile(
    r"tell me (?:more|all|everything|what)|what (?:brings|brought)|how can i help"
    r"|what(?:'s| is) (?:wrong|the (?:matter|problem|trouble)|going on|been (?:happening|going on))"
    r"|anything else|what else|go on\b|in your own words"
    r"|describe (?:it|what|how|the problem)|how have you been|what(?: has|'s) happened|walk me through",
    re.IGNORECASE,
)
_ABOUT: Final = re.compile(
    r"(?:tell me|talk|say|hear|know|more|ask you)(?: \w+){0,3} about |describe |how (?:is|are|has|about) |what about ",
    re.IGNORECASE,
)
_REQUEST: Final = re.compile(
    r"\b(?:tell me|describe|talk me|walk me|explain|let me know|i(?:'d| would) like to (?:know|hear))\b", re.I
)


def resolve(text: str, knowledge: Knowledge) -> Query:
    """What `text` asks: findings asked specifically, topics opened, whether it is open, or nothing at all."""
    return _resolve(text, lexicon(knowledge))


@lru_cache(maxsize=20_000)
def _resolve(text: str, lex: Lexicon) -> Query:
    parts = sentences(text)
    exact = _exact(parts, lex)
    if exact is not None:
        return Query(findings=exact)
    asking = [p for p in parts if "?" in p or _REQUEST.search(p) or _OPEN.search(p)]
    found: list[str] = []
    topics: list[str] = []
    is_open = False
    for part in asking or parts:
        key = tokens(part)
        hit = lex.questions.get(key)
        if hit is not None:
            found.append(hit)
            continue
        _scan(part, key, lex, found, topics)
        is_open = is_open or bool(_OPEN.search(part) or (_ABOUT.search(part) and (found or topics)))
    if is_open:
        topics += [lex.knowledge.finding[f].topic for f in found]
    nothing = not asking and not found and not topics
    return Query(
        findings=tuple(dict.fromkeys(found)),
        topics=tuple(dict.fromkeys(topics)),
        open=is_open,
        asks_nothing=nothing,
    )


def _exact(parts: tuple[str, ...], lex: Lexicon) -> tuple[str, ...] | None:
    """The last sentences, as many as it takes, as one known question (whose wording may hold full stops)."""
    for k in range(max(0, len(parts) - lex.longest_question), len(parts)):
        hit = lex.questions.get(tokens(" ".join(parts[k:])))
        if hit is not None:
            return (hit,)
    return None


def _scan(part: str, key: Tokens, lex: Lexicon, found: list[str], topics: list[str]) -> None:
    """Add what a sentence mentions: findings; attributes whose value is named beside their parent; topics."""
    free = [True] * len(key)
    for start, end, entry in lex.mentions.find(key):
        found.append(entry.finding)
        free[start:end] = [False] * (end - start)
    here = set(found)
    for i in range(len(key)):
        for n in (3, 2, 1):
            for entry in (
                lex.value_mentions.get(key[i : i + n], ()) if i + n <= len(key) and all(free[i : i + n]) else ()
            ):
                if lex.parent(entry.finding) in here:
                    found.append(entry.finding)
    if _ABOUT.search(part) or not here:
        topics += [e.finding for _, _, e in lex.topics.find(key, free)]
