"""The golden transcripts in transcripts/golden: which consultations they are, and a command to write them anew.

    python tests/golden.py

Write them only when a change of behaviour is meant, and say in the commit what changed.
"""

from __future__ import annotations

from pathlib import Path

from consult import Setup, Transcript, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.scenario import find_scenario

FOLDER = Path(__file__).resolve().parent.parent / "transcripts" / "golden"
CELLS = {
    "indigestion-choleric-reference": ("indigestion_at_the_wheel", "choleric", "reference"),
    "barking-melancholic-reference": ("barking_at_night", "melancholic", "reference"),
    "shingles-sanguine-checklist": ("burning_band", "sanguine", "checklist"),
    "ectopic-phlegmatic-curt": ("cramps_at_work", "phlegmatic", "curt"),
    "monday-neutral-oracle": ("worst_monday", "neutral", "oracle"),
    "student-choleric-half-random": ("tired_student", "choleric@0.5", "random"),
    "eye-neutral-opening-only": ("sore_red_eye", "neutral", "opening-only"),
}


def setup(name: str) -> Setup:
    """The consultation behind a golden transcript."""
    scenario, persona, inquirer = CELLS[name]
    return Setup(
        load_scenario(find_scenario(scenario)),
        load_persona(persona),
        load_hospital(),
        load_knowledge(),
        {"inquirer": inquirer},
        seed=7,
    )


def golden(name: str) -> Transcript:
    """The consultation played now, its provenance without what changes from commit to commit."""
    transcript = play(setup(name))
    header = transcript.header
    fixed = header.provenance.model_copy(update={"commit": None, "version": "golden"})
    return Transcript(header.model_copy(update={"provenance": fixed, "consultation_id": name}), transcript.events)


if __name__ == "__main__":
    from click.testing import CliRunner

    from consult.cli.main import cli
    from consult.store.transcript import write

    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in CELLS:
        path = FOLDER / f"{name}.jsonl"
        played = golden(name)
        write(path, played.header, played.events)
        shown = CliRunner().invoke(cli, ["replay", str(path), "--plain", "--speed", "0"], env={"COLUMNS": "100"})
        assert shown.exit_code == 0, shown.output
        path.with_suffix(".txt").write_text(shown.stdout, "utf-8")
        print(path.name)
