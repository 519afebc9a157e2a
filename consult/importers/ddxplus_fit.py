"""A knowledge estimated from DDXPlus: which evidences a condition lists, and how often its patients show them.

Owns the assembling of findings, conditions and rates into a `Knowledge` and its file; the estimates are
`ddxplus_rates`', the wording `ddxplus_words`', departments and urgencies `ddxplus_codes`'. Uses the records it is
given and nothing else, so that a fit on some patients says nothing of the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from consult.errors import DataError
from consult.files import dump_yaml, line_of
from consult.importers.ddxplus_codes import SOURCE, URGENCY, condition_ids, department, icd10, other_names
from consult.importers.ddxplus_files import Evidence, Pathology, read_evidences, read_pathologies
from consult.importers.ddxplus_patients import PatientRow, read_patients
from consult.importers.ddxplus_rates import AGE_STARTS, EPS, Rates, estimate
from consult.importers.ddxplus_words import TOPICS, condition_words, findings
from consult.knowledge.model import Condition, Finding, FindingKind, Knowledge, Prevalence
from consult.terms import Sex, Urgency

NAME: Final = "ddxplus"
DIGITS: Final = 6
"""Decimals kept; two below EPS."""
LIFE: Final = 95
"""Years of a life: where the open age band is taken to end when a band's share becomes a rate per year."""
_PLANS: Final[Mapping[Urgency, tuple[str, ...]]] = {
    Urgency.EMERGENCY: (
        "Send to the emergency department now.",
        "Watch breathing, pulse and blood pressure meanwhile.",
    ),
    Urgency.URGENT: ("See a doctor of the department named within a day.", "Examine and test to confirm it."),
    Urgency.ROUTINE: ("Book an appointment in the department named.", "Treat the symptoms meanwhile."),
    Urgency.SELF_CARE: ("Rest and treat the symptoms at home.", "See a doctor if it does not get better."),
}
_SOON: Final[Mapping[Urgency, str]] = {
    Urgency.EMERGENCY: "it has to be looked at right now",
    Urgency.URGENT: "it should be looked at within a day",
    Urgency.ROUTINE: "it can wait for a normal appointment",
    Urgency.SELF_CARE: "it mostly gets better with care at home",
}


def fit(conditions: Path, evidences: Path, patients: Path, out: Path) -> None:
    """Estimate a knowledge from three DDXPlus files and write it to `out` (JSON if it ends in .json, else YAML).

    Raises DataError or DataErrors for what is wrong in the files, or where `out` cannot be written.
    """
    known = read_evidences(evidences)
    pathologies = read_pathologies(conditions, known)
    _check_codes(pathologies, conditions)
    rows = read_patients(patients, pathologies, known)
    if not rows:
        raise DataError("holds no patient", file=str(patients), mend="give a file with patients to estimate from")
    write_knowledge(fit_knowledge(pathologies, known, rows), out)


def fit_knowledge(
    conditions: Mapping[str, Pathology], evidences: Mapping[str, Evidence], patients: Sequence[PatientRow]
) -> Knowledge:
    """The knowledge that these patients give; pure. A condition without patients rests on what it lists.

    Raises DataError where conditions have no ids or codes of their own.
    """
    rates = estimate(conditions, evidences, patients)
    ids = condition_ids(conditions, Path(NAME))
    made = tuple(findings(evidences))
    return Knowledge(
        id=NAME,
        name="DDXPlus",
        description="The 49 conditions and 223 questions of DDXPlus."
        if (len(conditions), len(evidences)) == (49, 223)
        else f"{len(conditions)} conditions and {len(evidences)} questions in the form of DDXPlus.",
        source=f"{SOURCE} Probabilities estimated from {len(patients)} of its patients; wording, departments and "
        "urgencies derived by rule.",
        open_questions=False,
        topics=TOPICS,
        findings=tuple(_with_background(f, rates) for f in made),
        conditions=tuple(_condition(i, ids[key], c, evidences, rates) for i, (key, c) in enumerate(conditions.items())),
    )


def _check_codes(pathologies: Mapping[str, Pathology], path: Path) -> None:
    condition_ids(pathologies, path)
    for key, c in pathologies.items():
        if icd10(c.icd10) is None:
            raise DataError(
                f"{c.icd10!r} holds no ICD-10 code",
                file=str(path),
                line=line_of(path, (key, "icd10-id")),
                field=f"{key}.icd10-id",
                mend="write one like J93 or G44.0",
            )


