"""An OpenAI-compatible server that does what a script says: answers, fails in every way seen in the wild, and counts.

    with ScriptedServer() as server:
        server.will(Say("hello"), Fail(429, {"retry-after": "1"}), Reset())
        ... server.url, server.requests

`python tests/scripted_server.py [--delay 0.05]` serves plain answers in a process of its own and prints its address,
for benchmarks. Real sockets on 127.0.0.1; imports nothing of consult.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]


def completion(
    text: str | None,
    *,
    finish: str | None = "stop",
    model: str = "scripted-1",
    usage: Json | None = None,
    **message: Any,
) -> Json:
    """The body of a chat completion."""
    counted = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18} if usage is None else usage
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": counted,
    }


@dataclass(frozen=True)
class Say:
    """A proper answer; streamed, in pieces of four characters, where the request asks for a stream."""

    text: str | None = "A proper answer."
    finish: str | None = "stop"
    usage: Json | None = None
    model: str = "scripted-1"
    message: Json = field(default_factory=dict)
    """Further fields of the message: `reasoning_content`, `refusal` …"""
    wait: float = 0.0

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        if self.wait:
            await asyncio.sleep(self.wait)
        body = completion(self.text, finish=self.finish, model=self.model, usage=self.usage, **self.message)
        return await _streamed(request, body) if asked.get("stream") else web.json_response(body)


async def _streamed(request: web.Request, body: Json) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    choice = body["choices"][0]
    text, others = choice["message"]["content"] or "", {k: v for k, v in choice["message"].items() if k != "content"}
    deltas = [others, *({"content": text[i : i + 4]} for i in range(0, len(text), 4))]
    chunks = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    chunks.append({"choices": [], "usage": body["usage"]})
    for chunk in chunks:
        await response.write(f"data: {json.dumps(shared | chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


@dataclass(frozen=True)
class Fail:
    """An error of the server, with its body as OpenAI writes it unless another is given."""

    status: int = 500
    headers: Json = field(default_factory=dict)
    message: str = "the scripted server fails"
    code: str | None = None
    body: str | None = None

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        error = {"error": {"message": self.message, "type": "scripted", "param": None, "code": self.code}}
        text = json.dumps(error) if self.body is None else self.body
        return web.Response(status=self.status, headers=self.headers, text=text, content_type="application/json")


@dataclass(frozen=True)
class Raw:
    """A body as it stands, with status 200: invalid JSON, no choices, something else altogether."""

    body: str

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        return web.Response(text=self.body, content_type="application/json")


@dataclass(frozen=True)
class Reset:
    """The connection is dropped before any answer."""

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@dataclass(frozen=True)
class Cut:
    """The answer stops in the middle: fewer bytes than were promised, or a stream without an end."""

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        body = json.dumps(completion("A proper answer.")).encode()
        response = web.StreamResponse(headers={"content-type": "application/json", "content-length": str(len(body))})
        if asked.get("stream"):
            response = web.StreamResponse(headers={"content-type": "text/event-stream"})
            body = b'data: {"choices": [{"index": 0, "delta": {"content": "A pro"}}]}\n\n' * 2
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response


@dataclass(frozen=True)
class Endless:
    """White space, or words of a stream, without end."""

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        streams = bool(asked.get("stream"))
        kind = "text/event-stream" if streams else "application/json"
        response = web.StreamResponse(headers={"content-type": kind})
        await response.prepare(request)
        word = b'data: {"choices": [{"index": 0, "delta": {"content": "and so on "}}]}\n\n' if streams else b" " * 80
        while True:
            await response.write(word * 100)
            await asyncio.sleep(0)


@dataclass(frozen=True)
class Drip:
    """One byte at a time, for ever slower than anyone waits."""

    pause: float = 0.05

    async def __call__(self, request: web.Request, asked: Json) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(self.pause)


Behaviour = Say | Fail | Raw | Reset | Cut | Endless | Drip


def redirect(to: str) -> Fail:
    """The server sends us elsewhere."""
    return Fail(307, {"location": to}, body="")


QUESTIONS = ("Hello, please tell me more about it.", "Have you had a fever?", "Do you smoke?")


def asked_as(asked: Json) -> str:
    """The role that a request is for, by the first words of its system prompt."""
    return "patient" if asked["messages"][0]["content"].startswith("You play a person") else "inquirer"


def acts(action: Json, **beside: Any) -> Say:
    """An inquirer's action."""
    return Say(json.dumps(beside | {"action": action}))


