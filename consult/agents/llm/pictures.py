"""The pictures of a scenario: where they may lie, what they may be, and what an inquirer that is a model is shown of them.

Owns the safety of their paths, their bounds, the controls, and the event that says what was shown. Nothing is fetched: a
picture on the web is sent as its address. Must not import sim or batch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final, Literal, NamedTuple

from consult.agents.llm.spec import BLANK, CAPTIONS, TEXT_ONLY, WRONG
from consult.clean import one_line
from consult.errors import DataErrors
from consult.events import Pictured, Shown
from consult.files import Faults
from consult.llm.base import Image
from consult.llm.square import square
from consult.scenario import Image as Listed
from consult.scenario import Scenario
from consult.seeds import digest

MAX_BYTES: Final = 5 * 1024 * 1024
"""What the narrowest of the large providers takes of one picture."""
GREY: Final = "a plain grey area in which nothing can be made out"
"""The caption of a blank picture."""
NO_EYES: Final = "the model takes no pictures"
NO_PATH: Final = "the case has a caption only"
_SIDE: Final = 512
_BEGINNINGS: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif", b"GIF89a": "image/gif",
}  # fmt: skip
"""How files of the kinds begin that all providers take; WebP apart, which says so in its ninth byte."""
_URL: Final = re.compile(r"https://[^\s/]+/\S*\Z")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True)
class Picture:
    """A picture as it can be shown."""

    caption: str
    image: Image | None = None
    """None: there is a caption only, and `why` says why."""
    pixels: tuple[int, int] | None = None
    """Width and height; None where it was not looked at."""
    of: str = ""
    """The scenario that it belongs to."""
    why: str = ""


class _Bad(Exception):
    """What is wrong with a picture, and how to mend it."""


def look(scenario: Scenario, faults: Faults, folder: Path | None) -> tuple[Picture, ...]:
    """The scenario's pictures; what is wrong with one is noted. `folder`: of the scenario's file; None: no file is opened."""
    out = []
    for n, listed in enumerate(scenario.images):
        try:
            out.append(_picture(listed, scenario.id, folder))
        except _Bad as e:
            faults.add(("images", n, "path"), *e.args)
    return tuple(out)


def pictures_of(scenario: Scenario, path: Path) -> tuple[Picture, ...]:
    """The pictures of the scenario in this file. Raises DataErrors where one is no picture, too large, or lies elsewhere."""
    faults = Faults(path)
    found = look(scenario, faults, path.parent)
    if faults.errors:
        raise DataErrors(faults.errors)
    return found


def captions_of(scenario: Scenario) -> tuple[Picture, ...]:
    """The same where the scenario came from no file."""
    return tuple(Picture(i.caption, of=scenario.id, why=NO_PATH) for i in scenario.images)


def _picture(listed: Listed, of: str, folder: Path | None) -> Picture:
    path = listed.path
    if _URL.match(path):
        return Picture(listed.caption, Image(url=path, caption=listed.caption), of=of)
    if path:
        _stays(path)
    if not path or folder is None:
        return Picture(listed.caption, of=of, why=NO_PATH)
    place = folder / path
    try:
        inside = place.resolve().is_relative_to(folder.resolve())
        data = _bytes(place) if inside and place.exists() else None
    except (OSError, ValueError, RuntimeError) as e:  # a link to itself, a name that no disk takes, no right to read
        problem = f"{_quoted(path)} cannot be read: {getattr(e, 'strerror', None) or e}"
        raise _Bad(problem, "check the file and who may read it") from None
    if not inside:
        raise _Bad(f"{_quoted(path)} is a link that leaves this file's folder", "put the picture itself below it")
    if data is None:
        return Picture(listed.caption, of=of, why=f"there is no file {path}")
    media, pixels = _kind(data), _pixels(data)
    if media is None or pixels is None:
        raise _Bad(f"{_quoted(path)} is no picture that models take", "save it as PNG, JPEG, GIF or WebP")
    return Picture(listed.caption, Image(data=data, media_type=media, caption=listed.caption), pixels, of)


def _quoted(path: str) -> str:
    return f'"{one_line(path, limit=60)}"'


def _stays(path: str) -> None:
    """Raises _Bad where a path, by its words, does not stay below the folder of the file that names it; on any system."""
    windows = PureWindowsPath(path)
    if PurePosixPath(path).is_absolute() or windows.drive or windows.root or _SCHEME.match(path):
        raise _Bad(f"{_quoted(path)} does not stay beside this file", "give a relative path or an https URL")
    if ".." in windows.parts:
        raise _Bad(f"{_quoted(path)} leaves this file's folder", "put the picture below it")


def _bytes(place: Path) -> bytes:
    """The file's content. Raises _Bad where it is no plain file (a pipe would never end), or too large."""
    if not place.is_file():
        raise _Bad(f"{_quoted(place.name)} is no file", "name the picture itself")
    with place.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _Bad(f"{_quoted(place.name)} is larger than {MAX_BYTES >> 20} MiB", "save it smaller")
    return data


