"""An inquirer's words on the terminal while its model still writes them; the patient's only when the guard has read them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event as Flag
from typing import Any

import pytest
from aiohttp import web
from scripted_server import Json, Say, ScriptedServer, asked_as, plays

from consult.agents.llm.spoken import Spoken
from consult.agents.llm.talk import Models, hang_up
from consult.llm.wire import Pieces
from consult.show import make_console
from consult.show.ticker import Ticker
from consult.sim.session import Setup, play, stream
from consult.store.transcript import dumps

Make = Callable[..., Setup]
BOTH = {"inquirer": "llm:openai/local", "patient": "llm:openai/local"}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(plays) as running:
        yield running
        hang_up()


class Halting(Say):
    """Streams half of its answer, and the rest when somebody has heard of it."""

    heard = Flag()

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        if not asked.get("stream"):
            return await super().__call__(request, asked)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        text = self.text or ""
        before, word, after = text.partition("more about")  # of the first question
        for piece in (before + word, after):
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": "stop" if piece is after else None}
            await response.write(f"data: {json.dumps({'model': 'scripted-1', 'choices': [choice]})}\n\n".encode())
            while word and not self.heard.is_set():
                await asyncio.sleep(0.001)
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        await response.write(f"data: {json.dumps({'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode())
        return response


def test_words_come_before_their_answer_and_only_the_doctors(
    setup_of: Make, server: ScriptedServer, tmp_path: Any
) -> None:
    setup = replace(setup_of(agents=BOTH), models=Models(server.url, ledger=str(tmp_path / "a.ledger")))
    whole = play(replace(setup, models=Models(server.url)))
    server.forget()
    server.default = lambda asked: Halting(plays(asked).text)
    heard: list[str | None] = []

    def hear(words: str | None) -> None:
        heard.append(words)
        Halting.heard.set()

    assert tuple(stream(setup, hear)) == whole.events, "streamed or not, what is kept is the same"
    assert {asked_as(r) for r in server.requests if r.get("stream")} == {"inquirer"}
    assert {asked_as(r) for r in server.requests if not r.get("stream")} == {"patient"}
    told = "".join(words or "" for words in heard)
    assert told.startswith("Hello, please tell me more about it.Have you had a fever?Do you smoke?I think this comes")
    assert heard[:2] == ["Hello, please tell me more about", " it."]
    calls = len(server.requests)
    assert tuple(stream(setup, hear)) == whole.events
    assert len(server.requests) == calls, "the ledger has the whole of it"
    assert dumps(whole.header, whole.events)


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        (('{"action": {"kind": "ask", "te', 'xt": "How lo', "ng? \\u00", 'e9\\"x', '"}}'), 'How long? é"x'),
        (('{"rationale": "say \\"text\\": \\"no\\"", "action": {"text": "Yes?"}}',), "Yes?"),
        (('{"action": {"kind": "order", "order": "ecg"}}',), ""),
        (("no object at all", None, '{"explanation": "It ', "is your heart"), "[void]It is your heart"),
        (('{"text": "\\u001b[2Jred"}',), "red"),
    ],
)
def test_what_is_said_is_found_in_half_an_object(pieces: tuple[str | None, ...], told: str) -> None:
    heard: list[str] = []
    spoken = Spoken(lambda words: heard.append("[void]" if words is None else words))
    for piece in pieces:
        spoken(piece)
    assert "".join(heard) == told


def test_the_terminal_shows_words_and_takes_them_off() -> None:
    out = io.StringIO()
    with Ticker(make_console(out, width=60, terminal=True), "Doctor") as ticker:
        ticker("How long")
        assert "Doctor: How long …" in out.getvalue()
        ticker(" has it been?")
        ticker(None)
        ticker("Since when?")
        assert "Doctor: Since when? …" in out.getvalue()
        ticker.stop()
        ticker.stop()
    assert out.getvalue().rstrip().endswith("\x1b[2K"), "the line is wiped"


def test_a_long_stream_is_told_in_one_pass() -> None:
    """Each piece is looked at once: fifty thousand of them are no more work a piece than ten."""
    heard: list[str | None] = []
    pieces = Pieces(heard.append)
    for _ in range(50_000):
        pieces.add({"choices": [{"delta": {"content": "la "}}]})
    assert len(heard) == 50_000
    assert "".join(map(str, heard)) == "la " * 50_000
