"""Files that people write, read safely into frozen models, with errors that say file, line, field and mend.

Owns YAML and JSON reading (the only home of `yaml`) and the base model. Knows nothing of what the models mean.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from consult.clean import one_line
from consult.errors import DataError, DataErrors
from consult.seeds import digest

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH: Final = 60
"""Lists and mappings within each other."""
SUFFIXES = (".yaml", ".yml", ".json")
WHOLE: Final = "(file)"
"""Stands for the field where a problem is the whole file's."""
M = TypeVar("M", bound="Record")
_Loader = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class Record(BaseModel):
    """Base of everything that is read from or written to a file: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    def content_hash(self) -> str:
        """sha256 of what it says."""
        return digest(self.model_dump(mode="json"))


class _UniqueKeys(_Loader):  # type: ignore[misc, valid-type]  # the base is chosen at run time (C or Python)
    """The safe loader, refusing a key given twice (plain YAML keeps the last one in silence)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:bool":
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"the key {key_node.value!r} reads as true or false; put it in quotes",
                    key_node.start_mark,
                )
            key = str(getattr(key_node, "value", ""))
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return cast("dict[Any, Any]", super().construct_mapping(node, deep=deep))


def read_text(path: Path) -> str:
    """The file's text. Raises DataError where it cannot be read, is too large or is not UTF-8."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"is larger than {MAX_BYTES >> 20} MiB", file=str(path), field=WHOLE, mend="split the file")
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as e:
        raise DataError(
            f"is not UTF-8 text (byte {e.start})", file=str(path), field=WHOLE, mend="save the file as UTF-8"
        ) from None
    except (OSError, ValueError) as e:
        raise DataError(
            f"cannot be read: {getattr(e, 'strerror', None) or e}", file=str(path), field=WHOLE, mend="check the path"
        ) from None


def parse(text: str, *, file: str, is_json: bool = False) -> Any:
    """Plain data from YAML or JSON text. Raises DataError; no tags, no anchors, no key twice."""

    def wrong(problem: str, mend: str, line: int | None = None) -> DataError:
        field = _key_near(text, line) if line is not None else WHOLE
        return DataError(problem, file=file, line=line, field=field, mend=mend)

    try:
        if is_json:
            return json.loads(text, object_pairs_hook=_unique)
        if _too_deep(text):
            raise wrong("is nested too deeply", "flatten it")
        if "*" in text:
            alias = next((e for e in yaml.parse(text, Loader=_Loader) if isinstance(e, yaml.AliasEvent)), None)
            if alias is not None:
                at = alias.start_mark.line + 1 if alias.start_mark is not None else None
                raise wrong("uses a YAML alias (*name)", "write the value out", at)
        return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        what = one_line(e.problem or e.context or "unreadable")
        line = mark.line + 1 if mark else None
        raise wrong(f"is not valid YAML: {what}", "correct the line named, or the one before it", line) from None
    except yaml.YAMLError as e:
        raise wrong(f"is not valid YAML: {one_line(str(e))}", "remove that character") from None
    except json.JSONDecodeError as e:
        raise wrong(f"is not valid JSON: {e.msg}", "correct the line named", e.lineno) from None
    except RecursionError:
        raise wrong("is nested too deeply", "flatten it") from None
    except (ValueError, IndexError, KeyError, AttributeError) as e:
        # a tagged scalar, number or date that Python cannot hold
        raise wrong(f"holds a value that cannot be read: {one_line(str(e))}", "correct it") from None


_BRACKETS: Final = re.compile(r"[\[\]{}]")
_INDENT: Final = re.compile(rf"^[ ?:-]{{{2 * MAX_DEPTH}}}", re.MULTILINE)


def _too_deep(text: str) -> bool:
    """Whether YAML is nested beyond MAX_DEPTH: libyaml's composer recurses in C, and takes the whole process down."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    if deepest <= MAX_DEPTH and not _INDENT.search(text):
        return False  # the cheap test, wrong only on the safe side, spares nearly every file the exact one
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return False


_KEY: Final = re.compile(r"""[\s{\[,-]*["']?([A-Za-z_][\w.-]{0,59})["']?\s*:""")