def _kind(data: bytes) -> str | None:
    """The media type, by how the file begins; its name says nothing."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media for start, media in _BEGINNINGS.items() if data.startswith(start)), None)


def _pixels(data: bytes) -> tuple[int, int] | None:
    import imagesize  # only where there is a picture

    try:
        width, height = imagesize.get(BytesIO(data))
    except Exception:  # a broken header makes it raise whatever comes
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None


# --- what is shown ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _blank() -> Image:
    return Image(data=square(128, 128, 128, side=_SIDE), media_type="image/png", caption=GREY)


def blanks(scenario: Scenario) -> tuple[Picture, ...]:
    """A grey picture in the place of each."""
    return tuple(Picture(GREY, _blank(), (_SIDE, _SIDE), scenario.id) for _ in scenario.images)


def content_of(pictures: Sequence[Picture]) -> str:
    """sha256 over what can be seen of them."""
    return digest([[p.of, p.caption, p.image.identity if p.image is not None else p.why] for p in pictures])


class Sight(NamedTuple):
    """What an inquirer that is a model is shown: captions to read, pictures to see, and the event that says so."""

    captions: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    event: Shown | None = None
    """None where nothing but the captions is shown, as without any setting, or where there is no picture."""


def sight(pictures: Sequence[Picture], mode: str, *, eyes: bool) -> Sight:
    """What is shown of these pictures. `mode`: of `spec.PICTURES`; `eyes`: whether the model takes pictures."""
    if mode == CAPTIONS or not pictures:
        return Sight(tuple(p.caption for p in pictures))
    if mode == TEXT_ONLY:
        return Sight(event=Shown(pictures=tuple(_told(p, "nothing", "text only") for p in pictures)))
    seen = [p.image is not None and eyes for p in pictures]
    control: Any = {BLANK: "blank", WRONG: "wrong"}.get(mode, "none")
    return Sight(
        tuple(p.caption for p, yes in zip(pictures, seen, strict=True) if not yes),
        tuple(p.image for p, yes in zip(pictures, seen, strict=True) if yes and p.image is not None),
        Shown(control=control, pictures=tuple(_shown(p) if yes else _told(p, "caption", p.why or NO_EYES)
                                              for p, yes in zip(pictures, seen, strict=True))),
    )  # fmt: skip


def _told(p: Picture, how: Literal["caption", "nothing"], why: str) -> Pictured:
    return Pictured(of=p.of, how=how, caption=p.caption, why=why)


def _shown(p: Picture) -> Pictured:
    assert p.image is not None
    if p.image.url:
        return Pictured(of=p.of, how="url", caption=p.caption, url=p.image.url)
    known = p.image.identity["image"]
    return Pictured(
        of=p.of, how="image", caption=p.caption, media_type=p.image.media_type, bytes=known["bytes"], pixels=p.pixels,
        sha256=known["sha256"],
    )  # fmt: skip
