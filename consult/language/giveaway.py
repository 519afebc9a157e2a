"""Whether words give the diagnosis away: a name of it, its telling words in any order, a word only it has, its initials.

Also where a name is misspelt, in cipher, or in another language that is known here (`abroad.txt`).

"The bleed must be in my brain" says as much as "a brain bleed". What is telling is worked out from the knowledge (ours):
a word counts only if no finding is put into words with it. Knows nothing of what was asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from consult.events import Told
from consult.knowledge.model import FindingKind, Knowledge
from consult.knowledge.per_object import per_object
from consult.language.disguise import LONG, SHORT, ciphers, edits, enciphered, folded, meant, nearly, sound, words_of
from consult.language.lexicon import Entry, Lexicon, Phrases, lexicon
from consult.language.realiser import statement, voiced
from consult.language.tokens import Tokens, tokens
from consult.scenario import Scenario

ROOT: Final = 6
"""Letters by which two long words are taken to be one: "inflammation", "inflammatory"."""
OWNERS: Final = 2
"""Conditions that may share such a word."""
SPREAD: Final = 4
"""Words that may stand between those of a name."""
SMALL_TALK: Final = 2
"""The same, where patients use each of those words for other things too."""
_SMALL: Final = frozenset("of and in to with by for or on from at".split())
_EMPTY: Final = _SMALL | frozenset("threat acute chronic disease syndrome common type simple small large other".split())
"""Words of a name that tell nothing."""
_WHOLE: Final = re.compile(r"(?<!['’])\b[a-z]+\b(?!['’])")
"""Words without an apostrophe: "here's" is no misspelt "herpes"."""


def leaks(text: str, told: Iterable[Told], scenario: Scenario, knowledge: Knowledge) -> bool:
    """Whether the gold diagnosis or an alternative is given away, other than inside a released fact's own words.

    ("I've had shingles before" is a fact of history where it is one, even if the answer is shingles again.)
    """
    lex = lexicon(knowledge)
    marks = _marks(lex, (scenario.gold.condition, *scenario.gold.alternatives))
    if any(word in marks.initials for word in re.findall(r"\b[A-Z]{3,6}\b", text)):
        return True
    toks = _folded(text)
    hits = _found(marks, toks)
    if hits:
        covered = _covered(toks, told, scenario, lex)
        if any(not all(covered[i] for i in hit) for hit in hits):
            return True
    return _hidden(marks, text)


def _covered(toks: Tokens, told: Iterable[Told], scenario: Scenario, lex: Lexicon) -> list[bool]:
    covered = [False] * len(toks)
    for t in told:
        finding = lex.knowledge.finding.get(t.finding)
        if finding is None or t.state not in ("present", "absent") or finding.kind is FindingKind.TEXT:
            continue
        key = _folded(voiced(statement(t, finding, scenario), finding, scenario))
        for i in range(len(toks) - len(key) + 1):
            if toks[i : i + len(key)] == key:
                covered[i : i + len(key)] = [True] * len(key)
    return covered


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """By what a diagnosis is known."""

    names: Phrases
    sets: dict[frozenset[str], int]
    """Roots that name it together, and within how many words."""
    words: frozenset[str]
    """Roots that name it alone."""
    initials: frozenset[str]
    spelt: frozenset[str]
    """The telling words of its names, by which misspelt ones are known."""
    single: frozenset[str]
    """Its names of one word."""
    known: frozenset[str]
    """Words that findings are put into words with: no misspelling of another."""
    squeezed: frozenset[str]
    """Its long names as they sound, without what is between the words."""
    ciphers: frozenset[str]
    plain: frozenset[tuple[str, ...]]
    """The names, word by word."""

    def found(self, toks: Tokens) -> Iterator[tuple[int, ...]]:
        """Where it is named: the places of the tokens."""
        for i, j, _ in self.names.find(toks):
            yield tuple(range(i, j))
        roots = [root(t) for t in toks]
        for i, r in enumerate(roots):
            if r in self.words:
                yield (i,)
        for together, window in self.sets.items():
            at = [i for i, r in enumerate(roots) if r in together]
            for i in at:
                near = [k for k in at if i <= k < i + window]
                if together <= {roots[k] for k in near}:
                    yield tuple(near)


@lru_cache(maxsize=4096)
def _found(marks: _Marks, toks: Tokens) -> tuple[tuple[int, ...], ...]:
    """Remembered, because the guard and the audit read the same words."""
    return tuple(marks.found(toks))


@lru_cache(maxsize=4096)
def _hidden(marks: _Marks, text: str) -> bool:
    """Whether it is named by a misspelt word, or in cipher. What is released is no excuse: facts are told as they are."""
    spoken = [w for w in _WHOLE.findall(folded(text)) if not marks.known.issuperset(tokens(w))]
    if any(_mended(w, marks.single, marks.known) != w for w in spoken):
        return True
    toks = _folded(text)
    read = tuple(_mended(t, marks.spelt, marks.known) for t in toks)
    changed = {i for i, (a, b) in enumerate(zip(toks, read, strict=True)) if a != b}
    if changed and any(changed.intersection(hit) for hit in marks.found(read)):
        return True
    if any(_but_for_a_letter(toks, name) for name in marks.names.table):
        return True
    exact = {i for start, end, _ in marks.names.find(toks) for i in range(start, end)}
    letters = _sounding(t for i, t in enumerate(toks) if i not in exact)
    if any(nearly(letters, name) for name in marks.squeezed):
        return True
    return enciphered(text, marks.ciphers, marks.plain)


def _folded(text: str) -> Tokens:
    return tokens(folded(text))


def _but_for_a_letter(toks: Tokens, name: Tokens) -> bool:
    """Whether a name of several words stands there with one letter of one word wrong: "acute heat failure"."""
    n = len(name)
    if n < 2 or len(set(name).intersection(toks)) < len(set(name)) - 1:
        return False
    for i in range(len(toks) - n + 1):
        wrong = [(a, b) for a, b in zip(toks[i : i + n], name, strict=True) if a != b]
        if len(wrong) == 1 and len(wrong[0][1]) >= SHORT and abs(len(wrong[0][0]) - len(wrong[0][1])) < 2:
            return edits(*reversed(wrong[0])) == 1
    return False


def _sounding(toks: Iterable[str]) -> str:
    return sound(re.sub("[^a-z]", "", "".join(toks)))


def _mended(word: str, names: frozenset[str], known: frozenset[str]) -> str:
    """The name that a word is a misspelling of, else the word; another ending is none: `root` sees to that."""
    name = word if word in known else meant(word, names)
    return word if root(name) == root(word) and name[-2:] != word[-2:] else name


@lru_cache(maxsize=256)
def _marks(lex: Lexicon, conditions: tuple[str, ...]) -> _Marks:
    phrases, words, initials = Phrases(), set(), set()
    sets: dict[frozenset[str], int] = {}
    plain, owners = _plain(lex.knowledge), _owners(lex.knowledge)
    all_names: list[str] = []
    for c_id in conditions:
        c = lex.knowledge.condition.get(c_id)
        for name in abroad(c_id):
            phrases.add(_folded(name), Entry(c_id))
        own = (c.name, c.plain, *c.synonyms) if c is not None else (c_id.replace("_", " "),)
        all_names += own
        for name in own:
            toks = _folded(name)
            phrases.add(toks, Entry(c_id))
            telling = frozenset(root(t) for t in toks if t not in _EMPTY)
            if len(telling) > 1 and not any(telling <= said for said in _sentences(lex.knowledge)):
                sets[telling] = len(telling) + (SMALL_TALK if telling <= plain else SPREAD)
            if len(toks) == 1 or (c is not None and name == c.name):
                words |= {root(t) for t in toks if len(t) >= LONG and owners[root(t)] <= OWNERS} - plain
            if c is not None and name != c.plain:
                initials.add("".join(t[0] for t in toks if t not in _SMALL).upper())
    return _Marks(
        names=phrases,
        sets=sets,
        words=frozenset(words),
        initials=frozenset(initials),
        spelt=frozenset(t for name in all_names for t in _folded(name) if t not in _SMALL),
        single=frozenset(n[0] for n in map(words_of, (a for a in all_names if not a.isupper())) if len(n) == 1),
        known=_vocabulary(lex.knowledge),
        squeezed=frozenset(map(_sounding, map(_folded, all_names))),
        ciphers=frozenset(c for name in all_names for c in ciphers(name)),
        plain=frozenset(tuple(words_of(name)) for name in all_names),
    )


def abroad(condition: str) -> tuple[str, ...]:
    """Names of a condition in other languages; those of the answers of the built-in scenarios are known."""
    return _names_abroad().get(condition, ())


@lru_cache(maxsize=1)
def _names_abroad() -> dict[str, tuple[str, ...]]:
    text = files("consult.language").joinpath("abroad.txt").read_text("utf-8")
    rows = (line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))
    return {c_id.strip(): tuple(n.strip() for n in names.split(",") if n.strip()) for c_id, names in rows}


def root(word: str) -> str:
    """A word without its ending."""
    return word[:ROOT] if len(word) >= LONG else word


def _told_in(knowledge: Knowledge) -> tuple[frozenset[str], ...]:
    """Roots of each sentence that tells a finding: "simple back pain" is no more than "I have pain in my back"."""
    return tuple(frozenset(map(root, tokens(f.present))) for f in knowledge.findings)


def _worded_with(knowledge: Knowledge) -> frozenset[str]:
    """The words with which findings are put into words."""
    out: set[str] = set()
    for f in knowledge.findings:
        for text in (f.plain, f.present, f.absent, *f.questions, *(v.plain for v in f.values)):
            out.update(tokens(text))
    return frozenset(out)


def _said_plainly(knowledge: Knowledge) -> frozenset[str]:
    """Their roots."""
    return frozenset(map(root, _vocabulary(knowledge)))


def _named_by(knowledge: Knowledge) -> Counter[str]:
    """Of each root, in how many conditions' names it stands."""
    out: Counter[str] = Counter()
    for c in knowledge.conditions:
        out.update({root(t) for name in (c.name, c.plain, *c.synonyms) for t in tokens(name)})
    return out


_sentences = per_object(_told_in)
_vocabulary = per_object(_worded_with)
_plain = per_object(_said_plainly)
_owners = per_object(_named_by)
