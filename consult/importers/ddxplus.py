"""DDXPlus patients as scenarios: one small YAML file each, coded in the knowledge that `fit ddxplus` makes.

Nothing is added to a patient's record: what is listed is present, all else is absent, everything but the complaint is
told only when asked for. Owns the mapping of a row to a scenario; reads by `ddxplus_files` and `ddxplus_patients`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from consult.errors import DataError
from consult.files import dump_yaml
from consult.hospital import load_hospital
from consult.importers.ddxplus_codes import SOURCE, URGENCY, condition_ids, department, icd10
from consult.importers.ddxplus_files import Evidence, Pathology, read_evidences, read_pathologies
from consult.importers.ddxplus_patients import PatientRow, read_patients
from consult.scenario import Fact, Gold, Patient, Release, Scenario, Speaker
from consult.terms import Sex

KNOWLEDGE: Final = "ddxplus"
DIFFERENTIAL: Final = 5
"""How many of the data set's ranked differential go into the gold."""
WIDTH: Final = 6
"""Digits of a patient's number in file names; the full release has more than 100,000 patients a part."""
SPEAKS_FROM: Final = 12
"""Years; a parent speaks for younger patients."""
_NOUNS: Final = {
    (Sex.FEMALE, False): "woman", (Sex.MALE, False): "man", (Sex.FEMALE, True): "girl", (Sex.MALE, True): "boy",
}  # fmt: skip


def import_patients(patients: Path, conditions: Path, evidences: Path, to: Path, limit: int | None = None) -> int:
    """Write a scenario file for each patient (at most `limit`) into the folder `to`; gives their number.

    Files of the same names are overwritten, others left alone; nothing is written if any input is wrong. Raises
    DataError or DataErrors.
    """
    known = read_evidences(evidences)
    pathologies = read_pathologies(conditions, known)
    ids = condition_ids(pathologies, conditions)
    rows = read_patients(patients, pathologies, known, limit)
    made = [scenario(p, pathologies, known, ids) for p in rows]
    try:
        to.mkdir(parents=True, exist_ok=True)
        for s in made:
            (to / f"{s.id}.yaml").write_text(dump_yaml(_plain(s)), "utf-8", newline="\n")
    except OSError as e:
        raise DataError(
            f"cannot be written: {e.strerror}", file=str(e.filename or to), mend="give another folder"
        ) from None
    return len(made)


def scenario(
    p: PatientRow,
    pathologies: Mapping[str, Pathology],
    evidences: Mapping[str, Evidence],
    ids: Mapping[str, str],
) -> Scenario:
    """One patient as a scenario; `ids` are condition ids by pathology."""
    c = pathologies[p.pathology]
    gold = ids[p.pathology]
    speaker = Speaker.PARENT if p.age < SPEAKS_FROM else Speaker.SELF
    years = f"{p.age:g}-year-old {_NOUNS[p.sex, p.age < 18]}"
    return Scenario(
        id=f"ddxplus_{p.row:0{WIDTH}d}",
        title=f"Patient {p.row}: {years}",
        tags=("ddxplus",),
        knowledge=KNOWLEDGE,
        source=f"{SOURCE} Patient {p.row}.",
        patient=Patient(age=p.age, sex=p.sex, speaker=speaker),
        closed_world=True,
        facts=tuple(_facts(p, evidences)),
        gold=Gold(
            condition=gold,
            differential=tuple(ids[d] for d in p.differential[:DIFFERENTIAL]),
            department=load_hospital().for_patient(department(icd10(c.icd10) or ""), p.age),
            urgency=URGENCY[c.severity],
        ),
    )


def _facts(p: PatientRow, evidences: Mapping[str, Evidence]) -> Iterator[Fact]:
    """The record's facts in the release's order; details of a finding that is absent are passed over."""
    told = {
        e.name: e for e in evidences.values()
        if e.name in p.present or (e.name in p.values and (e.parent is None or e.parent in p.present))
    }  # fmt: skip
    first = _opening(p, told)
    for name in told:
        yield Fact(
            finding=name,
            values=p.values.get(name, ()),
            release=Release.OPENING if name in first else Release.DIRECT,
        )


def _opening(p: PatientRow, told: Mapping[str, Evidence]) -> set[str]:
    """What the patient comes with: the initial evidence, after its parent if it is a detail of one.

    Where the record's own initial evidence is a detail of something absent, the first symptom stands in.
    """
    if p.initial in told:
        parent = told[p.initial].parent
        return {p.initial, parent} if parent is not None else {p.initial}
    ranked = sorted(told.values(), key=lambda e: (e.is_antecedent, e.parent is not None))
    return {ranked[0].name} if ranked else set()


def _plain(s: Scenario) -> dict[str, Any]:
    data = s.model_dump(mode="json", exclude_defaults=True)
    if s.patient.age.is_integer():
        data["patient"]["age"] = int(s.patient.age)
    return data
