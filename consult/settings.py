"""Where things are and how far a consultation may go. Imports nothing of consult."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent

DEFAULT_DB: Final = Path("transcripts") / "consult.db"
MAX_TEXT: Final = 20_000
"""Characters of one utterance that are kept; the rest is cut and marked with an ellipsis."""


def builtin(kind: str) -> Path:
    """The folder of the built-in `personas` or `scenarios`: in the wheel, else in the checkout."""
    shipped = PACKAGE / "_builtin" / kind
    return shipped if shipped.is_dir() else PACKAGE.parent / kind


def users_own(kind: str) -> list[Path]:
    """The user's folders for `kind`: one in each of CONSULT_PATH, whether it is there or not."""
    return [Path(p) / kind for p in os.environ.get("CONSULT_PATH", "").split(os.pathsep) if p]


def search_path(kind: str) -> list[Path]:
    """Folders searched for `kind`, the user's first, then the built-in one."""
    return [*users_own(kind), builtin(kind)]


@cache
def source_commit() -> str | None:
    """The commit of the checkout this package runs from, or None (a wheel, or no git folder)."""
    git = PACKAGE.parent / ".git"
    try:
        head = (git / "HEAD").read_text("ascii").strip()
        if not head.startswith("ref: "):
            return head
        ref = head[5:]
        loose = git / ref
        if loose.is_file():
            return loose.read_text("ascii").strip()
        for line in (git / "packed-refs").read_text("ascii").splitlines():
            if line.endswith(" " + ref):
                return line.split()[0]
    except (OSError, UnicodeDecodeError):
        pass
    return None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one consultation."""

    max_turns: int = 14
    """Questions the inquirer may ask (3MDBench: 14)."""
    max_orders: int = 5
    """Orders it may place."""

    def __post_init__(self) -> None:
        if self.max_turns < 0 or self.max_orders < 0:
            raise ValueError("limits are 0 or more")


def cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
