"""The labelled sets that the reading of free text is measured on: our own, PriMock57's turns, MTS-Dialog's headers.

Reads them into one form; scores nothing. The formats are told in the first lines of each file in benchmarks/data, the
method of labelling in docs/language.md. Others' data is read where it lies and never copied.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HERE = Path(__file__).resolve().parent / "data"
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
Half = Literal["development", "held-out"]

SYMPTOMS = frozenset(
    "chest breathing muscles head general skin eye throat mouth ear abdomen urine genital neuro mind infant".split()
)
HEADERS = {
    "ALLERGY": frozenset({"medicines"}),
    "MEDICATIONS": frozenset({"medicines"}),
    "PASTMEDICALHX": frozenset({"past", "risk"}),
    "PASTSURGICAL": frozenset({"past", "risk"}),
    "FAM/SOCHX": frozenset({"family", "social", "risk", "past"}),
    "IMMUNIZATIONS": frozenset({"risk", "past"}),
    "GYNHX": frozenset({"genital", "risk", "past"}),
    "ROS": SYMPTOMS,
    "CC": SYMPTOMS | {"course"},
    "GENHX": SYMPTOMS | {"course", "past", "risk", "medicines"},
}
"""Section headers of MTS-Dialog and the topics that a question under each is about. The rest is not taken."""


@dataclass(frozen=True, slots=True)
class Item:
    """A text and what it is labelled with."""

    ref: str
    text: str
    asked: tuple[str, ...] = ()
    """For replies: the findings asked just before."""
    wanted: frozenset[str] = frozenset()
    """Labels that must be found."""
    allowed: frozenset[str] = frozenset()
    """Labels that may be."""

    @property
    def half(self) -> Half:
        """By a hash of the text, so that nobody chooses."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return "development" if int(digest[:8], 16) % 2 == 0 else "held-out"


@dataclass(frozen=True, slots=True)
class Headed:
    """A turn of MTS-Dialog and the topics of its section."""

    header: str
    text: str
    topics: frozenset[str]
    before: str = ""
    """What the doctor said before it, for a patient's turn."""


def rows(name: str, columns: int) -> Iterator[list[str]]:
    for line in (HERE / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield [c.strip() for c in line.split(" | ", columns - 1)]


def known_at_labelling() -> dict[str, tuple[str | None, str]]:
    """Finding ids of the time of labelling: parent and topic."""
    lines = (line.split() for line in (HERE / "findings_at_labelling.txt").read_text("utf-8").splitlines()[1:])
    return {f: (None if parent == "-" else parent, topic) for f, parent, topic in lines}


def questions() -> list[Item]:
    """Our doctors' questions."""
    return [
        _question(f"question {n}", labels, text) for n, (labels, text) in enumerate(rows("doctor_questions.txt", 2), 1)
    ]


def _question(ref: str, labels: str, text: str) -> Item:
    words = labels.split()
    allowed = frozenset(w[1:] for w in words if w.startswith("?"))
    return Item(ref, text, (), frozenset(w for w in words if not w.startswith("?")), allowed)


def replies() -> list[Item]:
    """Our patients' replies."""
    numbered = enumerate(rows("patient_replies.txt", 3), 1)
    return [_reply(f"reply {n}", asked, labels, text) for n, (asked, labels, text) in numbered]


def _reply(ref: str, asked: str, labels: str, text: str) -> Item:
    words = labels.split()
    return Item(
        ref,
        text,
        tuple(a for a in asked.split() if a != "-"),
        frozenset(w for w in words if w[0] in "+-~"),
        frozenset(w.strip("()") for w in words if w.startswith("(")),
    )


def _turns(data: Path) -> dict[str, list[str]] | None:
    path = data / "primock57" / "consultations.jsonl"
    if not path.is_file():
        return None
    rows = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return {r["consultation"]: [_plain(t["text"]) for t in r["turns"]] for r in rows}


def _plain(text: str) -> str:
    """Without the marks of the transcribers."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text)).strip()


def primock_questions(data: Path = SHARED) -> list[Item] | None:
    """Turns of PriMock57's doctors that were labelled by hand; None where the data is absent."""
    turns = _turns(data)
    if turns is None:
        return None
    out = []
    for line in (HERE / "primock57_questions.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, n, labels = line.split(" ", 2)
            out.append(_question(f"{name} {n}", labels, turns[name][int(n)]))
    return out


def primock_replies(data: Path = SHARED) -> list[Item] | None:
    """Turns of its patients; None where the data is absent."""
    turns = _turns(data)
    if turns is None:
        return None
    out = []
    for where, asked, labels in rows("primock57_replies.txt", 3):
        name, n = where.split()
        out.append(_reply(where, asked, labels, turns[name][int(n)]))
    return out


def mts(role: Literal["Doctor", "Patient"], data: Path = SHARED) -> list[Headed] | None:
    """Turns of MTS-Dialog by section header; of doctors only those that hold a question. None where it is absent."""
    paths = sorted((data / "mts_dialog").glob("*.csv"))
    if not paths:
        return None
    out = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["section_header"] in HEADERS:
                    out += _headed(row["section_header"], row["dialogue"], role)
    return out


def _headed(header: str, dialogue: str, role: str) -> Iterator[Headed]:
    before = ""
    for line in dialogue.splitlines():
        said = re.match(r"\s*(Doctor|Patient)\s*:\s*(.*\S)", line)
        if said is None:
            continue
        if said[1] == role and (role == "Patient" or "?" in said[2]):
            yield Headed(header, said[2], HEADERS[header], before)
        if said[1] == "Doctor":
            before = said[2]
