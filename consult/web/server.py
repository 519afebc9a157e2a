"""The server: a token in the path of every request, one process for each page, and none left behind.

textual-serve brings the terminal (xterm.js), the packets and the downloads; its own page is not used, for it asks a web
font of another host, and neither is its shell. What the application writes to its stderr goes to ours.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import os
import secrets
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Final

import textual_serve
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

from consult.errors import UsageError

LEAVING: Final = 30.0
"""Seconds an application has to end by itself when its page is closed: a consultation that is under way is still kept."""
ENDING: Final = 3.0
"""Likewise when the server ends."""
GIVEN_UP: Final = 10.0
"""Seconds after which nothing is waited for any more of an application that was killed."""
LAST_WORDS: Final = 1.0
"""Seconds in which an application that has ended may still be heard."""
DRIVER: Final = "consult.tui.browser:Browser"
_OURS: Final = Path(__file__).parent / "pages"
_THEIRS: Final = Path(textual_serve.__file__).parent / "static"
FILES: Final = {
    "": _OURS / "page.html",
    "page.css": _OURS / "page.css",
    "page.js": _OURS / "page.js",
    "textual.js": _THEIRS / "js" / "textual.js",
    "xterm.css": _THEIRS / "css" / "xterm.css",
    "mono.ttf": _THEIRS / "fonts" / "RobotoMono-VariableFont_wght.ttf",
}
"""All that can be had, by its name below the token."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,  # also where a fault of ours would ask something of another host
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(db: Path) -> list[str]:
    """The command of the application; no module is its main one, which the processes of a batch would import again."""
    return [sys.executable, "-c", "from consult.tui.browser import main; main()", os.fspath(db)]


class Service(AppService):
    """One application in its process; when it is stopped, the process is gone."""

    argv: Sequence[str] = ()
    grace = LEAVING

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Without a shell, and in a session of its own, so that it can be ended with all it has started."""
        env = self._build_environment(width, height) | {"TEXTUAL_DRIVER": DRIVER}
        self._process = process = await asyncio.create_subprocess_exec(
            *self.argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env, start_new_session=True
        )
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Passes on what the application sends; a page whose application has ended is told so, and we its last words.

        Theirs cancels its reader of stderr and waits for it: where that has not begun, this is itself cancelled by it.
        """
        with suppress(asyncio.CancelledError):
            await super().run()
        await self.remote_close()
        assert self._process is not None
        assert self._process.stderr is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):  # what it has started may hold its stderr
                while words := await self._process.stderr.read(1 << 12):
                    sys.stdout.write(words.decode("utf-8", "replace"))

    async def stop(self) -> None:
        """Asks it to leave, and makes it if it does not."""
        process = self._process
        if process is None:
            return
        leaving = asyncio.create_task(self._leave(process))
        try:
            await asyncio.wait([leaving], timeout=self.grace)  # no cancelling: `run` would swallow it
        finally:
            if process.returncode is None:
                _kill(process)
            await asyncio.wait([leaving], timeout=GIVEN_UP)  # the page may be as far gone as the process
            leaving.cancel()

    async def _leave(self, process: Process) -> None:
        await super().stop()
        self.stdin.close()
        await process.wait()


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


class Door(Server):
    """Serves the application to whoever has the token."""

    def __init__(self, argv: Sequence[str], host: str, port: int) -> None:
        super().__init__("consult", host=host, port=port)
        self.argv = argv
        self.token = secrets.token_urlsafe(24)
        self._open: dict[web.WebSocketResponse, Service] = {}

    def make(self) -> web.Application:
        """The routes, all of them below the token; where there is none, nothing tells what there is."""
        app = web.Application(middlewares=[self._guarded])
        app.add_routes(
            [
                web.get("/{token}", _to_folder),
                web.get("/{token}/ws", self.handle_websocket),
                web.get("/{token}/download/{key}", self.handle_download),
                web.get("/{token}/{name:[^/]*}", _file),
            ]
        )
        app.on_response_prepare.append(_with_headers)
        app.on_shutdown.append(self._closed)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.match_info.get("token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return web.Response(status=403, text=(_OURS / "no_token.html").read_text("utf-8"), content_type="text/html")
        return await handler(request)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """An application for as long as the page is there."""
        page = web.WebSocketResponse(heartbeat=15, timeout=ENDING)
        await page.prepare(request)

        async def close() -> None:
            await page.close()

        service = Service(
            self.command,
            write_bytes=page.send_bytes,
            write_str=page.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        service.argv = self.argv
        self._open[page] = service
        try:
            await service.start(
                *(to_int(request.query.get(name, ""), n) for name, n in (("width", 80), ("height", 24)))
            )
            await self._process_messages(page, service)
        finally:
            del self._open[page]
            await service.stop()
        return page

    async def _closed(self, app: web.Application) -> None:
        for page, service in tuple(self._open.items()):
            service.grace = ENDING
            await page.close(code=1001)

    async def open_until(self, stop: asyncio.Event, told: Callable[[str], None]) -> None:
        """Serves until `stop` is set; tells the address once it can be opened. Raises UsageError where it cannot be."""
        # the address is never logged; whoever has to be killed is, before anything is given up
        runner = web.AppRunner(self.make(), access_log=None, shutdown_timeout=2 * ENDING)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, self.host, self.port).start()
            except OSError as e:
                raise UsageError(_unusable(self.host, self.port, e)) from None
            told(f"http://{_name(self.host)}:{runner.addresses[0][1]}/{self.token}/")
            await stop.wait()
        finally:
            await runner.cleanup()


async def _to_folder(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/{request.match_info['token']}/")  # what the page asks for is named from here


async def _file(request: web.Request) -> web.StreamResponse:
    path = FILES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path)


async def _with_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _unusable(host: str, port: int, e: OSError) -> str:
    if isinstance(e, socket.gaierror):
        what, mend = "there is no such address", "give another --host"
    elif e.errno == errno.EADDRNOTAVAIL:
        what, mend = "this machine has no such address", "give another --host"
    else:
        what, mend = os.strerror(e.errno or 0), "give another --port, or --port 0 for any that is free"
    return f"--host {host} --port {port}: {what} (mend: {mend})"


def _name(host: str) -> str:
    """The host as it stands in an address; one that stands for all of this machine's by the machine's name."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def serve(db: Path, host: str, port: int, told: Callable[[str], None]) -> int:
    """Serves until a signal comes, and gives the number of that signal; no process is left then. Raises UsageError."""

    async def main() -> int:
        stop, heard = asyncio.Event(), []

        def end(number: int) -> None:
            heard.append(number)
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            with suppress(NotImplementedError):  # Windows: Ctrl-C is a KeyboardInterrupt there
                asyncio.get_running_loop().add_signal_handler(number, end, number)
        await Door(application(db), host, port).open_until(stop, told)
        return heard[0]

    with redirect_stdout(
        sys.stderr
    ):  # textual-serve writes an application's complaints to stdout, which is for results
        return asyncio.run(main())
