"""Finding and reading a knowledge: by name (built in) or by path (a file, or a folder whose lists are joined)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from consult.clean import one_line
from consult.errors import DataError, UsageError
from consult.files import WHOLE, Loc, Stamp, explain, files_under, is_plain_id, load, read_data, stamp
from consult.knowledge.model import Knowledge

DEFAULT: Final = "general"
_DATA: Final = Path(__file__).resolve().parent / "data"


def knowledge_names() -> list[str]:
    """The built-in ones."""
    return sorted(p.stem if p.is_file() else p.name for p in _DATA.iterdir() if not p.name.startswith("_"))


def find_knowledge(name: str) -> Path:
    """The path of a knowledge given by name or path. Raises UsageError if there is none."""
    if is_plain_id(name):
        for path in (_DATA / name, _DATA / f"{name}.yaml", _DATA / f"{name}.json"):
            if path.exists():
                return path
    with suppress(OSError, ValueError):  # text that cannot be a path at all
        path = Path(name)
        if name and path.exists():
            return path
    shown = one_line(name, limit=80)
    raise UsageError(
        f"--knowledge: there is no {shown!r} (mend: give a file, a folder or one of: {', '.join(knowledge_names())})"
    )


def load_knowledge(name: str = DEFAULT) -> Knowledge:
    """A knowledge by name or path; one read before is given again until it changes.

    Raises UsageError, DataError or DataErrors.
    """
    path = find_knowledge(name)
    return _kept(path, stamp(path))


@lru_cache(maxsize=8)
def _kept(path: Path, _: tuple[Stamp, ...]) -> Knowledge:
    return read_knowledge(path)[0]


Origin = Callable[[Loc], tuple[Path, Loc]]
"""For a place in a knowledge: the file it was read from, and the place there."""


def read_knowledge(path: Path) -> tuple[Knowledge, Origin]:
    """The knowledge of a file or a folder, read anew. Raises DataError or DataErrors."""
    if path.is_file():
        return load(path, Knowledge), lambda loc: (path, loc)
    parts = _Parts(path)
    try:
        return Knowledge.model_validate(parts.merged), parts.origin
    except ValidationError as e:
        raise explain(e, Knowledge, path, origin=parts.origin) from None
    except RecursionError:
        raise DataError("is nested too deeply", file=str(path), field=WHOLE, mend="flatten it") from None


class _Parts:
    """The files of a folder, joined. Raises DataError."""

    def __init__(self, folder: Path) -> None:
        self.merged: dict[str, Any] = {}
        self._held: dict[str, list[tuple[int, Path]]] = {}
        """The files that a field came from; of a list, with the index of the first entry."""
        for part in files_under(folder):
            data = read_data(part)
            if not isinstance(data, dict):
                mend = "write `findings:`, `conditions:` or `orders:`"
                raise DataError("holds no fields", file=str(part), line=1, field=WHOLE, mend=mend)
            for key, value in data.items():
                old = self.merged.get(str(key))
                self._held.setdefault(str(key), []).append((len(old) if isinstance(old, list) else 0, part))
                _merge(self.merged, str(key), value, part)
        if not self.merged:
            raise DataError("holds no .yaml or .json file", file=str(folder), field=WHOLE, mend="give another folder")

    def origin(self, loc: Loc) -> tuple[Path, Loc]:
        """The file and the place there of a place in the whole; what is missing is missed in the first file."""
        held = self._held.get(str(loc[0])) if loc else None
        if held is None:
            return next(part for parts in self._held.values() for _, part in parts), loc
        if len(loc) < 2 or not isinstance(loc[1], int):
            return held[0][1], loc
        index = loc[1]
        start, part = next((s, p) for s, p in reversed(held) if s <= index)
        return part, (loc[0], index - start, *loc[2:])


def _merge(into: dict[str, Any], key: str, value: Any, part: Path) -> None:
    old = into.get(key)
    if old is None:
        into[key] = value
    elif isinstance(old, list) and isinstance(value, list):
        into[key] = old + value
    elif isinstance(old, dict) and isinstance(value, dict):
        into[key] = old | value
    else:
        raise DataError("stands in two files of this folder", file=str(part), field=key, mend="keep it in one of them")
