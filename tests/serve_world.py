"""What the tests and the pictures of `consult serve` share: a server in a process, and a window of a headless Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from consult.actions import Ask
from consult.batch import Plan, default_scenario, setups
from consult.events import Utterance
from consult.sim.sitting import Sitting

ROOT = Path(__file__).resolve().parent.parent
BROWSER = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
FLAGS = (
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--enable-unsafe-swiftshader",
)  # fmt: skip
QUESTION = "Does your chest hurt?"
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?$]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])")


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`consult serve` in a process, and the address it printed."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    argv = [sys.executable, "-m", "consult", "serve", "--port", "0", "--db", str(folder / "c.db")]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=env, cwd=folder
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", address)
            yield process, address
        finally:
            process.kill()


class Window:
    """A page, what it asked for, what it complained of, and all that the application has drawn on it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._drawn = ""
        self._socket: Any = None
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("websocket", self._connected)

    def _connected(self, socket: Any) -> None:
        self._socket = socket
        self.asked.append(socket.url)
        socket.on("framereceived", self._framed)

    def _framed(self, data: Any) -> None:
        self._drawn += _ESCAPES.sub("", data.decode("utf-8", "replace")) if isinstance(data, bytes) else ""

    def until(self, *words: str) -> None:
        """Waits until all these words have been drawn since the last time."""
        if self._socket is None:
            self.page.wait_for_event("websocket", timeout=20_000)
        if not all(word in self._drawn for word in words):
            self._socket.wait_for_event(
                "framereceived", lambda _: all(word in self._drawn for word in words), timeout=20_000
            )
        self._drawn = ""

    def say(self, text: str) -> None:
        """Types a line, as a person would."""
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")


@contextmanager
def window(address: str, size: tuple[int, int] = (1100, 700)) -> Iterator[Window]:
    """The address in a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=list(FLAGS))
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        made = Window(page)
        page.goto(address, wait_until="load")
        try:
            yield made
        finally:
            browser.close()


def answered(seen: Window) -> Iterator[str]:
    """Goes through the first screen, the form, and a question with its answer; stops at what is worth a picture."""
    seen.until("Welcome to consult", "palette")
    yield "home"
    seen.page.keyboard.press("p")
    seen.until("A new consultation")
    seen.page.keyboard.press("Enter")
    first, answer = expected()
    seen.until("your turn", *first)
    seen.say(QUESTION)
    seen.until("your turn", *answer)
    yield "play"


def expected() -> tuple[list[str], list[str]]:
    """The first words that the patient of the form says, and the first of the answer to the question."""
    sitting = Sitting(setups(Plan(scenarios=(default_scenario(),)))[0])
    said = [next(e.text for e in events if isinstance(e, Utterance)) for events in (
        list(sitting.begin()), list(sitting.act(Ask(text=QUESTION))))]  # fmt: skip
    return said[0].split()[:3], said[1].split()[:3]