def words_given(asked: Json) -> str:
    """What a patient is to say: the last lines of the prompt."""
    return str(asked["messages"][-1]["content"].rpartition(":\n")[2])


def words_of(message: Json) -> str:
    """The text of a message, also where pictures come with it."""
    content = message["content"]
    return content if isinstance(content, str) else str(content[0]["text"])


def plays(asked: Json) -> Say:
    """Both roles by rules: the patient says what it is given; the doctor asks three questions, orders, concludes."""
    if asked_as(asked) == "patient":
        return Say(words_given(asked))
    seen = words_of(asked["messages"][-1])
    beside = {"rationale": "By rule."} if "rationale" in asked["messages"][0]["content"] else {}
    n = seen.count("Doctor: ")
    if n < len(QUESTIONS) and "Nothing more can be asked" not in seen:
        return acts({"kind": "ask", "text": QUESTIONS[n]}, **beside)
    if "Results:" not in seen and "Nothing more can be asked" not in seen:
        return acts({"kind": "order", "order": "electrocardiogram"}, **beside)
    return acts(concludes(), **beside)


def concludes(**changed: Any) -> Json:
    """A conclusion."""
    return {
        "kind": "conclude",
        "differential": [{"condition": "Heart attack", "probability": 0.7}],
        "plan": ["Admit"],
        "urgency": "emergency",
        "department": "internal_medicine/cardiology",
        "explanation": "I think this comes from your heart, and we must look after it at once.",
        "safety_net": "Tell us at once if the pain comes back.",
    } | changed


class ScriptedServer:
    """Serves on 127.0.0.1 from a thread of its own. What is queued by `will` comes first, then `default`."""

    def __init__(self, default: Behaviour | Callable[[Json], Behaviour] | None = None) -> None:
        self.default = default or Say()
        self.requests: list[Json] = []
        """The bodies received, in order; `headers` beside them."""
        self.headers: list[dict[str, str]] = []
        self.connections: set[int] = set()
        self.most_at_once = 0
        self._at_once = 0
        self._script: deque[Behaviour] = deque()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._serve, name="scripted-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def will(self, *behaviours: Behaviour) -> None:
        """What the next calls meet, one each."""
        self._script.extend(behaviours)

    def wait_for(self, requests: int, seconds: float = 30) -> None:
        """Until it has had so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.requests) >= requests, seconds)

    def forget(self) -> None:
        """As if nothing had been asked or queued yet."""
        self._script.clear()
        self.requests.clear()
        self.headers.clear()
        self.connections.clear()
        self.most_at_once = 0

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._app(), shutdown_timeout=0.01)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port: int = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._completions)
        return app

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        with self._news:
            self.requests.append(asked)
            self._news.notify_all()
        self.headers.append({k.lower(): v for k, v in request.headers.items()})
        self.connections.add(id(request.transport))
        default = (
            self.default(asked) if callable(self.default) and not isinstance(self.default, Behaviour) else self.default
        )
        behaviour = self._script.popleft() if self._script else default
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await behaviour(request, asked)  # type: ignore[operator]
        except ConnectionError:
            return web.Response()
        finally:
            self._at_once -= 1


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--text", default="A proper answer.")
    args = parser.parse_args()
    with ScriptedServer(Say(args.text, wait=args.delay)) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
