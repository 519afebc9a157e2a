"""DDXPlus' patients.csv read as a stream into checked rows; errors say file, line and column.

Owns that file's format. Knows nothing of wording, probabilities or scenarios.
"""

from __future__ import annotations

import ast
import csv
import math
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from consult.clean import one_line
from consult.errors import DataError
from consult.files import WHOLE
from consult.importers.ddxplus_files import Evidence
from consult.knowledge.model import FindingKind
from consult.terms import Sex

MAX_LIST: Final = 50_000
"""Characters of one list in a cell; genuine ones stay below 6,000."""
SEPARATOR: Final = "_@_"
COLUMNS: Final = ("AGE", "DIFFERENTIAL_DIAGNOSIS", "SEX", "PATHOLOGY", "EVIDENCES", "INITIAL_EVIDENCE")
ROW: Final = "SOURCE_ROW"
_SEXES: Final = {"F": Sex.FEMALE, "M": Sex.MALE}


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One patient of patients.csv."""

    row: int
    """Its number in the release."""
    age: float
    """Years."""
    sex: Sex
    pathology: str
    initial: str
    """The evidence it came with."""
    present: frozenset[str]
    """Binary evidences that are so."""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of categorical (one) and multi (several) evidences, in the order of the record."""
    differential: tuple[str, ...] = ()
    """Pathologies in the data set's own differential, the likeliest first."""


def read_patients(
    path: Path, pathologies: Collection[str], evidences: Mapping[str, Evidence], limit: int | None = None
) -> list[PatientRow]:
    """Patients in the file's order, at most `limit` of them. Raises DataError.

    Without the column SOURCE_ROW (the original release has none) patients are numbered from 0.
    """
    out: list[PatientRow] = []
    lines: dict[int, int] = {}
    for count, (line, cells) in enumerate(islice(_cells(path), None if limit is None else max(limit, 0))):
        reader = _Reader(str(path), line, cells)
        patient = reader.patient(count, pathologies, evidences)
        if patient.row in lines:
            raise reader.error(
                ROW, f"{patient.row} stands twice (first on line {lines[patient.row]})", "give each patient its own"
            )
        lines[patient.row] = line
        out.append(patient)
    return out


