"""Prompts: Jinja2 templates in one folder, each with a version and a hash, overridable file by file.

Owns finding, rendering and identifying them; their words belong to the agents. A field that a template names and nobody
gives is an error, never an empty place. Jinja2 is imported when the first prompt is rendered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from consult.errors import DataError
from consult.seeds import digest

if TYPE_CHECKING:
    from jinja2 import Environment, Template

SUFFIX: Final = ".jinja"
_VERSION: Final = re.compile(r"\{#-?\s*version:\s*(\d+)\b")
"""The first thing in a template: `{# version: 3 #}`, raised with every change of its words."""


class Prompts:
    """The templates of some folders; a file in an earlier folder stands for the one of that name in a later one."""

    def __init__(self, folders: Sequence[Path], *, others: Sequence[str] = ()) -> None:
        """`folders`: the user's first, the built-in one last; `others`: folders within them whose prompts are not meant.

        Raises DataError where a folder is not there.
        """
        self.folders = tuple(folders)
        self._others = tuple(f"{name}/" for name in others)
        for folder in self.folders:
            if not folder.is_dir():
                raise DataError("is no folder", file=str(folder), mend="give the folder that holds the prompts")

    @cached_property
    def files(self) -> dict[str, Path]:
        """The file of each prompt by name: its path below the folder, without the suffix."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.rglob(f"*{SUFFIX}")):
                name = path.relative_to(folder).as_posix().removesuffix(SUFFIX)
                if not name.startswith(self._others):
                    found.setdefault(name, path)
        self._check(found)
        return dict(sorted(found.items()))

    def _check(self, found: dict[str, Path]) -> None:
        """A file that stands for none of the last folder would never be read: most likely its name is misspelt."""
        last = self.folders[-1]
        for name, path in found.items():
            if not (last / f"{name}{SUFFIX}").is_file():
                known = ", ".join(sorted(n for n, p in found.items() if (last / f"{n}{SUFFIX}").is_file()))
                raise DataError("there is no prompt of this name", file=str(path), mend=f"one of: {known}")

    def render(self, name: str, /, **fields: Any) -> str:
        """The prompt with its fields filled in. Raises DataError with file and line where it cannot be."""
        with _told_with(str(self.files.get(name, name)), fields):
            return self._environment.get_template(name + SUFFIX).render(fields).strip()

    @cached_property
    def _environment(self) -> Environment:
        return _environment(self.folders)

    @cached_property
    def identity(self) -> dict[str, dict[str, Any]]:
        """Version, sha256 and whether it is the user's own, of each prompt; for provenance. Raises DataError."""
        return {name: self._identified(name, path) for name, path in self.files.items()}

    def _identified(self, name: str, path: Path) -> dict[str, Any]:
        try:
            data = path.read_bytes()
            version = _VERSION.match(data.decode("utf-8"))
        except (OSError, UnicodeDecodeError) as e:
            raise DataError(f"cannot be read: {e}", file=str(path)) from None
        if version is None:
            raise DataError("has no version", file=str(path), line=1, mend="begin it with {# version: 1 #}")
        own = path != (ours := self.folders[-1] / f"{name}{SUFFIX}")
        if own:
            self._fits(path, data.decode("utf-8"), ours.read_text("utf-8"))
        return {"version": int(version[1]), "sha256": hashlib.sha256(data).hexdigest(), "own": own}

    def _fits(self, path: Path, own: str, ours: str) -> None:
        """A prompt of the user's is read before anything is asked. Raises DataError where it names a field that nobody gives."""
        from jinja2.meta import find_undeclared_variables

        with _told_with(str(path), {}):
            named = find_undeclared_variables(self._environment.parse(own))
        known = find_undeclared_variables(self._environment.parse(ours))
        if strange := sorted(named - known):
            mend = f"its fields are: {', '.join(sorted(known)) or 'none'}"
            raise DataError(f"{strange[0]!r} is undefined", file=str(path), mend=mend)

    @cached_property
    def fingerprint(self) -> str:
        """One hash over all of them; for a transcript's header and a consultation's id."""
        return digest({name: known["sha256"] for name, known in self.identity.items()})


def render_text(text: str, file: str, fields: Mapping[str, Any], *, field: str = "") -> str:
    """A template that is no file of a folder of prompts, filled in as they are. Raises DataError as `Prompts.render`.

    `field`: where it stands, if the file holds more than it.
    """
    with _told_with(file, fields, field):
        return _written(text).render(fields).strip()


@lru_cache(maxsize=64)
def _written(text: str) -> Template:
    return _environment(()).from_string(text)


@contextmanager
def _told_with(file: str, fields: Mapping[str, Any], field: str = "") -> Iterator[None]:
    """Jinja's errors as ours, with file, line (of the template, where that is the file) and mend."""
    from jinja2 import TemplateSyntaxError, UndefinedError

    try:
        yield
    except TemplateSyntaxError as e:
        line, mend = None if field else e.lineno, "see the Jinja manual"
        raise DataError(str(e.message), file=e.filename or file, line=line, field=field, mend=mend) from None
    except UndefinedError as e:
        raise DataError(str(e), file=file, field=field, mend=f"its fields are: {', '.join(sorted(fields))}") from None
    except (
        Exception
    ) as e:  # what a template may do wrong has no bounds: it divides by nought, it asks a number for a field
        raise DataError(f"cannot be rendered: {e}", file=file, field=field, mend="see the Jinja manual") from None


def _environment(folders: Sequence[Path]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([str(f) for f in folders]),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - what is written is words for a model, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
