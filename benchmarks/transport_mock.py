"""An OpenAI-compatible server light enough not to be what is measured: bytes in, bytes out, after a delay.

    python benchmarks/transport_mock.py

prints its address; the rest of a URL says what it does: `ADDRESS/MILLISECONDS/same/v1` gives one answer to all, and reads
nothing but a request's length; `ADDRESS/MILLISECONDS/play/v1` reads it and plays both roles by rules: a patient that says
what it is given, a doctor that asks ten questions and concludes. `GET ADDRESS/stats` says what was done since it was last
asked: calls, its own processor time, and when the first call came. It ends when standard input does.
`tests/scripted_server.py`, which can fail in every way, does more for each call.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from scripted_server import Json, asked_as, completion, concludes, words_given

ANSWER = '{"text": "It hurts most when I climb the stairs, and it goes away when I rest.", "told": ["chest_pain"]}'
QUESTIONS = (
    "Hello, please tell me more about it.", "How long has this been going on?", "Have you had a fever?",
    "Do you smoke?", "Does anything make it better or worse?", "Do you take any medicines?",
    "Have you had anything like this before?", "Are you allergic to anything?",
    "Is there any illness that runs in your family?", "What worries you most about it?",
)  # fmt: skip
LIMIT = 4_000_000


def whole(data: Json) -> bytes:
    """A whole HTTP response."""
    text = json.dumps(data).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text)


SAME = whole(completion(ANSWER, model="mock-1"))


def played(data: bytes) -> bytes:
    """What the doctor or the patient says."""
    asked = json.loads(data)
    if asked_as(asked) == "patient":
        return whole(completion(words_given(asked), model="mock-1"))
    n = asked["messages"][-1]["content"].count("Doctor: ")
    action = {"kind": "ask", "text": QUESTIONS[n]} if n < len(QUESTIONS) else concludes()
    return whole(completion(json.dumps({"action": action}), model="mock-1"))


class Connection(asyncio.Protocol):
    """One kept-alive connection: a request after the other."""

    calls = 0
    first: float | None = None
    before = 0.0

    def __init__(self) -> None:
        self.transport: Any = None
        self.got = bytearray()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        head = self.got.find(b"\r\n\r\n")
        if head < 0:
            return
        top = bytes(self.got[:head]).lower()
        at = top.find(b"content-length:")
        length = int(top[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.got) < head + 4 + length:
            assert length < LIMIT
            return
        sent = bytes(self.got[head + 4 : head + 4 + length])
        self.got.clear()  # no client of ours sends the next before it has the answer
        self.answer(top.split(b" ", 2)[1].decode(), sent)

    def answer(self, path: str, sent: bytes) -> None:
        if path == "/stats":
            self.say(whole(stats()))
            return
        _, delay, kind, _ = path.split("/", 3)
        if not Connection.calls:
            Connection.first = time.monotonic()
        Connection.calls += 1
        answer = SAME if kind == "same" else played(sent)
        if delay == "0":
            self.say(answer)
        else:
            asyncio.get_running_loop().call_later(int(delay) / 1000, self.say, answer)

    def say(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


def stats() -> Json:
    """What was done since this was last asked; `first` by the machine's monotonic clock."""
    took, now = Connection.calls, time.process_time()
    out = {"calls": took, "processor": now - Connection.before, "first": Connection.first}
    Connection.calls, Connection.first, Connection.before = 0, None, now
    return out


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
