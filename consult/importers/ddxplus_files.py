"""DDXPlus' evidences and conditions (JSON) read into checked records; errors say file, line, field.

Owns the file formats only. Knows nothing of wording, probabilities or scenarios.
Source: Fansi Tchango et al., "DDXPlus: A New Dataset For Automatic Medical Diagnosis", NeurIPS 2022 (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from consult.clean import one_line
from consult.errors import DataError
from consult.files import Record, line_of, read_data, validate
from consult.knowledge.model import FindingKind
from consult.terms import FindingId, Slug, Text

_KINDS: Final = {"B": FindingKind.BINARY, "C": FindingKind.CATEGORICAL, "M": FindingKind.MULTI}


class _Row(Record):
    """Fields that consult does not use (French names and the like) are passed over."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class _Meaning(_Row):
    en: Text


class Evidence(_Row):
    """One question of release_evidences.json."""

    name: FindingId
    code_question: FindingId
    question_en: Text
    is_antecedent: bool
    data_type: Literal["B", "C", "M"]
    default_value: int | str
    possible_values: tuple[Annotated[int, Field(ge=-1000, le=1000)] | Slug, ...] = Field(alias="possible-values")
    value_meaning: dict[str, _Meaning]

    @property
    def kind(self) -> FindingKind:
        """Binary, categorical or multi."""
        return _KINDS[self.data_type]

    @property
    def parent(self) -> str | None:
        """The evidence it describes. Only for valued ones: binary "children" (E_69: diabetes) are asked of anyone, and
        are often present where their code_question is absent."""
        return self.code_question if self.data_type != "B" and self.code_question != self.name else None

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Value ids in order; none for a binary evidence."""
        return () if self.data_type == "B" else tuple(str(v) for v in self.possible_values)

    @property
    def is_scale(self) -> bool:
        """Whether the values are consecutive numbers (0-10)."""
        return (
            self.data_type == "C" and not self.value_meaning and all(isinstance(v, int) for v in self.possible_values)
        )

    def meaning(self, value: str) -> str:
        """What a value says, in English; a number for a scale."""
        found = self.value_meaning.get(value)
        return found.en if found else value


class Pathology(_Row):
    """One condition of release_conditions.json."""

    name: Text = Field(alias="cond-name-eng")
    icd10: Text = Field(alias="icd10-id")
    symptoms: dict[str, Any]
    antecedents: dict[str, Any]
    severity: int = Field(ge=1, le=5)
    """1 is the worst."""

    @cached_property
    def listed(self) -> frozenset[str]:
        """Every evidence that the condition can show."""
        return frozenset((*self.symptoms, *self.antecedents))


class _Evidences(Record):
    evidences: dict[str, Evidence] = Field(min_length=1)


class _Pathologies(Record):
    conditions: dict[str, Pathology] = Field(min_length=1)


def read_evidences(path: Path) -> dict[str, Evidence]:
    """Evidences by name, in the file's order. Raises DataError or DataErrors."""
    data = read_data(path)
    out = validate({"evidences": data}, _Evidences, path).evidences
    for key, e in out.items():
        problem = _wrong_evidence(key, e, out)
        if problem is not None:
            where, what, mend = problem
            raise DataError(what, file=str(path), line=line_of(path, (key, where)), field=f"{key}.{where}", mend=mend)
    return out


def _wrong_evidence(key: str, e: Evidence, known: Mapping[str, Evidence]) -> tuple[str, str, str] | None:
    """(field, problem, mend) of an evidence that contradicts itself or the others."""
    if e.name != key:
        return "name", f"is {e.name!r} under the key {key!r}", "give both the same name"
    if e.parent is not None and (e.parent not in known or known[e.parent].data_type != "B"):
        return "code_question", f"names {e.parent!r}, which is no binary evidence", "name one that is"
    if e.data_type == "B":
        return None
    if len(set(e.values)) != len(e.values) or len(e.values) < 2:
        return "possible-values", "needs two different values or more", "list each value once"
    if str(e.default_value) not in e.values:
        return "default_value", f"{e.default_value!r} is not among the possible values", "give one of them"
    nameless = next((v for v in e.values if e.value_meaning and v not in e.value_meaning), None)
    if nameless is not None:
        return "value_meaning", f"says nothing of the value {nameless!r}", "add its meaning"
    return None


def read_pathologies(path: Path, evidences: Collection[str]) -> dict[str, Pathology]:
    """Conditions by name, in the file's order. Raises DataError or DataErrors."""
    out = validate({"conditions": read_data(path)}, _Pathologies, path).conditions
    for key, c in out.items():
        for part, names in (("symptoms", c.symptoms), ("antecedents", c.antecedents)):
            for name in names:
                if name not in evidences:
                    raise DataError(
                        f"names {one_line(name, limit=60)!r}, which is no evidence",
                        file=str(path),
                        line=line_of(path, (key, part, name)),
                        field=f"{one_line(key, limit=60)}.{part}",
                        mend="correct it, or give the evidences file of the same release",
                    )
    return out
