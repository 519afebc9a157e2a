"""How far a batch is, in a few words: the rate and what is left, right diagnoses so far, what models took.

What a line of the command and the screen of a batch both say, said once. scipy is loaded when the first diagnosis was judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

N = TypeVar("N", int, float)


def speed(played: int, seconds: float, left: int) -> list[str]:
    """The rate, and how long what is left will take at it; nothing before something was played."""
    if played < 1 or seconds <= 0:
        return []
    rest = timedelta(seconds=round(left * seconds / played))
    return [f"{played / seconds:.1f} a second", *([f"{rest} left"] if left else [])]


def top1(right: int, judged: int) -> tuple[float, float, float] | None:
    """The share of right diagnoses, with its interval (Wilson's); None where nothing was judged."""
    if not judged:
        return None
    from consult.stats.intervals import wilson

    share = right / judged
    return share, *wilson(share, judged)


def top1_in_words(share: tuple[float, float, float] | None) -> list[str]:
    """`top-1 0.61 (0.50 to 0.71)`."""
    return [] if share is None else ["top-1 {:.2f} ({:.2f} to {:.2f})".format(*share)]


def taken(tokens: int | None, cost: float | None) -> list[str]:
    """Tokens and money."""
    return [
        "tokens unknown" if tokens is None else f"{tokens} tokens",
        "cost unknown" if cost is None else f"${cost:.2f}",
    ]


def total(values: Iterable[N | None]) -> N | None:
    """The sum; None if any is not known."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
