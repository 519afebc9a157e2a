"""What a question asks of the complaint that the talk is about: "Where is it?", "Does it spread?", "Sharp or dull?".

Only for a question that says too little by itself. Owns what the talk is about and how such a question is read; knows
nothing of scenarios.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from consult.events import Statement, Told
from consult.knowledge.model import BACKGROUND, Knowledge, Source
from consult.language.concepts import concepts
from consult.language.gist import ASIDE, COVER_ALONE, gists
from consult.language.lexicon import Lexicon
from consult.language.tokens import Tokens, tokens

_REFERS: Final = frozenset("it that this they them these those".split())
"""Words for what the talk is about; "where do you come from?" has none of them."""
LONGEST: Final = 3
"""Words of a value that is asked for."""


def talk_of(told: Iterable[Told | Statement], knowledge: Knowledge) -> tuple[str, ...]:
    """The complaints of which details can be asked, the one told last first. `told`: in order, what was said so far."""
    g = gists(knowledge)
    roots = (g.root(t.finding) for t in told if t.state == "present")
    return tuple(f for f in dict.fromkeys(reversed(list(roots))) if _is_complaint(f, knowledge))


def _is_complaint(finding: str, knowledge: Knowledge) -> bool:
    f = knowledge.finding[finding]
    return f.source is Source.HISTORY and f.topic not in BACKGROUND


def refers(key: Tokens) -> bool:
    """Whether a question that says nothing of what it is about can be about what the talk is."""
    return "anywhere" not in key and ("place" in concepts(key) or not _REFERS.isdisjoint(key))


def of_the_talk(key: Tokens, about: Sequence[str], lex: Lexicon) -> list[str]:
    """The details asked for of one of `about`: of one that is named in part ("the pain") before any other.

    Where the complaint is, if nothing is known of that, is what it is called.
    """
    g, said = gists(lex.knowledge), concepts(key)
    if "@" in key and ASIDE.issuperset(said) and _REFERS.isdisjoint(key):
        return []
    for root in sorted(about, key=lambda f: not _name(f, lex.knowledge).intersection(said)):
        found = g.below(root, said, several="or" in key or "and" in key) or _by_value(key, root, lex)
        if found and _accounts(found, root, key, lex):
            return found
    return [f for f in about if "place" in said and set(said) - ASIDE <= _name(f, lex.knowledge)][:1]


def of_another(found: Sequence[str], key: Tokens, about: Sequence[str], lex: Lexicon) -> bool:
    """Whether all that was found are details of what was neither told nor named."""
    g, said = gists(lex.knowledge), concepts(key)
    roots = {g.root(f) for f in found}
    return roots.isdisjoint((*found, *about)) and not any(_name(r, lex.knowledge).intersection(said) for r in roots)


def _name(finding: str, knowledge: Knowledge) -> set[str]:
    return set(concepts(tokens(knowledge.finding[finding].plain)))


def _by_value(key: Tokens, root: str, lex: Lexicon) -> list[str]:
    """The detail of which a value is asked for: "sharp", "on the left"."""
    g = gists(lex.knowledge)
    spans = (key[i : i + n] for n in range(LONGEST, 0, -1) for i in range(len(key) - n + 1))
    named = (e.finding for span in spans for e in lex.value_mentions.get(span, ()))
    return list(dict.fromkeys(f for f in named if f != root and g.root(f) == root))[:1]


def _accounts(found: Sequence[str], root: str, key: Tokens, lex: Lexicon) -> bool:
    """Whether little else is said than what the details and what they belong to are called."""
    g, said = gists(lex.knowledge), set(concepts(key)) - ASIDE
    meant = g.meant_by(found) | _name(root, lex.knowledge) | _values(found, lex)
    return sum(g.weight(c) for c in said & meant) >= COVER_ALONE * sum(map(g.weight, said))


def _values(found: Sequence[str], lex: Lexicon) -> set[str]:
    values = (v for f in found for v in lex.knowledge.finding[f].values)
    return {c for v in values for words in (v.plain, *v.synonyms) for c in concepts(tokens(words))}
