"""What DDXPlus does not say of its conditions and consult needs: ids, ICD-10 codes, departments, urgency, other names.

All derived by rule from names, codes and severities; see docs/ddxplus.md. Knows nothing of patients.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from consult.errors import DataError
from consult.files import line_of
from consult.importers.ddxplus_files import Pathology
from consult.terms import Department, Urgency

SOURCE: Final = (
    "DDXPlus (A. Fansi Tchango, R. Goel, Z. Wen, J. Martel, J. Ghosn, NeurIPS 2022 Datasets and Benchmarks; synthetic "
    "patients), licence CC BY 4.0; changed: coded in consult's format."
)
URGENCY: Final = {
    1: Urgency.EMERGENCY, 2: Urgency.EMERGENCY, 3: Urgency.URGENT, 4: Urgency.ROUTINE, 5: Urgency.SELF_CARE,
}  # fmt: skip
"""By DDXPlus severity (1 is the worst)."""

_IM, _SURGERY = "internal_medicine", "surgery"
_BY_PREFIX: Final[Mapping[str, tuple[str, str]]] = {
    "A": (_IM, "infectious_diseases"), "B": (_IM, "infectious_diseases"), "A15": (_IM, "respiratory_medicine"),
    "C": ("oncology", "medical_oncology"), "C34": ("oncology", "thoracic_oncology"),
    "D": (_IM, "haematology"), "D86": (_IM, "respiratory_medicine"), "E": (_IM, "endocrinology"),
    "F": ("psychiatry", "general_psychiatry"), "F3": ("psychiatry", "mood_disorders"),
    "F4": ("psychiatry", "anxiety_disorders"), "G": (_IM, "neurology"), "H": (_SURGERY, "ear_nose_throat"),
    "I": (_IM, "cardiology"), "J": (_IM, "respiratory_medicine"), "J3": (_SURGERY, "ear_nose_throat"),
    "J02": (_IM, "general_practice"), "J06": (_IM, "general_practice"), "J10": (_IM, "general_practice"),
    "J11": (_IM, "general_practice"), "J01": (_SURGERY, "ear_nose_throat"), "J04": (_SURGERY, "ear_nose_throat"),
    "J05": (_SURGERY, "ear_nose_throat"), "J93": (_SURGERY, "thoracic_surgery"), "J81": (_IM, "cardiology"),
    "K": (_IM, "gastroenterology"), "K22.3": (_SURGERY, "thoracic_surgery"), "K4": (_SURGERY, "general_surgery"),
    "L": ("dermatology_venereology", "dermatology"), "M": (_IM, "rheumatology"), "N": (_IM, "nephrology"),
    "O": ("obstetrics_gynaecology", "obstetrics"), "R": (_IM, "general_practice"),
    "S": (_SURGERY, "orthopaedics"), "T": (_IM, "emergency_medicine"),
    "H0": ("ophthalmology", "general_ophthalmology"), "H1": ("ophthalmology", "general_ophthalmology"),
    "H2": ("ophthalmology", "general_ophthalmology"), "H3": ("ophthalmology", "general_ophthalmology"),
    "H4": ("ophthalmology", "general_ophthalmology"), "H5": ("ophthalmology", "general_ophthalmology"),
}  # fmt: skip
_UNDIVIDED: Final = frozenset({"J81"})
"""Categories of this release that only the clinical modification divides further."""
_OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "Boerhaave": ("Boerhaave syndrome", "oesophageal rupture", "esophageal rupture"),
    "GERD": ("gastroesophageal reflux disease", "gastro-oesophageal reflux disease", "acid reflux"),
    "HIV (initial infection)": ("HIV infection", "acute HIV infection", "primary HIV infection"),
    "Anemia": ("anaemia",),
    "Whooping cough": ("pertussis",),
    "PSVT": ("paroxysmal supraventricular tachycardia", "supraventricular tachycardia", "SVT"),
    "Allergic sinusitis": ("allergic rhinitis", "hay fever"),
    "Chagas": ("Chagas disease",),
    "Scombroid food poisoning": ("scombroid poisoning", "histamine fish poisoning"),
    "Larygospasm": ("laryngospasm",),
    "Acute dystonic reactions": ("acute dystonic reaction", "acute dystonia"),
    "Localized edema": ("localised oedema", "oedema", "edema"),
    "SLE": ("systemic lupus erythematosus", "lupus"),
    "Ebola": ("Ebola virus disease",),
    "Bronchospasm / acute asthma exacerbation": ("acute asthma exacerbation", "asthma exacerbation", "bronchospasm"),
    "Bronchitis": ("acute bronchitis",),
    "Acute COPD exacerbation / infection": ("acute COPD exacerbation", "COPD exacerbation"),
    "URTI": ("upper respiratory tract infection", "common cold"),
    "Influenza": ("flu",),
    "Pulmonary neoplasm": ("lung cancer",),
    "Possible NSTEMI / STEMI": ("myocardial infarction", "heart attack", "NSTEMI", "STEMI"),
    "Pancreatic neoplasm": ("pancreatic cancer",),
    "Acute pulmonary edema": ("acute pulmonary oedema", "pulmonary oedema"),
}


def other_names(name: str) -> tuple[str, ...]:
    """Names that doctors use for a condition that DDXPlus abbreviates or spells in its own way."""
    return _OTHER_NAMES.get(name, ())


def slug(name: str) -> str:
    """The id of a condition: "Guillain-Barré syndrome" is guillain_barre_syndrome."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:100]


def condition_ids(pathologies: Mapping[str, Pathology], path: Path) -> dict[str, str]:
    """Condition ids by pathology. Raises DataError where a name gives no id or two give one."""
    out: dict[str, str] = {}
    for key, p in pathologies.items():
        name = slug(p.name)
        if not name or name in out.values():
            raise DataError(
                f"{p.name!r} gives no id of its own",
                file=str(path),
                line=line_of(path, (key, "cond-name-eng")),
                field=f"{key}.cond-name-eng",
                mend="give each condition a name of its own in Latin letters",
            )
        out[key] = name
    return out


def icd10(text: str) -> str | None:
    """The WHO ICD-10 code in a DDXPlus one, None if there is none.

    Of several the last ("j17, j18": J17 only stands beside another disease's code); upper case; codes of the clinical
    modification cut to the four-character category that WHO has (G44.009 is G44.0).
    """
    found: list[tuple[str, str]] = re.findall(r"\b([A-Za-z]\d[0-9A-Za-z])(?:\.([0-9A-Za-z]))?", text)
    if not found:
        return None
    last, digit = found[-1]
    category = last.upper()
    return category + (f".{digit.upper()}" if digit and category not in _UNDIVIDED else "")


def department(code: str) -> Department:
    """Where a condition of adults belongs, by the longest prefix of its ICD-10 code."""
    best = max((p for p in _BY_PREFIX if code.startswith(p)), key=len, default="R")
    primary, secondary = _BY_PREFIX[best]
    return Department(primary=primary, secondary=secondary)
