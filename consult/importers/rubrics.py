"""Rubrics of HealthBench and QuarkMedBench as rubrics of ours. Owns their formats; nothing of them is shipped.

HealthBench's is that of its released files. QuarkMedBench's fields are those that its paper names (title, tier, tag, three
levels); no rubric files were released beside its report when this was written, so how they spell these could not be seen: the
plain spellings are taken, and anything else is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from consult.errors import DataError
from consult.files import explain, parse, read_text
from consult.judge.rubric import Rubric

_LIST: Final = ("rubrics", "rubric")
_IDS: Final = ("prompt_id", "example_id", "question_id", "id")
_TIERS: Final = ("essential", "important", "highlight", "pitfall")


def read_rubrics(form: str, path: Path, limit: int | None = None) -> Iterator[Rubric]:
    """The rubrics of a file, `healthbench` or `quark`. Raises DataError with the line of what cannot be read."""
    make = {"healthbench": _healthbench, "quark": _quark}[form]
    for line, example in islice(_examples(path), limit):
        yield _made(make, example, path, line)


def _examples(path: Path) -> Iterator[tuple[int, Any]]:
    """The examples of JSON Lines, or of a JSON list, with their lines."""
    text = read_text(path)
    if text.lstrip().startswith("["):
        yield from ((1, example) for example in parse(text, file=str(path), is_json=True))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                problem = "is not valid JSON"
                raise DataError(problem, file=str(path), line=number, mend="give one object a line") from None


def _made(make: Callable[[Mapping[str, Any]], dict[str, Any]], example: Any, path: Path, line: int) -> Rubric:
    try:
        if not isinstance(example, dict):
            raise ValueError("it is no object")
        return Rubric.model_validate(make(example))
    except ValidationError as e:
        first = explain(e, Rubric, path).errors[0]
        raise DataError(
            f"{first.field}: {first.problem}", file=str(path), line=line, mend="correct the entry"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        problem = f"is no example with a rubric: {e}"
        raise DataError(problem, file=str(path), line=line, mend="see `consult import rubrics --help`") from None


def _items(example: Mapping[str, Any]) -> list[Any]:
    items = next((example[name] for name in _LIST if name in example), None)
    if not isinstance(items, list) or not items:
        raise ValueError("it has no list `rubrics`")
    return items


def _id(example: Mapping[str, Any]) -> str:
    """Its own id, made plain."""
    given = next((str(example[name]) for name in _IDS if example.get(name)), "")
    return re.sub(r"[^A-Za-z0-9_.@-]", "_", given).lstrip(".-@")[:80] or _missing("an id (prompt_id, example_id or id)")


def _missing(what: str) -> str:
    raise ValueError(f"it has no {what}")


def _healthbench(example: Mapping[str, Any]) -> dict[str, Any]:
    """`{prompt_id, rubrics: [{criterion, points, tags: [axis:…, level:…]}]}`."""
    items = []
    for n, item in enumerate(_items(example), 1):
        tags = [str(t) for t in item.get("tags", ())]
        axis = next((t.partition(":")[2] for t in tags if t.startswith("axis:")), "")
        items.append(
            {
                "id": f"c{n}",
                "text": item["criterion"],
                "points": item["points"],
                "axis": axis,
                "tags": tags,
                # what is bad is often that something is missing, which no words show
                "quotes": "none" if item["points"] < 0 else "doctor",
            }
        )
    about = ", ".join(str(t) for t in example.get("example_tags", ()))
    return {"id": _id(example), "about": about, "source": "HealthBench (arXiv 2505.08775)", "scoring": "points",
            "group": "healthbench", "items": items}  # fmt: skip


def _quark(example: Mapping[str, Any]) -> dict[str, Any]:
    """`{id, rubrics: [{title, tier, tag, levels: [three texts]}]}`; levels also as `{"0": …, "1": …, "2": …}`."""
    items = []
    for n, item in enumerate(_items(example), 1):
        tier = str(item["tier"]).strip().casefold()
        if tier not in _TIERS:
            raise ValueError(f"{item['tier']!r} is no tier (one of {', '.join(_TIERS)})")
        levels = item.get("levels", ())
        if isinstance(levels, dict):
            levels = tuple(levels[k] for k in ("0", "1", "2"))
        tag = str(item.get("tag", ""))
        items.append(
            {
                "id": f"c{n}",
                "text": item["title"],
                "tier": tier,
                "axis": tag,
                "tags": [tag] if tag else [],
                "levels": list(levels),
                "critical": bool(item.get("critical", False)),
                "quotes": "none" if tier == "pitfall" else "doctor",
            }
        )
    return {"id": _id(example), "source": "QuarkMedBench (arXiv 2603.13691)", "scoring": "tiers", "group": "quark",
            "items": items}  # fmt: skip
