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
_MATCHED: Final = ("matcher/",)
"""Likewise, of a matcher's prompts."""


class ScoredBy(NamedTuple):
    """Who scored: the hash of the scorers' sources, and the consult they came with."""

    scorers: str
    consult: str
    commit: str | None


@cache
def scorers(*more: str) -> str:
    """sha256 over the sources of the scorers and all they call; `more`: folders of others that score beside them."""
    return _hashed(path for folder in (*SOURCES, *more) for path in sorted((PACKAGE / folder).glob("*.py")))


def judged_by(
    judges: str, hashes: Mapping[str, str], consult: str, commit: str | None, *, matcher: str = ""
) -> ScoredBy:
    """The version where models judged beside the scorers, or matched names for them, who are named in it.

    `judges`, `matcher`: their specs, empty where there are none; `hashes`: of their prompts and rubrics by name, others
    among them do not count.
    """
    if not judges and not matcher:
        return ScoredBy(scorers(), consult, commit)
    named = judges.replace(" ", "")
    counted = (*(_JUDGED if judges else ()), *(_MATCHED if matcher else ()))
    read = {name: value for name, value in hashes.items() if name.startswith(counted)}
    said = [f"judged by {named}"] * bool(judges) + [f"names matched by {matcher}"] * bool(matcher)
    own = [scorers("judge"), named, read, *([matcher] if matcher else [])]
    return ScoredBy(digest(own), ", ".join([consult, *said]), commit)


def _hashed(paths: Iterable[Path]) -> str:
    out = hashlib.sha256()
    for path in paths:
        source = path.read_bytes().replace(b"\r\n", b"\n")
        out.update(f"{path.relative_to(PACKAGE).as_posix()}\n{len(source)}\n".encode())
        out.update(source)
    return out.hexdigest()