def _cells(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of each patient, read as a stream since the full release is larger than memory."""
    file = str(path)
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = csv.reader(handle, strict=True)
            head = next(rows, None) or []
            missing = next((c for c in COLUMNS if c not in head), None)
            if missing is not None:
                raise DataError(
                    "the column is missing", file=file, line=1, field=missing, mend="give DDXPlus' patients file"
                )
            for cells in rows:
                line = rows.line_num
                if not cells:
                    continue
                if len(cells) != len(head):
                    raise DataError(
                        f"has {len(cells)} cells where the first line has {len(head)}",
                        file=file,
                        line=line,
                        field=WHOLE,
                        mend="correct that line (a quote or a comma is missing or too many)",
                    )
                yield line, dict(zip(head, cells, strict=True))
                line += 1
    except UnicodeDecodeError:
        raise DataError("is not UTF-8 text", file=file, line=line, field=WHOLE, mend="save the file as UTF-8") from None
    except csv.Error as e:
        raise DataError(
            f"is not CSV: {one_line(str(e))}", file=file, line=line, field=WHOLE, mend="correct that line"
        ) from None
    except (OSError, ValueError) as e:
        what = getattr(e, "strerror", None) or one_line(str(e))
        raise DataError(f"cannot be read: {what}", file=file, field=WHOLE, mend="check the path") from None


@dataclass(frozen=True, slots=True)
class _Reader:
    """One line of patients.csv being read."""

    file: str
    line: int
    cells: Mapping[str, str]

    def error(self, column: str, problem: str, mend: str) -> DataError:
        return DataError(problem, file=self.file, line=self.line, field=column, mend=mend)

    def patient(self, count: int, pathologies: Collection[str], evidences: Mapping[str, Evidence]) -> PatientRow:
        sex = _SEXES.get(self.cells["SEX"].strip())
        if sex is None:
            raise self.error("SEX", f"is {self._shown('SEX')}", "write M or F")
        pathology = self._known("PATHOLOGY", self.cells["PATHOLOGY"].strip(), pathologies, "condition")
        present, values = self._evidences(evidences)
        initial, _, _ = self.cells["INITIAL_EVIDENCE"].strip().partition(SEPARATOR)
        self._known("INITIAL_EVIDENCE", initial, evidences, "evidence")
        if initial not in present and initial not in values:
            raise self.error("INITIAL_EVIDENCE", f"{initial} is not among the EVIDENCES", "add it there, or correct it")
        return PatientRow(
            self._row(count), self._age(), sex, pathology, initial, present, values, self._differential(pathologies)
        )

    def _shown(self, column: str) -> str:
        return repr(one_line(self.cells[column], limit=40))

    def _known(self, column: str, name: object, known: Collection[str], what: str) -> str:
        if not isinstance(name, str) or name not in known:
            shown = one_line(str(name), limit=60) if isinstance(name, str) else type(name).__name__
            raise self.error(
                column, f"{shown!r} is no {what}", f"correct it, or give the {what}s file of the same release"
            )
        return name

    def _row(self, count: int) -> int:
        text = self.cells.get(ROW, str(count)).strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            raise self.error(ROW, f"is {one_line(text, limit=40)!r}", "write a whole number, 0 or more")
        return int(text)

    def _age(self) -> float:
        try:
            age = float(self.cells["AGE"])
        except ValueError:
            age = math.nan
        if not 0 <= age <= 120:
            raise self.error("AGE", f"is {self._shown('AGE')}", "write years, 0 to 120")
        return age

    def _list(self, column: str) -> list[Any]:
        text = self.cells[column]
        try:
            if len(text) > MAX_LIST:
                raise ValueError
            with warnings.catch_warnings():  # an odd escape in a foreign file is not our user's business
                warnings.simplefilter("ignore")
                found = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            found = None
        if not isinstance(found, list):
            raise self.error(column, "is not a list", "write ['E_91', 'E_55_@_V_29', ...] as DDXPlus does")
        return found

    def _evidences(self, known: Mapping[str, Evidence]) -> tuple[frozenset[str], dict[str, tuple[str, ...]]]:
        present: set[str] = set()
        values: dict[str, tuple[str, ...]] = {}
        for item in self._list("EVIDENCES"):
            name, at, value = item.partition(SEPARATOR) if isinstance(item, str) else (item, "", "")
            e = known[self._known("EVIDENCES", name, known, "evidence")]
            if not e.values:
                if at:
                    raise self.error("EVIDENCES", f"{name} has no values", f"write '{name}' alone")
                present.add(name)
            elif value not in e.values:
                raise self.error(
                    "EVIDENCES",
                    f"{one_line(str(item), limit=60)!r} names no value of {name}",
                    f"write '{name}_@_VALUE'",
                )
            elif e.kind is FindingKind.CATEGORICAL and values.get(name, (value,)) != (value,):
                raise self.error("EVIDENCES", f"{name} has two values", "keep one")
            else:
                values[name] = tuple(dict.fromkeys((*values.get(name, ()), value)))
        return frozenset(present), {n: _without_default(known[n], v) for n, v in values.items()}

    def _differential(self, pathologies: Collection[str]) -> tuple[str, ...]:
        column = "DIFFERENTIAL_DIAGNOSIS"
        ranked: list[tuple[float, str]] = []
        for item in self._list(column):
            if not (isinstance(item, list) and len(item) == 2 and isinstance(item[1], (int, float))):
                raise self.error(
                    column, "holds something that is not [name, probability]", "write [['Croup', 0.5], ...]"
                )
            ranked.append((float(item[1]), self._known(column, item[0], pathologies, "condition")))
        return tuple(name for _, name in sorted(ranked, key=lambda r: -r[0]))


def _without_default(e: Evidence, values: tuple[str, ...]) -> tuple[str, ...]:
    """A default value ("nowhere") said beside others says nothing."""
    return tuple(v for v in values if len(values) == 1 or v != str(e.default_value))
