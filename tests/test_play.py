"""`consult play`: either side in the bare terminal, left by any way and taken up, nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from consult import Setup, play
from consult.actions import Ask, Conclude, Hint, Words
from consult.batch.forking import fork_of
from consult.cli.main import cli
from consult.events import Audited, Hinted, Question, Scored, Stopped, StopReason, Utterance
from consult.players import DOCTOR, HUMAN, PATIENT, player
from consult.sim.sitting import Sitting
from consult.store.db import Store
from consult.store.transcript import dumps, loads
from consult.tui.left import left_open
from consult.tui.typed import read_line, read_patient

CHEST = "Does your chest hurt?\n"
END = "/diagnose\nheart attack 80\n\nurgent\n3\naspirin; watch\nIt may be your heart.\nCall us if it gets worse.\n"
PAIN = "I have a burning pain behind my breastbone.\n"


def played(db: Path, typed: str, *more: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["play", "--db", str(db), *more], input=typed, env={"COLUMNS": "100"})
    return result.exit_code, result.stdout, result.stderr


def test_the_doctor_leaves_and_ends_it_another_time(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    code, out, err = played(db, f"/nonsense\n/help\n{CHEST}/order blod count\n/order ecg\n")
    assert code == 0
    assert "there is no /nonsense" in out
    assert "“blod count” is no order here; near to it: Full blood count" in out
    assert "ST segment" in out
    assert "takes it up again" in err
    assert [(s["turns"], s["scenario"], s["inquirer"]) for _, s in left_open(db)] == [
        (1, "indigestion_at_the_wheel", "human")
    ]
    code, out, err = played(db, "/diagnose\nheart attack 800\n/back\n" + END)
    assert "Does your chest hurt?" in out, "what was said before is seen again"
    assert "not taken: 1. condition: a probability is 0 to 100 %" in out
    assert "score card" in out
    assert "kept as" in err
    assert left_open(db) == []
    with Store(db, readonly=True) as store:
        (row,) = store.consultations()
    assert (row["stop_reason"], row["inquirer"], row["turns"], row["orders"]) == ("concluded", "human", 1, 1)
    assert row["correct"] is True


def test_what_cannot_be_taken_is_asked_for_again_and_the_end_of_the_input_ends_nothing(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    code, out, _ = played(
        db, "/refer\nflu 70\ncold 40\ncold 30 %\n\n\nsoon\nUrgent\n\nwitchcraft\n?\npaed\ncardiology\nShe faints.\n"
    )
    assert code == 0
    for words in (
        "the probabilities are more than 100 % together", "nothing is none of emergency, urgent", "soon is none of",
        "nothing is no department", "witchcraft is no department", "its number, or more of its name",
    ):  # fmt: skip
        assert f"not taken: {words}" in out
    assert out.count("1. Internal medicine › General practice\n") == 1
    assert out.count("2. Internal medicine › Cardiology\n") == 2
    assert out.count("26. Paediatrics › General paediatrics\n") == 2
    assert len(left_open(db)) == 1
    _, out, _ = played(db, "/diagnose\n1\n2\n3\n4\n5\n\n\n\n\n\n")
    assert "6. condition" not in out
    with Store(db, readonly=True) as store:
        assert [row["stop_reason"] for row in store.consultations()] == ["concluded"]


def test_agents_go_on_and_the_human_takes_a_seat_again(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    _, out, _ = played(db, f"{CHEST}/hand-back\n\n/help\nhello\n/doctor\nDo you smoke?\n/HAND-BACK\n", "--plain")
    assert out.count("Enter lets them go on") == 5, "for each turn of an agent, for /help, for what cannot be read"
    assert "nobody hears you" in out
    assert [so_far["turns"] for _, so_far in left_open(db)] == [4], "all that was seen is kept"
    _, out, _ = played(db, f"/hand-back\n/patient\n{PAIN}/hand-back\n/finish\n", "--plain")
    assert "  + smoking" in out
    with Store(db, readonly=True) as store:
        (row,) = store.consultations()
        t = store.get(row["consultation_id"])
    assert t.header.agents["inquirer"] == t.header.agents["patient"] == "reference+human"
    own = {p: [e.text for e in t.events if isinstance(e, kind) and player(t.header.agents, t.events, p, e.seq) == HUMAN]
           for p, kind in ((DOCTOR, Question), (PATIENT, Utterance))}  # fmt: skip
    assert own == {DOCTOR: [CHEST.strip(), "Do you smoke?"], PATIENT: [PAIN.strip()]}
    assert left_open(db) == []


def test_nothing_is_played_or_kept_where_ctrl_c_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it comes in the middle of that, what it breaks off may swallow it."""
    threads = []
    kept = Sitting.kept
    monkeypatch.setattr(Sitting, "kept", lambda sitting: threads.append(threading.current_thread()) or kept(sitting))
    played(tmp_path / "a.db", CHEST)
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("words", ["\x07", "\x1b[31m", "\u202e \ufeff"])
def test_words_of_nothing_but_control_characters_are_none(words: str) -> None:
    assert read_line(words) == read_patient(words) == read_line("")


def test_plain_lines_for_a_screen_reader(tmp_path: Path) -> None:
    _, out, _ = played(tmp_path / "a.db", CHEST + "/order ecg\n/refer\n\nemergency\n3\n\n\n\n", "--plain")
    assert "Patient: " in out
    assert "Result of ECG: Sinus rhythm" in out
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
