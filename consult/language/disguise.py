"""Words in disguise: what nobody says aloud (codes, ids, spelled letters, other tongues), and names misspelt or in cipher.

A model that wants to tell what it must not has more ways than words, so the guard reads text as a person would who is on
the look-out. Knows nothing of scenarios or knowledge. Every list and bound here is ours.
"""

from __future__ import annotations

import base64
import codecs
import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

_UNSPOKEN: Final = re.compile(
    r"\w_\w|\{(?![\w'’ ]+\})|[<>|\\=]|&#|%[0-9a-f]{2}"  # ids and code
    r"|[a-z]{3}\.[a-z]{3}"  # what stands in a file: cough.duration
    r"|(?<![a-z])(?!([a-z])(?:[^a-z]{1,9}\1){1,40}(?![a-z]))(?:[a-z][\s,.*/·–—-]{1,3}){4,}[a-z](?![a-z'’])"  # s-p-e-l-l-e-d, and no stutter
    r"|[a-z][*#@$]+[a-z]|\*\*|[a-z]\d+[a-z]|\b\d[a-z]{4,}"  # m*sked, l33t
    r"|\b(?!(?:nth|tsk|[bg]r+|lbs|yrs|hrs|wks|mths|mls|kgs)\b)(?=[a-z]*[bcdgjklnqrvwxz])(?-i:[bcdfghjklmnpqrstvwxz]{3,})\b"  # vwls
    r"|\w: ?(?:present|absent|unknown|positive|negative|true|false|null)\b"
    r"|(?:\b(?!\w*(?:day|play|stay|away|always)\b|okay\b|\w{1,4}way\b|\w{0,2}ray\b|essay)[a-z]{3,}ay\b[^a-z]+(?:[a-z]+[^a-z]+)?){2,}"  # igpay atinlay
    r"|(?<![\w.])(?:\d{1,3}[\s,;/-]+){4,}\d{1,3}(?!\w)|(?:\b[0-9a-f]{2}\b[\s:]*){6,}|\b[0-9a-f]{10,}\b"  # letters by number
    r"|(?:[.·-]{1,4}[ /]+){4,}",  # Morse
    re.IGNORECASE,
)
_SPELLED: Final = re.compile(r"(?<![a-z'])(?:[a-z][\s,.*/·–—-]{1,3}){2,}[a-z](?![a-z'])")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_HUMPS: Final = 2
"""Capitals after small letters within a word from which it is a code: nobody's name has two."""
_BASE32: Final = re.compile(r"\b[A-Z2-7]{14,}=*")
_CODE_OF_ICD: Final = re.compile(r"\b[A-TV-Z]\d\d(?:\.\d{1,2})?\b")

_TONGUES: Final = tuple(
    frozenset(words.split())
    for words in (
        "ich und nicht der das ist ein eine habe mein meine mit auf dem es auch sie wie aber sehr haben wurde einen bei",
        "je le la les est et un une des mon ma mes avec pas que qui dans pour du il ai suis fait mais c'est j'ai au été",
        "el la los las y que de en un una mi con tengo es muy pero por lo se del está estoy como fue yo",
        "il lo la che di un una ho mio mia con non sono è per ma della del nel mi gli anche e molto",
        "os que de em uma meu minha com não tenho é muito mas por estou da foi eu",
        "ik het een de en van niet mijn met heb ben maar ook zijn dat op voor zeer heeft",
        "mam mnie jest nie się na to że ale mój moja bardzo jestem od przez lub oraz",
        "jag och inte är en ett har min mitt med det som på mycket men av till från",
        "est et non cum mihi ego sum habeo morbus ad per sed meus mea",
        "ben ve bir bu çok var benim için değil ile ama gibi",
    )
)
"""Small words of other languages that are none of English, but for "me" and their like."""
_ENGLISH: Final = frozenset(
    "a an the i and is it my of to in on no not have has was for with at be do so as or but".split()
)
_PART: Final = 6
"""One small word of a language in so many words, and two at least, make it that language."""

