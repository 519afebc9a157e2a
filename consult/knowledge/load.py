"""Finding and reading a knowledge: by name (built in) or by path (a file, or a folder whose lists are joined)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from consult.errors import DataError, DataErrors, UsageError
from consult.files import files_under, load, read_data, validate
from consult.knowledge.model import Knowledge

DEFAULT: Final = "general"
_DATA: Final = Path(__file__).resolve().parent / "data"


def knowledge_names() -> list[str]:
    """The built-in ones."""
    return sorted(p.stem if p.is_file() else p.name for p in _DATA.iterdir() if not p.name.startswith("_"))


def find_knowledge(name: str) -> Path:
    """The path of a knowledge given by name or path. Raises UsageError if there is none."""
    for path in (_DATA / name, _DATA / f"{name}.yaml", _DATA / f"{name}.json"):
        if "/" not in name and "\\" not in name and name not in (".", "..") and path.exists():
            return path
    path = Path(name)
    if path.exists():
        return path
    raise UsageError(
        f"--knowledge: there is no {name!r} (mend: give a file, a folder or one of: {', '.join(knowledge_names())})"
    )


@lru_cache(maxsize=8)
def load_knowledge(name: str = DEFAULT) -> Knowledge:
    """A knowledge by name or path. Raises UsageError, DataError or DataErrors."""
    path = find_knowledge(name)
    if path.is_file():
        return load(path, Knowledge)
    merged: dict[str, Any] = {}
    for part in files_under(path):
        data = read_data(part)
        if not isinstance(data, dict):
            raise DataError(
                "holds no fields",
                file=str(part),
                line=1,
                mend="write `findings:`, `conditions:` or `orders:`",
            )
        for key, value in data.items():
            _merge(merged, str(key), value, part)
    if not merged:
        raise DataError("holds no .yaml or .json file", file=str(path), mend="give another folder")
    try:
        return validate(merged, Knowledge, path)
    except DataErrors as e:
        raise _located(e, path) from None


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


def _located(errors: DataErrors, folder: Path) -> DataErrors:
    """Errors of a joined folder, each sent back to the file and line its text names, as far as that can be told."""
    texts = {p: p.read_text("utf-8").splitlines() for p in files_under(folder)}
    out = []
    for e in errors.errors:
        words = [w.strip(",:'") for w in e.problem.split() if "_" in w or "." in w]
        hit = next(
            ((p, n) for w in words for p, lines in texts.items() for n, t in enumerate(lines, 1) if w in t),
            None,
        )
        out.append(
            DataError(
                e.problem,
                file=str(hit[0]) if hit else e.file,
                line=hit[1] if hit else None,
                field=e.field,
                mend=e.mend,
            )
        )
    return DataErrors(out)
