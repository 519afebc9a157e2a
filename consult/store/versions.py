"""Which scorers made a score: a version is the code that computed it.

Scores follow from a transcript, the content it was played with (whose hashes its header has) and this code; so equal
code makes equal scores, and two sets of scores may be compared only where the code was the same. No number has to be
raised by hand: the version is a hash of the sources, of comments too, because a version too many costs a
`consult score`, and one too few a wrong comparison. Must not import what it hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from consult.seeds import digest
from consult.settings import PACKAGE

SOURCES: Final = ("score", "language", "knowledge", "events", ".")
"""Folders of the package whose modules decide a score; `.` stands for the package's own, without its folders."""


_JUDGED: Final = ("judge/", "rubric/")
"""What the names of judges' prompts and of rubrics begin with, in the hashes of a header."""


class ScoredBy(NamedTuple):
    """Who scored: the hash of the scorers' sources, and the consult they came with."""

    scorers: str
    consult: str
    commit: str | None


@cache
def scorers(*more: str) -> str:
    """sha256 over the sources of the scorers and all they call; `more`: folders of others that score beside them."""
    return _hashed(path for folder in (*SOURCES, *more) for path in sorted((PACKAGE / folder).glob("*.py")))


def judged_by(judges: str, hashes: Mapping[str, str], consult: str, commit: str | None) -> ScoredBy:
    """The version where models judged beside the scorers, who are named in it.

    `judges`: their spec; `hashes`: of their prompts and rubrics by name, others among them do not count.
    """
    named = judges.replace(" ", "")
    read = {name: value for name, value in hashes.items() if name.startswith(_JUDGED)}
    return ScoredBy(digest([scorers("judge"), named, read]), f"{consult}, judged by {named}", commit)


def _hashed(paths: Iterable[Path]) -> str:
    out = hashlib.sha256()
    for path in paths:
        source = path.read_bytes().replace(b"\r\n", b"\n")
        out.update(f"{path.relative_to(PACKAGE).as_posix()}\n{len(source)}\n".encode())
        out.update(source)
    return out.hexdigest()