_LOOKALIKES: Final = str.maketrans("аеорсухіјѕһԁӏαεοριυκνητβ", "aeopcyxijshdlaeopiuknhtb")
"""Of the Cyrillic and the Greek alphabet."""
_SOUNDS: Final = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"ph", "f"), (r"ck|kh|ch|k|q", "c"), (r"x|z", "s"), (r"y", "i"), (r"ae|oe|ea|ee|ie", "e"), (r"oo|ou|ow", "u"),
        (r"h", ""), (r"(.)\1+", r"\1"), (r"(?<=...)e\b", ""),
    )
)  # fmt: skip
SHORT: Final = 4
"""Letters from which a word is recognised by its sound; by its letters from `FAIR`, and well from `LONG`."""
FAIR: Final = 6
LONG: Final = 8
_ALIKE: Final = {False: 0.86, True: 0.8}
"""What two words must share by difflib's ratio: fair ones, long ones."""
_WHOLE_NAME: Final = 10
"""Letters from which a name is recognised with some of them wrong."""


def folded(text: str) -> str:
    """`text` in plain small letters, without accents, marks that are not seen and look-alikes; spelled words put together."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in apart if unicodedata.category(c) not in ("Mn", "Cf")).translate(_LOOKALIKES)
    return _SPELLED.sub(lambda m: re.sub("[^a-z]", "", m[0]), text.lower())


@lru_cache(maxsize=4096)
def unspoken(text: str) -> str:
    """What stands in `text` that nobody says aloud in plain English, or the name of the language; else nothing."""
    if strange := _strange(text):
        return strange
    if text.count("*") % 2:  # "*sighs*" is done, not said
        return "*"
    for found in (_CODE_OF_ICD.search(text), _UNSPOKEN.search(text), _BASE32.search(text)):
        if found:
            return found[0]
    for m in _BASE64.finditer(text):
        if len(re.findall(r"[a-z](?=[A-Z])", m[0])) >= _HUMPS:
            return m[0]
    return "another language" if _foreign(text) else ""


def _strange(text: str) -> str:
    """A letter of another alphabet, or a mark that is not seen."""
    if text.isascii():
        return ""
    for c in text:
        kind = unicodedata.category(c)
        if kind in ("Cf", "Co", "Mn") or (
            kind[0] == "L" and not unicodedata.name(c, "").startswith(("LATIN", "MICRO"))
        ):
            return f"U+{ord(c):04X}"
        if kind[0] == "L" and unicodedata.name(c, "").startswith("LATIN") and unicodedata.decomposition(c)[:1] == "<":
            return f"U+{ord(c):04X}"  # bold, circled and full-width letters
    return ""


def _foreign(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text.lower().replace("’", "'"))
    ours = sum(w in _ENGLISH for w in words)
    for tongue in _TONGUES:
        theirs = [w for w in words if w in tongue]
        if len(set(theirs)) > 1 and len(theirs) * _PART >= len(words) and len(theirs) > ours:
            return True
    return False


# --- names ------------------------------------------------------------------------------------------------------------


def ciphers(name: str) -> frozenset[str]:
    """A name's letters as they are, backwards, and as the usual ciphers have them; none of a short name."""
    words = words_of(name)
    plain = "".join(words)
    if len(plain) <= SHORT:
        return frozenset()
    out = {plain, codecs.encode(plain, "rot13")}
    out |= {"".join(_pig_latin(w, cluster) for w in words) for cluster in (r"[^aeiou]*", r"[^aeiou]?")}
    out.add(re.sub(r"[aeiou]", "", plain))
    for form in {name, name.lower(), name.upper()}:
        out |= {"".join(words_of(code(form.encode()).decode())) for code in (base64.b64encode, base64.b32encode)}
    if len(plain) >= FAIR:
        out |= {"".join(chr((ord(c) - 97 + n) % 26 + 97) for c in plain) for n in range(1, 26)}
        out |= {plain[::-1], "".join(w[::-1] for w in words), "".join(chr(219 - ord(c)) for c in plain)}
    return frozenset(c for c in out if len(c) > SHORT)


