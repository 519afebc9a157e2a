"""Every screen looks as it did, and can be read: the words, where they stand, and their colours in each theme."""

from __future__ import annotations

from functools import cache

import pytest
from rich.color import Color
from rich.style import Style
from tui_look import FOLDER, Looks, Seen, Size, drawn, file_of, look, path_of, seen, themes_at
from tui_scenes import SCENES
from tui_world import SIZES

from consult.show import paint
from consult.tui.themes import CONTRAST, TERMINAL, THEMES

Shown = dict[str, Looks[Seen]]
ENOUGH = {name: 7.0 if name == CONTRAST.name else 4.5 for name in THEMES}
"""The contrast that text has against what it stands on, by the Web Content Accessibility Guidelines (AA; AAA)."""


@pytest.fixture(scope="module")
def looks() -> Shown:
    """Every scene in every size and theme."""
    return drawn(SCENES, SIZES, seen)


@pytest.mark.parametrize("size", SIZES)
def test_screens_look_as_they_did(size: Size, looks: Shown) -> None:
    now = {name: file_of([by[size, theme] for theme in themes_at(size)]) for name, by in looks.items()}
    other = [name for name in now if path_of(name, size).read_text("utf-8") != now[name]]
    assert not other, (
        f"look at them (python tests/tui_look.py --svg DIR), or renew them: python tests/tui_look.py {' '.join(other)}"
    )


def test_no_file_is_left_over() -> None:
    assert {p.name for p in FOLDER.iterdir()} == {path_of(name, size).name for size in SIZES for name in SCENES}


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative, as WCAG 2.2 has it."""
    shares = (value / 255 for value in colour)
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in shares)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@cache
def contrast(one: Color | None, other: Color | None) -> float:
    """Of what is written in one colour on the other, 1 to 21; 0 where one of them is not known."""
    if one is None or other is None or not (one.triplet and other.triplet):
        return 0.0
    low, high = sorted(luminance(tuple(c.triplet)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def is_text(character: str) -> bool:
    """Lines and blocks are drawn, not read; each stands with words."""
    return not character.isspace() and not "\u2500" <= character <= "\u259f"


def test_all_that_is_written_can_be_read_in_each_theme(looks: Shown) -> None:
    faint: dict[tuple[str, str], str] = {}
    for name, by in looks.items():
        for (_, theme), screen in by.items():
            for row in screen.rows:
                for character, style in row:
                    if is_text(character) and contrast(style.color, style.bgcolor) < ENOUGH[theme]:
                        key = theme, look(style)
                        faint[key] = f"{faint[key]}{character}" if key in faint else f"{name}: {character}"
    assert not faint, "\n".join(f"{key}: {words[:60]}" for key, words in faint.items())


@pytest.mark.parametrize("theme", THEMES)
def test_urgencies_and_what_is_painted_can_be_read_in_each_theme(theme: str) -> None:
    colours = TERMINAL[theme]
    ground = Color.from_triplet(colours.background_color)
    for name in (
        *paint.URGENCY.values(),
        paint.DOCTOR,
        paint.PATIENT,
        paint.GOOD,
        paint.BAD,
        "yellow",
        "blue",
        "bold red",
    ):
        style = Style.parse(name)
        written = style.color.get_truecolor(colours) if style.color else colours.foreground_color
        assert style.bgcolor is None, name
        assert contrast(Color.from_triplet(written), ground) >= ENOUGH[theme], name