def _rounded(p: float) -> float:
    return round(float(p), DIGITS)


def _with_background(f: Finding, rates: Rates) -> Finding:
    """The finding with its probabilities for conditions that do not list it: EPS, or the pooled answers."""
    if not f.values:
        return f.model_copy(update={"background": EPS})
    pooled = zip(f.value_ids, rates.pooled[f.id], strict=True)
    return f.model_copy(update={"background": _table(pooled)})


def _table(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Probabilities by value; those at the clip are left out, which says the same."""
    return {v: _rounded(p) for v, p in pairs if p > EPS}


def _condition(i: int, name: str, c: Pathology, evidences: Mapping[str, Evidence], rates: Rates) -> Condition:
    urgency = URGENCY[c.severity]
    code = icd10(c.icd10) or "R69"  # "illness, unspecified"; only for records made by hand, `fit` checks files
    return Condition(
        id=name,
        name=c.name,
        plain=condition_words(c.name),
        icd10=code,
        synonyms=other_names(c.name),
        urgency=urgency,
        department=department(code),
        prevalence=_prevalence(i, rates),
        findings=_findings(i, c, evidences, rates),
        complaint=_complaint(i, c, evidences, rates),
        explanation=f"What you describe fits {condition_words(c.name)} best, and {_SOON[urgency]}.",
        plan=_PLANS[urgency],
        safety_net="Come back at once if you get worse, if breathing becomes hard, or if anything new worries you.",
    )


def _prevalence(i: int, rates: Rates) -> Prevalence:
    """Share of patients, with factors by age (1: as many a year as if all of life were alike) and sex (1: half)."""
    ends = (*AGE_STARTS[1:], LIFE)
    bands = [f"{a}-{b - 1}" for a, b in pairwise(AGE_STARTS)] + [f"{AGE_STARTS[-1]}+"]
    years = [b - a for a, b in zip(AGE_STARTS, ends, strict=True)]
    return Prevalence(
        weight=_rounded(rates.prior[i]),
        ages={b: _rounded(p * LIFE / y) for b, y, p in zip(bands, years, rates.age[i], strict=True)},
        sex={s: _rounded(2 * p) for s, p in zip(Sex, rates.sex[i], strict=True)},
    )


def _findings(
    i: int, c: Pathology, evidences: Mapping[str, Evidence], rates: Rates
) -> dict[str, float | dict[str, float]]:
    column = 0
    out: dict[str, float | dict[str, float]] = {}
    for e in evidences.values():
        if e.values:
            if e.name in c.listed:
                out[e.name] = _table(zip(e.values, rates.values[e.name][i], strict=True))
            continue
        if e.name in c.listed:
            out[e.name] = _rounded(rates.present[i, column])
        column += 1
    return out


def _complaint(i: int, c: Pathology, evidences: Mapping[str, Evidence], rates: Rates) -> dict[str, float]:
    """P(comes with it), over what the condition lists; the belief gives the rest its spare share."""
    binary = [e for e in evidences.values() if e.kind is FindingKind.BINARY]
    pairs = zip(binary, rates.complaint[i], strict=True)
    return {e.name: _rounded(p) for e, p in pairs if e.name in c.listed and p > EPS}


def write_knowledge(knowledge: Knowledge, out: Path) -> None:
    """One file, the same bytes for the same knowledge; JSON with one finding or condition a line. Raises DataError."""
    data = knowledge.model_dump(mode="json", exclude_defaults=True)
    text = _json(data) if out.suffix == ".json" else dump_yaml(data)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, "utf-8", newline="\n")
    except OSError as e:
        raise DataError(f"cannot be written: {e.strerror}", file=str(out), mend="give another path") from None


def _json(data: Mapping[str, Any]) -> str:
    parts = []
    for key, value in data.items():
        if isinstance(value, list):
            items = ",\n  ".join(_line(v) for v in value)
            parts.append(f"{json.dumps(key)}: [\n  {items}\n ]")
        else:
            parts.append(f"{json.dumps(key)}: {_line(value)}")
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