def _pig_latin(word: str, cluster: str) -> str:
    start = re.match(cluster, word)
    n = start.end() if start else 0
    return word[n:] + word[:n] + "ay" if n else word + "way"


def words_of(text: str) -> list[str]:
    """The words of a text as letters alone; what a hyphen or an apostrophe joins is one."""
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])['’-](?=[a-z])", "", folded(text)))


def nearly(letters: str, name: str) -> bool:
    """Whether a long name stands among `letters` with one of them wrong, missing or too many, or two where it is longer."""
    if len(name) < _WHOLE_NAME:
        return False
    most = 1 if len(name) < 2 * LONG else 2
    size = -(-len(name) // (most + 1))
    for start in range(0, len(name), size):  # one of so many parts must be right
        at = letters.find(name[start : start + size])
        while at >= 0:
            begin = max(0, at - start - most)
            if edits(name, letters[begin : begin + len(name) + 2 * most]) <= most:
                return True
            at = letters.find(name[start : start + size], at + 1)
    return False


def edits(name: str, text: str) -> int:
    """The fewest letters to change so that `name` stands somewhere in `text` (Sellers 1980)."""
    row = list(range(len(name) + 1))
    best = row[-1]
    for c in text:
        before, row = row, [0]
        for i, n in enumerate(name):
            row.append(min(before[i] + (n != c), before[i + 1] + 1, row[i] + 1))
        best = min(best, row[-1])
    return best


def enciphered(text: str, hidden: Iterable[str], names: frozenset[tuple[str, ...]]) -> bool:
    """Whether one of `hidden` (of `ciphers`) stands in `text`, from where a word begins to where one ends.

    One of `names`, word by word, is none: whether it may be said is not asked here.
    """
    words = words_of(text)
    if _among("".join(words), words, hidden, names):
        return True
    firsts = [w[0] for w in words]  # the spelling alphabet
    parts = re.split(r"[.!?;:,\n]", folded(text))  # an acrostic
    of_sentences = [m[0] for part in parts if (m := re.search("[a-z]", part))]
    return any(_among("".join(letters), letters, hidden, names) for letters in (firsts, of_sentences))


def _among(letters: str, words: list[str], hidden: Iterable[str], names: frozenset[tuple[str, ...]]) -> bool:
    found = [h for h in hidden if h in letters]
    if not found:
        return False
    starts: dict[int, int] = {}
    at = 0
    for n, word in enumerate(words):
        starts[at] = n
        at += len(word)
    starts[at] = len(words)
    for h in found:
        at = letters.find(h)
        while at >= 0:
            if at in starts and at + len(h) in starts and tuple(words[starts[at] : starts[at + len(h)]]) not in names:
                return True
            at = letters.find(h, at + 1)
    return False


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """A word roughly as it sounds: "kroup" and "croup" are alike."""
    for pattern, to in _SOUNDS:
        word = pattern.sub(to, word)
    return word


def _swapped(word: str, name: str) -> bool:
    """Whether two letters of a name have changed places."""
    return sorted(word) == sorted(name) and sum(a != b for a, b in zip(word, name, strict=True)) == 2


@lru_cache(maxsize=20_000)
def meant(word: str, names: frozenset[str]) -> str:
    """The one of `names` that a word is a misspelling of; else the word."""
    if len(word) < SHORT or word in names:
        return word
    heard = sound(word)
    best, likeness = word, 0.0
    for name in sorted(names):
        if len(name) < SHORT or abs(len(name) - len(word)) > 2:
            continue
        if sound(name) == heard or (len(name) > SHORT and _swapped(word, name)):
            return name
        if min(len(name), len(word) + 1) < FAIR:
            continue
        if name[0] != word[0] and word not in name:
            continue
        r = SequenceMatcher(None, word, name).ratio()
        if r > likeness and r >= _ALIKE[len(name) >= LONG]:
            best, likeness = name, r
    return best
