"""`consult serve`: the token, what the page asks for, processes that are gone whatever ends the server, and a browser."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner
from serve_world import BROWSER, ROOT, answered, serving, window

from consult.cli.main import cli
from consult.tui.left import left_open
from consult.web import server
from consult.web.server import FILES, HEADERS, Door, Service

PATIENCE = 60.0
"""Seconds after which a condition is given up."""
LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
STUBBORN = (
    "import sys, time\n"
    "sys.stdout.write('__GANGLION__\\n'); sys.stdout.flush()\n"
    "while True: pass"
)  # fmt: skip
"""An application that hears nothing, at full load."""


def asked(scene: Callable[[Any, Door], Awaitable[None]], *argv: str) -> None:
    """Runs `scene` with a client of a server in this process."""

    async def main() -> None:
        door = Door(argv, "127.0.0.1", 0)
        async with TestClient(TestServer(door.make())) as client:
            await scene(client, door)

    asyncio.run(main())


def test_nothing_without_the_token() -> None:
    async def scene(client: Any, door: Door) -> None:
        for token in (".", "x", door.token[:-1], door.token + "x", door.token.swapcase(), "%ff", "static"):
            for rest in ("", "/", "/ws", "/textual.js", "/download/x", "/a/b/c"):
                async with client.get(f"/{token}{rest}") as got:
                    assert got.status == 403
                    assert "consult serve" in await got.text()
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect("/wrong/ws")
        async with client.post(f"/{door.token}/") as got:
            assert got.status != 200

    asked(scene, sys.executable, "-c", "raise SystemExit('nothing may be started')")


def test_with_the_token_the_page_and_its_files_and_nothing_else() -> None:
    async def scene(client: Any, door: Door) -> None:
        for name in FILES:
            async with client.get(f"/{door.token}/{name}") as got:
                assert got.status == 200
                assert await got.read()
                assert {k: got.headers[k] for k in HEADERS} == HEADERS
        async with client.get(f"/{door.token}", allow_redirects=False) as got:
            assert (got.status, got.headers["Location"]) == (302, f"/{door.token}/")
        for name in ("server.py", "no_token.html", "..%2fserver.py", "download/x"):
            async with client.get(f"/{door.token}/{name}") as got:
                assert got.status == 404

    asked(scene)


def test_the_page_names_no_other_host() -> None:
    for path in (ROOT / "consult" / "web" / "pages").iterdir():
        assert not re.search(r"//[a-z]+\.|https?:[^/]", path.read_text("utf-8").replace('"ws")', "")), path


def test_two_servers_have_two_tokens() -> None:
    assert len({Door((), "127.0.0.1", 0).token for _ in range(3)}) == 3


@LINUX
def test_an_application_that_does_not_leave_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Service, "grace", 0.2)
    pids = []

    async def scene(client: Any, door: Door) -> None:
        async with client.ws_connect(f"/{door.token}/ws") as page:
            await wait(lambda: started(os.getpid()))
            pids.extend(started(os.getpid()))
            await page.close()
        await wait(lambda: not any(map(of, pids)))

    asked(scene, sys.executable, "-c", STUBBORN)
    assert pids


@LINUX
def test_nor_does_the_end_of_the_server_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ENDING", 0.2)

    async def main() -> None:
        door, stop, told = Door((sys.executable, "-c", STUBBORN), "127.0.0.1", 0), asyncio.Event(), []
        task = asyncio.create_task(door.open_until(stop, told.append))
        await wait(lambda: told)
        before = set(started(os.getpid()))  # of other tests in this process
        async with ClientSession() as session, session.ws_connect(f"{told[0]}ws") as page:
            await wait(lambda: set(started(os.getpid())) - before)
            (application,) = set(started(os.getpid())) - before
            stop.set()
            assert (await asyncio.wait_for(page.receive(), PATIENCE)).type is WSMsgType.CLOSE
            await task
            assert not of(application)

    asyncio.run(main())


@pytest.mark.parametrize("already", [False, True])
def test_a_page_whose_application_cannot_start_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, already: bool
) -> None:
    opened = Service._open_app_process

    async def ended(self: Service, width: int = 80, height: int = 24) -> Any:
        process = await opened(self, width, height)
        await wait(lambda: process.stdout is not None and process.stdout.at_eof())
        return process

    async def scene(client: Any, door: Door) -> None:
        async with client.ws_connect(f"/{door.token}/ws") as page, asyncio.timeout(PATIENCE):
            assert (await page.receive()).type is WSMsgType.CLOSE

    if already:  # before anything was read of it
        monkeypatch.setattr(Service, "_open_app_process", ended)
    asked(scene, sys.executable, "-c", "raise SystemExit('there is no screen')")
    assert "there is no screen" in capsys.readouterr().out  # `serve` has it written to stderr


async def wait(condition: Callable[[], Any]) -> None:
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)


def started(by: int) -> list[int]:
    """The applications that a process has started and that still run; each leads a session of its own."""
    return [pid for pid, parent, _ in processes() if parent == by]


def of(application: int) -> list[int]:
    """An application and all that it has started, as far as they still run."""
    return [pid for pid, _, session in processes() if session == application]


def processes() -> list[tuple[int, int, int]]:
    """Every process that runs: its id, its parent's, its session's."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if state != "Z":
            found.append((int(stat.parent.name), int(parent), int(session)))
    return found


