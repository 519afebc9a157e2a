"""Every screen looks as it did: the words, where they stand, and their colours in the dark and the light theme."""

from __future__ import annotations

import pytest
from tui_scenes import FOLDER, files, names, path_of
from tui_world import SIZES


@pytest.mark.parametrize("size", SIZES)
def test_screens_look_as_they_did(size: tuple[int, int]) -> None:
    now = files(size, names(size))
    other = [name for name in now if path_of(name, size).read_text("utf-8") != now[name]]
    assert not other, (
        f"look at them (python tests/tui_scenes.py --svg DIR), or renew them: python tests/tui_scenes.py {' '.join(other)}"
    )


def test_no_file_is_left_over() -> None:
    assert {p.name for p in FOLDER.iterdir()} == {path_of(name, size).name for size in SIZES for name in names(size)}
