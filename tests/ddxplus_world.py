"""A tiny world in DDXPlus' file formats, made by hand, for tests of the importer and the fit."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

COLUMNS = ["SOURCE_ROW", "AGE", "DIFFERENTIAL_DIAGNOSIS", "SEX", "PATHOLOGY", "EVIDENCES", "INITIAL_EVIDENCE"]
PLACES = {"V_1": "nowhere", "V_2": "knee(R)", "V_3": "knee(L)", "V_4": "finger (index)(R)", "V_5": "nose"}


def _evidence(name: str, question: str, kind: str = "B", **changes: Any) -> dict[str, Any]:
    plain = {
        "name": name, "code_question": name, "question_fr": "?", "question_en": question, "is_antecedent": False,
        "default_value": 0, "value_meaning": {}, "possible-values": [], "data_type": kind,
    }  # fmt: skip
    return plain | changes


def evidences() -> dict[str, Any]:
    places = {v: {"fr": "?", "en": en} for v, en in PLACES.items()}
    found = [
        _evidence("E_1", "Do you have a fever (felt or measured)?"),
        _evidence("E_2", "Do you have pain somewhere?"),
        _evidence(
            "E_3", "Do you feel pain somewhere?", "M",
            **{"code_question": "E_2", "default_value": "V_1", "value_meaning": places, "possible-values": list(places)},
        ),
        _evidence("E_4", "How intense is the pain?", "C", **{"code_question": "E_2", "possible-values": list(range(11))}),
        _evidence(
            "E_5", "Is the pain new?", "C",
            **{
                "code_question": "E_2", "default_value": "V_10", "possible-values": ["V_10", "V_12"],
                "value_meaning": {"V_10": {"fr": "N", "en": "N"}, "V_12": {"fr": "Y", "en": "Y"}},
            },
        ),
        _evidence("E_6", "Do you have diabetes?", is_antecedent=True, code_question="E_99"),
        _evidence("E_7", "Have you ever had a cold?", is_antecedent=True),
        _evidence("E_8", "Do you have a fever?"),
        _evidence("E_9", "Do you cough at night?"),
    ]  # fmt: skip
    return {e["name"]: e for e in found}


def conditions() -> dict[str, Any]:
    def made(name: str, code: str, severity: int, symptoms: str, antecedents: str) -> dict[str, Any]:
        return {
            "condition_name": name, "cond-name-fr": "?", "cond-name-eng": name, "icd10-id": code,
            "symptoms": {e: {} for e in symptoms.split()}, "antecedents": {e: {} for e in antecedents.split()},
            "severity": severity,
        }  # fmt: skip

    return {
        "Flu": made("Flu", "j11.1", 3, "E_1 E_9", "E_7"),
        "Sore knee (é)": made("Sore knee (é)", "m25.569", 4, "E_2 E_3 E_4 E_5", "E_6"),
        "Rare thing": made("Rare thing", "j17, j18", 1, "E_1 E_2 E_3 E_4 E_5", ""),
    }


FLU = ["E_1", "E_7"]
KNEE = ["E_2", "E_3_@_V_2", "E_4_@_6", "E_5_@_V_12", "E_6"]


def row(n: int, evidence: list[str] | None = None, **changes: str) -> dict[str, str]:
    said = FLU if evidence is None else evidence
    plain = {
        "SOURCE_ROW": str(n), "AGE": "34", "SEX": "F", "PATHOLOGY": "Flu", "EVIDENCES": repr(said),
        "INITIAL_EVIDENCE": said[0], "DIFFERENTIAL_DIAGNOSIS": "[['Rare thing', 0.2], ['Flu', 0.8]]",
    }  # fmt: skip
    return plain | changes


def rows() -> list[dict[str, str]]:
    knee = [row(k, KNEE, PATHOLOGY="Sore knee (é)", AGE="70", SEX="M") for k in (12, 13, 14)]
    return [row(0), row(1, ["E_9", "E_3_@_V_1", "E_4_@_0"], AGE="8"), row(5, AGE="0.5"), *knee]


def table(patients: list[dict[str, str]], columns: list[str] | None = None) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns or COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(patients)
    return out.getvalue()


class Files:
    """The three files in a folder, to be changed and read."""

    def __init__(self, folder: Path) -> None:
        self.patients = folder / "patients.csv"
        self.conditions = folder / "release_conditions.json"
        self.evidences = folder / "release_evidences.json"
        self.patients.write_text(table(rows()), "utf-8")
        self.write(conditions(), evidences())

    def write(self, con: Any = None, evi: Any = None) -> None:
        for path, data in ((self.conditions, con), (self.evidences, evi)):
            if data is not None:
                path.write_text(json.dumps(data, indent=1, ensure_ascii=False), "utf-8")
