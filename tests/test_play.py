"""`consult play`: either side in the bare terminal, left by any way and taken up, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from consult import Setup, play
from consult.actions import Ask, Conclude, Hint, Words
from consult.batch.forking import fork_of
from consult.cli.main import cli
from consult.events import Audited, Hinted, Question, Scored, Stopped, StopReason, Utterance
from consult.players import PATIENT
from consult.sim.sitting import Sitting
from consult.store.db import Store
from consult.store.transcript import dumps, loads
from consult.tui.left import left_open
from consult.tui.typed import read_patient

CHEST = "Does your chest hurt?\n"
END = (
    "/diagnose\nheart attack 80\n\n\n\n\nurgent\n3\naspirin; watch\nIt may be your heart.\nCall us if it gets worse.\n"
)
PAIN = "I have a burning pain behind my breastbone.\n"


def played(db: Path, typed: str, *more: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["play", "--db", str(db), *more], input=typed, env={"COLUMNS": "100"})
    return result.exit_code, result.stdout, result.stderr


def test_the_doctor_leaves_and_ends_it_another_time(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    code, out, err = played(db, f"/nonsense\n/help\n{CHEST}/order ecg\n")
    assert code == 0
    assert "there is no /nonsense" in out
    assert "ST segment" in out
    assert "takes it up again" in err
    assert [so_far["turns"] for _, so_far in left_open(db)] == [1]
    code, out, err = played(db, "/diagnose\nheart attack 800\n\n\n\n\n\n\n\n\n\n" + END)
    assert "Does your chest hurt?" in out, "what was said before is seen again"
    assert "not taken: differential.0.probability" in out
    assert "score card" in out
    assert "kept as" in err
    assert left_open(db) == []
    with Store(db, readonly=True) as store:
        (row,) = store.consultations()
    assert (row["stop_reason"], row["inquirer"], row["turns"], row["orders"]) == ("concluded", "human", 1, 1)
    assert row["correct"] is True


def test_plain_lines_for_a_screen_reader(tmp_path: Path) -> None:
    _, out, _ = played(tmp_path / "a.db", CHEST + "/refer\n\n\n\n\n\nemergency\n3\n\n\n", "--plain")
    assert "Patient: " in out
    assert not set("│━█─") & set(out)


def test_the_patient_is_a_human(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    code, out, _ = played(db, PAIN + "Yes, and I have pain in my chest.\n", "--as", "patient", "--persona", "choleric")
    assert code == 0
    assert "what the chest pain is like: like a pressure" in out
    assert "troponin" not in out, "what only a test can tell"
    code, out, _ = played(db, "/leave Enough.\n", "--as", "patient", "--persona", "choleric")
    assert "breastbone" in out
    with Store(db, readonly=True) as store:
        (row,) = store.consultations()
        t = store.get(row["consultation_id"])
    assert (row["stop_reason"], row["agents"]["patient"], row["agents"]["inquirer"]) == (
        "patient_left",
        "human",
        "reference",
    )
    said = [e for e in t.events if isinstance(e, Utterance)]
    assert [e.text for e in said] == [PAIN.strip(), "Yes, and I have pain in my chest.", "Enough."]
    assert [(told.finding, told.state) for told in said[1].told] == [("chest_pain", "present")]


def test_a_sitting_of_a_patient_goes_on_to_the_doctors_end(setup_of: Callable[..., Setup]) -> None:
    sitting = Sitting(setup_of(), PATIENT)
    assert list(sitting.begin()) == []
    list(sitting.act(Words(PAIN)))
    again = Sitting(setup_of(), PATIENT)
    assert again.take_up(sitting.kept()) == sitting.events
    while not again.over:
        list(again.act(Words("No.")))
        if not sitting.over:
            list(sitting.act(Words("No.")))
    assert again.transcript == sitting.transcript
    assert [e.reason for e in again.events if isinstance(e, Stopped)] == [StopReason.CONCLUDED]
    assert any(isinstance(e, Audited) for e in again.events)
    assert sum(isinstance(e, Question) for e in again.events) > 3


def test_a_hint_names_a_topic_is_kept_and_costs(setup_of: Callable[..., Setup]) -> None:
    worth: dict[bool, float | None] = {}
    for hinted in (False, True):
        sitting = Sitting(setup_of())
        list(sitting.begin())
        if hinted:
            (given,) = sitting.act(Hint())
            assert isinstance(given, Hinted)
            assert given.topic
            assert given.bits > 0
            assert given.seq == len(sitting.events) - 1
            assert not sitting.over
            again = Sitting(setup_of())
            assert again.take_up(sitting.kept())[-1] == given
        list(sitting.act(Ask(text="Do you have any pain in your chest?")))
        list(sitting.act(Conclude(differential=())))
        t = sitting.transcript
        assert loads(dumps(t.header, t.events)) == t
        worth[hinted] = next(e.value for e in t.events if isinstance(e, Scored) and e.name == "inquiry.efficiency")
    assert worth[True] == 0
    assert worth[False] is not None
    assert worth[False] > 0
    again = play(fork_of(t, 0, {"inquirer": "reference"}))
    assert not any(isinstance(e, Hinted) for e in again.events), "a fork begins before the hint"


def test_a_hint_in_the_terminal(tmp_path: Path) -> None:
    for plain in ((), ("--plain",)):
        _, out, _ = played(tmp_path / "a.db", "/hint\n", *plain, "--seed", str(len(plain)))
        assert "Ask about: " in out


@pytest.mark.parametrize("line", ["/leave", "/leave I go"])
def test_a_patient_may_leave(line: str) -> None:
    typed = read_patient(line).action
    assert isinstance(typed, Words)
    assert typed.leaves
    assert read_patient("/order ecg").problem
    assert read_patient("/pause").ask_for == "pause"
    assert read_patient(" ").action is None


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    code, _, err = played(tmp_path / "a.db", "", "--persona", "nobody")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