@LINUX
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 0), ("SIGINT", 130), ("SIGKILL", -9)])
def test_whatever_ends_the_server_no_process_is_left(name: str, code: int, tmp_path: Path) -> None:
    async def main(process: subprocess.Popen[str], address: str) -> None:
        async with ClientSession() as session, session.ws_connect(f"{address}ws?width=90&height=30") as page:
            await shown(page, b"Welcome to consult")
            (application,) = started(process.pid)
            if name == "SIGKILL":  # with a batch at full load
                await page.send_json(["stdin", "b"])
                await shown(page, b"Temperaments")
                await page.send_json(["stdin", "[a-d]*\r"])
                await wait(lambda: len(of(application)) > 3)
            process.send_signal(getattr(signal, name))
            out, err = await asyncio.to_thread(process.communicate)
            assert process.returncode == code
            assert out == ""
            assert err == ("interrupted\n" if code == 130 else "")
            await wait(lambda: not of(application))

    with serving(tmp_path) as (process, address):
        asyncio.run(main(process, address))


async def shown(page: Any, words: bytes) -> None:
    """Waits until the application has drawn these words."""
    seen = b""
    while words not in seen:
        message = await asyncio.wait_for(page.receive(), PATIENCE)
        assert message.type is WSMsgType.BINARY
        seen += message.data


@LINUX
def test_a_stuck_application_ends_with_its_server() -> None:
    code = (
        "import os, consult.tui.browser as b\n"
        "from consult.tui.app import ConsultApp\n"
        "from pathlib import Path\n"
        "b.GRACE = 0.1\n"
        "def stuck(self):\n"
        "    os.write(2, b'stuck')\n"
        "    while True: pass\n"
        "ConsultApp.on_mount = stuck\n"
        "ConsultApp(Path('none.db')).run()"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "TEXTUAL_DRIVER": server.DRIVER}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stderr is not None
        assert process.stderr.read(5) == b"stuck"
        process.stdin.close()
        assert process.wait(PATIENCE) == 1


def test_what_cannot_be_listened_on_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = str(taken.getsockname()[1])
        cases = {
            ("--port", "99999"): "--port",
            ("--port", "x"): "--port",
            ("--port", number): "--port 0",
            ("--host", "203.0.113.1"): "give another --host",
        }
        for words, mend in cases.items():
            result = CliRunner().invoke(cli, ["serve", *words])
            assert result.exit_code == 2
            assert result.stdout == ""
            lines = [line for line in result.stderr.splitlines() if "can be reached by others" not in line]
            assert len(lines) == 1
            assert mend in lines[0]


def test_who_can_be_reached_by_others_is_warned() -> None:
    result = CliRunner().invoke(cli, ["serve", "--host", "203.0.113.1"])
    assert "can be reached by others" in result.stderr


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is not installed")
def test_a_consultation_is_begun_and_answered_in_a_browser(tmp_path: Path) -> None:
    pictures = {}
    with serving(tmp_path) as (_, address), window(address) as page:
        for name in answered(page):
            pictures[name] = page.page.screenshot()
    assert page.asked
    assert all(url.startswith((address, address.replace("http", "ws", 1))) for url in page.asked)
    assert page.complaints == []
    assert pictures["home"] != pictures["play"]
    (so_far,) = (kept for _, kept in left_open(tmp_path / "c.db"))
    assert so_far["turns"] == 1


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
@pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is not installed")
def test_a_browser_without_the_token_is_told_where_it_is(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, address), window(address.rpartition("/")[0][:-1]) as page:
        assert "consult serve" in page.page.inner_text("body")
        assert page.complaints == ["Failed to load resource: the server responded with a status of 403 (Forbidden)"]
