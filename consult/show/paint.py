"""How things are drawn: the gutter, bars, colours and safe text. Knows rich; knows nothing of events.

No text from a transcript is ever read as markup, and none reaches the terminal with control characters in it. No
colour alone carries meaning: every mark has a word or a sign.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Final

from rich.console import Console
from rich.text import Text

from consult.clean import one_line
from consult.show.words import safe

LEAST_WIDTH: Final = 24
"""Columns below which lines are cut rather than broken (ours)."""
MAX_WIDTH: Final = 112
"""Lines longer than this are hard to read; on a wider terminal the rest stays empty."""
LABEL: Final = 13

DOCTOR: Final = "bold cyan"
PATIENT: Final = "bold magenta"
GOOD: Final = "green"
BAD: Final = "red"
QUIET: Final = "dim"
URGENCY: Final = {
    "emergency": "bold white on red",
    "urgent": "bold black on yellow",
    "routine": "black on green",
    "self_care": "black on bright_white",
}


class Level(StrEnum):
    """How much is printed."""

    FULL = "full"
    """Dialogue, what goes on behind it, and the score card."""
    PLAIN = "plain"
    """The dialogue only, one line an utterance."""
    TALK = "talk"
    """What is said, ordered, found and concluded; the rest stands beside it."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would leave the program here with code 1; whoever prints decides."""
        raise BrokenPipeError


def make_console(
    file: IO[str] | None = None, *, width: int | None = None, terminal: bool | None = None, stderr: bool = False
) -> Console:
    """A console that takes nothing for markup. `terminal` forces colours on or off; None looks at the file."""
    return _Console(
        file=file, width=width, stderr=stderr, force_terminal=terminal, markup=False, emoji=False, highlight=False
    )


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters drawn with: in Unicode, or in ASCII for a terminal that has no other."""

    blocks: str = " ▏▎▍▌▋▊▉█"
    empty: str = "░"
    gutter: str = "│"
    rule: str = "─"
    heavy: str = "━"
    dot: str = "·"
    into: str = "›"
    yes: str = "✓"
    no: str = "✗"
    none: str = "—"
    up: str = "↑"
    down: str = "↓"
    left: str = "←"

    def bar(self, value: float, width: int) -> str:
        """`value` (0..1) as a bar of `width` cells."""
        share = min(max(value, 0.0), 1.0) * width
        full = int(share)
        part = self.blocks[int((share - full) * (len(self.blocks) - 1))] if full < width else ""
        drawn = self.blocks[-1] * full + part.strip()
        return drawn + self.empty * (width - len(drawn))


ASCII: Final = Signs(
    blocks=" #", empty=".", gutter="|", rule="-", heavy="=", dot="-", into=">", yes="[yes]", no="[no]", none="-",
    up="+", down="-", left="<-",
)  # fmt: skip


class Canvas:
    """A console with a gutter: a label on the left, a line, the content on the right."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = max(LEAST_WIDTH, min(console.width, MAX_WIDTH))
        self.signs = ASCII if console.options.ascii_only else Signs()

    @property
    def room(self) -> int:
        """Columns to the right of the gutter."""
        return self.width - LABEL - 3

    def block(self, label: str, content: Text | str, style: str = QUIET) -> None:
        """One labelled block; its lines are wrapped to the right of the gutter."""
        text = content if isinstance(content, Text) else Text(content)
        head = Text(one_line(label, limit=80), style=style)
        head.truncate(LABEL, overflow="ellipsis")
        pad = LABEL - head.cell_len
        for n, line in enumerate(text.wrap(self.console, self.room)):
            line.rstrip()
            front = Text(" " * pad).append_text(head) if n == 0 else Text(" " * LABEL)
            self._print(front.append(f" {self.signs.gutter} ", style=QUIET).append_text(line))

    def rule(self, words: str, *, style: str = QUIET, heavy: str = "") -> None:
        """A line across with a few words in it."""
        sign = heavy or self.signs.rule
        text = Text(one_line(words, limit=self.width))
        text.truncate(self.width - 8, overflow="ellipsis")
        line = Text(sign * 2 + " ", style=style).append_text(text).append(" ")
        self._print(line.append(sign * max(0, self.width - line.cell_len)))

    def blank(self) -> None:
        """An empty line."""
        self._print(Text())

    def said(self, label: str, text: str) -> None:
        """One line of plain dialogue, never wrapped."""
        self.console.print(Text(f"{one_line(label, limit=80)}: {safe(text)}"), soft_wrap=True)

    def line(self, text: str) -> None:
        """One line beside the dialogue, never wrapped."""
        self.console.print(Text(one_line(text)), soft_wrap=True)

    def _print(self, line: Text) -> None:
        self.console.print(line, no_wrap=True, overflow="ignore", crop=False)


class Lines(Canvas):
    """A canvas whose lines are kept rather than printed, for whoever has a window on them."""

    def __init__(self, width: int) -> None:
        super().__init__(make_console(io.StringIO(), width=width))
        self.lines: list[Text] = []

    def _print(self, line: Text) -> None:
        self.lines.append(line)

    def said(self, label: str, text: str) -> None:
        """One line of plain dialogue."""
        self._print(Text(f"{one_line(label, limit=80)}: {safe(text)}"))

    def line(self, text: str) -> None:
        """One line beside the dialogue."""
        self._print(Text(one_line(text)))