def _key_near(text: str, line: int) -> str:
    """The last key at or above a line, for files too broken to say more."""
    for row in reversed(text.splitlines()[max(line - 40, 0) : line]):
        found = _KEY.match(row)
        if found is not None:
            return found[1]
    return WHOLE


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        keys = [k for k, _ in pairs]
        twice = next(k for k in keys if keys.count(k) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return out


def read_data(path: Path) -> Any:
    """Plain data of one .yaml, .yml or .json file."""
    return parse(read_text(path), file=str(path), is_json=path.suffix == ".json")


def load(path: Path, model: type[M]) -> M:
    """One model from one file. Raises DataError or DataErrors."""
    return validate(read_data(path), model, path)


def validate(data: Any, model: type[M], path: Path) -> M:
    """`data` as `model`; `path` is where it came from, read again to find the lines of what is wrong."""
    if not isinstance(data, dict):
        found = "nothing" if data is None else "a list" if isinstance(data, list) else "one value"
        raise DataError(
            f"holds {found} where fields were expected",
            file=str(path),
            line=1,
            field=WHOLE,
            mend="write `field: value` lines",
        )
    try:
        return model.model_validate(data)
    except ValidationError as e:
        raise explain(e, model, path) from None
    except RecursionError:
        raise DataError("is nested too deeply", file=str(path), field=WHOLE, mend="flatten it") from None


Loc = tuple[str | int, ...]


def explain(
    error: ValidationError,
    model: type[BaseModel],
    path: Path,
    *,
    origin: Callable[[Loc], tuple[Path, Loc]] | None = None,
) -> DataErrors:
    """A pydantic error as our own, with lines and mends; at most 20 of them.

    `origin` says for a place in joined data which file it came from and where it stands there.
    """
    faults: dict[Path, Faults] = {}
    out = []
    for loc, item in _places(error)[:20]:
        part, local = origin(loc) if origin is not None else (path, loc)
        problem = plain_words(item)
        mend = str(item.get("ctx", {}).get("mend", "")) or _mend(item["type"], loc, model)
        out.append(faults.setdefault(part, Faults(part)).fault(local, problem, mend))
    return DataErrors(out)


_SHOULD_BE: Final = {
    "string": "text", "tuple": "a list", "list": "a list", "dict": "fields (`name: value`)",
    "model": "fields (`name: value`)", "bool": "true or false", "int": "a whole number", "float": "a number",
}  # fmt: skip
"""What a person calls the types that pydantic names."""


def plain_words(item: Any) -> str:
    """What one error of pydantic says, in words that need no Python."""
    kind, ctx = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown field"
    if kind == "missing":
        return "is missing"
    wanted = _SHOULD_BE.get(kind.partition("_")[0])
    if wanted and kind.endswith(("_type", "_parsing", "_from_float", "_attributes_type")):
        return f"should be {wanted}"
    if kind in ("too_short", "too_long"):
        side, n = ("at least", ctx["min_length"]) if kind == "too_short" else ("at most", ctx["max_length"])
        return f"should have {side} {n} item{'' if n == 1 else 's'}, not {ctx['actual_length']}"
    text = one_line(item["msg"], limit=300).removeprefix("Value error, ")
    return re.sub("^(Input|String) should", "should", text)


_TAG: Final = re.compile(r"(?:constrained-\w+|function-\w+\[.*\]|(?:dict|list|tuple)\[.*\]|float|int|str|bool)\Z")
"""What pydantic puts into a place where one of several types may stand."""


def _places(error: ValidationError) -> list[tuple[Loc, Any]]:
    """Errors with their places as they stand in the file; of several types, the one that came furthest speaks."""
    found: list[tuple[Loc, Any]] = []
    for item in error.errors(include_url=False, include_input=False):
        where = item.get("ctx", {}).get("where", ())
        loc = tuple(part for part in (*item["loc"], *where) if not (isinstance(part, str) and _TAG.match(part)))
        found.append((loc, item))
    deeper = {loc[:n] for loc, item in found if len(loc) < len(item["loc"]) for n in range(len(loc))}
    inner = {loc[:n] for loc, _ in found for n in range(len(loc))}  # a list is not short of items that were refused
    return [
        (loc, item)
        for loc, item in found
        if (len(loc) == len(item["loc"]) or loc not in deeper) and not (item["type"] == "too_short" and loc in inner)
    ]


class Faults:
    """What is found wrong with one file that loads; the file is read again when the first line is asked for.

    Without a path (content made in memory) `name` stands for the file.
    """

    def __init__(self, path: Path | None, name: str = "") -> None:
        self._path = path
        self._name = name
        self.errors: list[DataError] = []

    @cached_property
    def _root(self) -> yaml.Node | None:
        return _compose(self._path) if self._path is not None else None

    def fault(self, loc: Sequence[str | int], problem: str, mend: str) -> DataError:
        """A problem at a place, not added to the list."""
        file = str(self._path) if self._path is not None else self._name
        return DataError(problem, file=file, line=_line(self._root, loc), field=field_name(loc) or WHOLE, mend=mend)

    def add(self, loc: Sequence[str | int], problem: str, mend: str) -> None:
        """Note a problem at a place. `problem` is made one line."""
        self.errors.append(self.fault(loc, one_line(problem), mend))


def field_name(loc: Sequence[str | int]) -> str:
    """`("facts", 3, "state")` as `facts[3].state`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{one_line(str(part), limit=60)}"
    return text.lstrip(".")


def _mend(kind: str, loc: Sequence[str | int], model: type[BaseModel]) -> str:
    if kind == "missing":
        return f"add `{loc[-1]}:`"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(loc[-1])[:60], sorted(_all_fields(model)), n=1)
        return f"did you mean `{near[0]}`? else remove it" if near else "remove it"
    if kind in ("enum", "literal_error"):
        return "use one of those"
    return "correct the value (`consult schema` prints what is allowed)"


def _all_fields(model: type[BaseModel]) -> Iterable[str]:
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", ())


def line_of(path: Path, loc: Sequence[str | int]) -> int | None:
    """The line (from 1) of the field at `loc` in a file, or of its nearest parent; None if it cannot be told."""
    return _line(_compose(path), loc)


def _compose(path: Path) -> yaml.Node | None:
    try:
        text = read_text(path)
        return None if _too_deep(text) else yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, DataError, RecursionError, ValueError):
        return None


def _line(node: yaml.Node | None, loc: Sequence[str | int]) -> int | None:
    if node is None:
        return None
    line: int = node.start_mark.line + 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if getattr(k, "value", None) == str(part)), None)
            if pair is None:
                continue  # a union's tag in the location, or the missing field itself
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def files_under(folder: Path) -> list[Path]:
    """The data files below a folder, sorted; hidden ones and links that lead outside are passed over."""
    root = folder.resolve()
    found = []
    for where, _, names in os.walk(folder):  # linked folders are not gone into
        for name in names:
            at = os.path.join(where, name)
            if name.endswith(SUFFIXES) and not name.startswith(".") and os.path.isfile(at):
                path = Path(at)
                if not os.path.islink(at) or path.resolve().is_relative_to(root):
                    found.append(path)
    return sorted(found)


Stamp = tuple[str, int, int]


def stamp(path: Path) -> tuple[Stamp, ...]:
    """What a file, or the files of a folder, look like now (path, time of change in ns, bytes): a key for caches."""
    path = path.resolve()  # once: to resolve each file took a batch more time than its scores
    files = files_under(path) if path.is_dir() else [path]
    out = []
    for f in files:
        try:
            s = f.stat()
        except OSError:
            continue
        out.append((str(f), s.st_mtime_ns, s.st_size))
    return tuple(out)


_PLAIN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\Z")


def is_plain_id(text: str) -> bool:
    """Whether `text` may serve as a file name: letters, digits, `_ . @ -`, no path in it."""
    return bool(_PLAIN_ID.match(text)) and len(text) <= 100


def dump_yaml(data: Any) -> str:
    """Plain data as YAML, keys in the order given, readable."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(data, Dumper=dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)
    return text
