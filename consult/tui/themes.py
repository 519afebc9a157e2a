"""The three themes (dark, light, high contrast), and the widths at which a screen changes.

Each theme has the sixteen terminal colours that `consult.show` paints in. A colour never stands alone: what it says is said by a word or a sign too.
"""

from __future__ import annotations

from typing import Final

from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

DARK: Final = Theme(
    name="consult-dark", primary="#5fa8d3", secondary="#8a9ba8", accent="#e0a458", warning="#e0a458", error="#e06c75",
    success="#7fbf7f", foreground="#dce1e8", background="#12161c", surface="#181d25", panel="#222933", dark=True,
)  # fmt: skip
LIGHT: Final = Theme(
    name="consult-light", primary="#0b5a8a", secondary="#4a5a68", accent="#8a4b00", warning="#8a4b00", error="#a11a1a",
    success="#1d6b2a", foreground="#1a1f26", background="#fbfbf8", surface="#f2f2ee", panel="#e4e5e0", dark=False,
)  # fmt: skip
CONTRAST: Final = Theme(
    name="consult-contrast", primary="#ffff00", secondary="#ffffff", accent="#00ffff", warning="#ffff00",
    error="#ffb0b0", success="#80ff80", foreground="#ffffff", background="#000000", surface="#000000", panel="#000000",
    dark=True, variables={"border": "#ffffff", "footer-key-foreground": "#ffff00", "text-muted": "#c8c8c8"},
)  # fmt: skip
THEMES: Final = {theme.name: theme for theme in (DARK, LIGHT, CONTRAST)}

NARROW: Final = 110
"""Columns below which a screen shows one thing at a time."""
WIDE: Final = 170
"""Columns from which it has room for a third column."""

_Colour = tuple[int, int, int]


def _terminal(theme: Theme, normal: list[_Colour], bright: list[_Colour]) -> TerminalTheme:
    ground, words = (Color.parse(colour or "").rgb for colour in (theme.background, theme.foreground))
    return TerminalTheme(ground, words, normal, bright)


TERMINAL: Final = {
    DARK.name: _terminal(
        DARK,
        [(18, 22, 28), (240, 120, 128), (127, 191, 127), (229, 192, 123), (97, 160, 230), (198, 140, 230), (95, 200, 215),
         (220, 225, 232)],
        [(110, 118, 129), (245, 145, 150), (150, 215, 150), (240, 210, 140), (120, 180, 245), (215, 160, 245),
         (120, 220, 232), (255, 255, 255)],
    ),
    LIGHT.name: _terminal(
        LIGHT,
        [(26, 31, 38), (161, 26, 26), (29, 107, 42), (138, 90, 0), (20, 80, 160), (120, 30, 130), (0, 95, 115),
         (240, 240, 236)],
        [(90, 98, 108), (190, 30, 30), (30, 125, 50), (150, 100, 0), (25, 95, 190), (140, 40, 150), (0, 110, 130),
         (255, 255, 255)],
    ),
    CONTRAST.name: _terminal(
        CONTRAST,
        [(0, 0, 0), (255, 176, 176), (128, 255, 128), (255, 255, 0), (150, 210, 255), (255, 160, 255), (0, 255, 255),
         (255, 255, 255)],
        [(200, 200, 200), (255, 196, 196), (160, 255, 160), (255, 255, 128), (160, 215, 255), (255, 190, 255),
         (128, 255, 255), (255, 255, 255)],
    ),
}  # fmt: skip
"""Black, red, green, yellow, blue, magenta, cyan, white, and the bright eight; legible on the theme's background."""
