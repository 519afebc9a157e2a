"""A doctor's last word in the bare terminal, asked for line by line; a line that cannot be taken is asked for again.

Owns the questions and how an answer is read; what it must hold is `consult.tui.typed`'s. Must not import textual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import click

from consult.clean import clean, one_line

if TYPE_CHECKING:
    from consult.actions import Conclude, Diagnosis, Refer
    from consult.tui.feed import Menu

T = TypeVar("T")
BACK: Final = "/back"


class _Back(Exception):
    """The consultation is to go on."""


def ask_ending(menu: Menu, kind: Literal["diagnose", "refer"]) -> Conclude | Refer | None:
    """What ends the consultation; None if it is to go on. Raises EOFError where nothing more can be typed."""
    from consult.terms import Urgency
    from consult.tui.typed import LastWord

    refer = kind == "refer"
    levels = {u.replace("_", " "): str(u) for u in Urgency}
    try:
        differential = _differential()
        urgency = _ask(f"urgency ({', '.join(levels)})> ", lambda line: _one_of(levels, line, needed=refer))
        place = _ask(
            "department, its name or a part of it; ? lists all> ", lambda line: _place(menu, line, needed=refer)
        )
        prompts = (
            "reason" if refer else "plan, parts with ;",
            "what you tell the patient",
            "what must bring them back",
        )
        return LastWord(differential, urgency, place, *(_ask(f"{p}> ", str) for p in prompts)).action(kind)
    except _Back:
        return None


def _differential() -> tuple[Diagnosis, ...]:
    from consult.tui.typed import RANKS, ranked

    click.echo(
        "The likeliest condition first, with a probability in percent if you like: angina 70. "
        f"An empty line ends the list, {BACK} leads back to the patient."
    )
    named: list[tuple[str, str]] = []

    def read(line: str) -> bool:
        both = [*named, _name_and_percent(line)]
        ranked(both)
        if line:
            named[:] = both
        return not line

    while len(named) < RANKS and not _ask(f"{len(named) + 1}. condition> ", read):
        pass
    return ranked(named)


def _ask(prompt: str, read: Callable[[str], T]) -> T:
    """What is typed, as it is read; asked for again where `read` raises ValueError."""
    while True:
        line = clean(input(prompt)).strip()
        if line.casefold() == BACK:
            raise _Back
        try:
            return read(line)
        except ValueError as e:
            click.echo(f"not taken: {e}")


def _one_of(known: Mapping[str, str], line: str, *, needed: bool) -> str:
    name = line.casefold().replace("_", " ")
    if name in known or not (name or needed):
        return known.get(name, "")
    raise ValueError(f"{one_line(line, limit=40) or 'nothing'} is none of {', '.join(known)}")


def _place(menu: Menu, line: str, *, needed: bool) -> str:
    """`primary/secondary` of the department that was meant; where several may be, they are listed."""
    listed = [f"{n}. {words}" for n, (_, _, words) in enumerate(menu.departments, 1)]
    names = [words.casefold().split(" › ") for _, _, words in menu.departments]
    said, all_of_them = line.casefold(), range(len(listed))
    found = (
        [n for n in all_of_them if said in (str(n + 1), names[n][-1])]
        or [n for n in all_of_them if said == "?" or any(said in name for name in names[n])]
    )  # fmt: skip
    if not said and not needed:
        return ""
    if said and len(found) == 1:
        click.echo(listed[found[0]])
        return "/".join(menu.departments[found[0]][:2])
    if said and found:
        click.echo("\n".join(listed[n] for n in found))
        raise ValueError("its number, or more of its name")
    raise ValueError(f"{one_line(line, limit=40) or 'nothing'} is no department")


def _name_and_percent(line: str) -> tuple[str, str]:
    name, _, last = line.rpartition(" ")
    percent = last.removesuffix("%")
    return (name.strip(), percent) if name and percent.replace(".", "", 1).isdecimal() else (line, "")
