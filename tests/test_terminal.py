"""In a real terminal: closed, interrupted or killed in the middle, nothing is lost, and nothing hangs at the end."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from scripted_server import Say, ScriptedServer

from consult.store.db import Store
from consult.tui.left import left_open

PATIENCE = 60.0
"""Seconds after which a condition is given up."""
QUESTIONS = ("Does your chest hurt?", "Do you smoke?")


AGAIN = 5.0
"""Seconds after which Ctrl-C is pressed once more: Python does not see one that comes between a prompt and the wait for keys."""


def kept(db: Path) -> int:
    """Consultations in the store."""
    with Store(db, readonly=True) as store:
        return store.count()


class Terminal:
    """A process in a terminal of its own: what it writes, and keys."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        self.written = ""
        self.pressed = ""
        """What is pressed again where nothing comes of it."""

    def until(self, words: str, times: int = 1) -> None:
        """Reads until it has written these words so often since the last time."""
        deadline = monotonic() + PATIENCE
        while self.written.count(words) < times:
            assert monotonic() < deadline, f"{words!r} did not come: {self.written[-2000:]}"
            if select.select([self.ours], [], [], 0.1)[0]:
                self.written += self._read()
        self.written = self.written.rpartition(words)[2]

    def _read(self) -> str:
        try:
            return os.read(self.ours, 65536).decode("utf-8", "replace")
        except OSError as e:
            raise AssertionError(f"it ended: {self.written[-2000:]}") from e

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def close(self) -> None:
        """The window is closed."""
        os.close(self.ours)
        self.ours = -1  # its number may be another file's soon

    def ended(self) -> int:
        """How it ended; whatever it still writes is read, so that it need not wait for that."""
        deadline, next_press = monotonic() + PATIENCE, monotonic() + AGAIN
        while self.process.poll() is None:
            assert monotonic() < deadline, "it hangs"
            if self.pressed and monotonic() > next_press:
                self.type(self.pressed)
                next_press += AGAIN
            windows = [self.ours] if self.ours >= 0 else []
            with suppress(OSError):
                if select.select(windows, [], [], 0.02)[0]:
                    os.read(self.ours, 65536)
        return self.process.returncode


@contextmanager
def terminal(*words: str, **env: str) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "consult", *words]
    t = Terminal(command, {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "", **env})
    try:
        yield t
    finally:
        if t.process.poll() is None:
            t.process.kill()
        t.process.wait()
        with suppress(OSError):
            t.close()


def killed(t: Terminal) -> None:
    t.process.send_signal(signal.SIGKILL)


def closed(t: Terminal) -> None:
    t.close()


def interrupted(t: Terminal) -> None:
    t.pressed = "\x03"
    t.type(t.pressed)


ENDS: list[tuple[Callable[[Terminal], None], int]] = [
    (killed, -signal.SIGKILL), (closed, -signal.SIGHUP), (interrupted, 130),
]  # fmt: skip


@pytest.mark.parametrize(("end", "code"), ENDS, ids=lambda e: getattr(e, "__name__", ""))
def test_played_in_the_bare_terminal_and_taken_up(tmp_path: Path, end: Callable[[Terminal], None], code: int) -> None:
    db = tmp_path / "a.db"
    with terminal("play", "--plain", "--db", str(db)) as t:
        t.until("you> ")
        for question in QUESTIONS:
            t.type(f"{question}\n")
            t.until("Patient: ")
            t.until("you> ")
        end(t)
        assert t.ended() == code
    assert [so_far["turns"] for _, so_far in left_open(db)] == [2]
    if end is killed:
        with terminal("play", "--plain", "--db", str(db)) as t:
            for question in QUESTIONS:
                t.until(f"Doctor: {question}")
            t.until("you> ")
            t.type("/refer\n\nemergency\n3\n\n\n\n")
            t.until("kept as")
            assert t.ended() == 0
        assert left_open(db) == []


FIRST_PAINT = """
import gc, os, sys
from textual.drivers.linux_driver import LinuxDriver
from consult.cli.entry import main

write = LinuxDriver.write

def written(self, data):
    write(self, data)
    if "Scenarios" in data:
        names = [*sys.modules, *(os.path.basename(path) for path, _ in self._app.stylesheet.source)]
        with open(os.environ["THERE"], "w") as file:
            file.write(" ".join([*names, f"gc={gc.isenabled()}"]))
        os._exit(0)

LinuxDriver.write = written
sys.argv[1:] = []
main()
"""
LIGHT = {
    "consult", "consult.clean", "consult.cli", "consult.cli.entry", "consult.errors", "consult.settings", "consult.tui",
    *(f"consult.tui.{name}" for name in ("app", "help", "home", "left", "listing", "sources", "themes")),
}  # fmt: skip


def test_what_is_there_before_the_first_paint(tmp_path: Path) -> None:
    """Nothing that it does not need: of consult, of other libraries, of rules for how screens look."""
    there = tmp_path / "there"
    env = {**os.environ, "TERM": "xterm-256color", "CONSULT_DB": str(tmp_path / "a.db"), "THERE": str(there)}
    t = Terminal([sys.executable, "-c", FIRST_PAINT], env)
    assert t.ended() == 0
    t.close()
    names = set(there.read_text().split())
    assert {name for name in names if name.partition(".")[0] == "consult" and not name.endswith("tcss")} <= LIGHT
    assert {"consult.tcss", "consult.tui.home", "gc=False"} <= names
    assert not names & {
        "screens.tcss",
        "click",
        "pydantic",
        "yaml",
        "sqlite3",
        "sqlite_utils",
        "numpy",
        "langgraph",
        "litellm",
    }


def left_by_keys(t: Terminal) -> None:
    t.type("\x1b")
    t.until("not over")
    t.type("q")


@pytest.mark.parametrize(("end", "code"), [*ENDS[1:], (left_by_keys, 0)], ids=lambda e: getattr(e, "__name__", ""))
def test_while_a_server_does_not_answer(tmp_path: Path, end: Callable[[Terminal], None], code: int) -> None:
    """In the bare terminal, then in the application: both are left, and what was said before is kept."""
    db = tmp_path / "a.db"
    with ScriptedServer(Say(wait=3600)) as server:
        env = {"CONSULT_API_BASE": server.url, "OPENAI_API_KEY": "none", "CONSULT_DB": str(db)}
        with terminal("play", "--as", "patient", "--inquirer", "llm:openai/silent", "--plain", **env) as t:
            t.until("you> ")
            t.type("I have heartburn.\n")
            server.wait_for(1)
            (end if code else interrupted)(t)
            assert t.ended() == (code or 130)
        with terminal(**env) as t:
            t.until("not over")
            t.type("\r")
            server.wait_for(2)
            end(t)
            t.ended()
    assert [choice["inquirer"] for choice, _ in left_open(db)] == ["llm:openai/silent"]


@pytest.mark.parametrize("end", [closed, interrupted])
def test_the_application(tmp_path: Path, end: Callable[[Terminal], None]) -> None:
    """Its window is closed, or the keys that leave are pressed, in the middle of a consultation."""
    db = tmp_path / "a.db"
    with terminal(CONSULT_DB=str(db)) as t:
        t.until("Welcome")
        t.type("n")
        t.until("Seed")
        t.type("\x1b")
        t.until("Welcome")
        t.type("\r")
        t.until("question 1 ")
        end(t)
        t.ended()
    found = left_open(db)  # or played to its end by its agents, who had seconds while the application left
    assert [so_far["turns"] >= 1 for _, so_far in found] == [True] or (not found and kept(db) == 1)


def test_the_patient_by_keys_alone_killed_and_taken_up(tmp_path: Path) -> None:
    db = tmp_path / "a.db"
    with terminal(CONSULT_DB=str(db)) as t:
        t.until("Welcome")
        t.type("n")
        t.until("neutral")  # the names are there
        t.type("\x1b[Z" * 4 + "\r")  # back from the button to who plays the patient
        for key in ("\x1b[B", "\r", "\x13"):  # the list is open, the second is marked, it is chosen
            t.until("human")
            t.type(key)
        t.until("your turn")
        t.type("It burns behind my breastbone.\r")
        t.until("your turn  question 1 ")
        killed(t)
        t.ended()
    with terminal(CONSULT_DB=str(db)) as t:
        t.until("not over")
        t.type("\r")
        t.until("It burns behind my breastbone.")
        t.until("your turn")
        t.type("/leave That is all.\r")
        t.until("event ")  # of so many: nothing more comes
    assert (kept(db), left_open(db)) == (1, [])
