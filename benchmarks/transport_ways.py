"""The ways of calling a model that `transport.py` compares, each in a process of its own (`python transport_ways.py WAY`).

A way is told url, messages of history, calls and how many at once, and measures them (`transport_load`). "The seam" is
everything: prompt from a template, hash, ledger on disk, budget, transport, schema, validation, accounting.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import BaseModel
from transport_load import answer_lines, group_processor, history, taken, timed

from consult.llm.base import Message, Request, Sampling
from consult.llm.client import Client
from consult.llm.direct import Direct
from consult.llm.endpoint import Endpoint
from consult.llm.ledger import SqliteLedger
from consult.llm.prompts import Prompts
from consult.llm.through_litellm import SETTINGS, ThroughLitellm
from consult.llm.wire import body_of

HANDLER = "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER"
PROMPT = """{# version: 1 #}
You are {{ name }}, a {{ temper }} patient. You may tell nothing but this:
{% for fact in facts %}
- {{ fact }}
{% endfor %}
"""
MODEL = "llm:openai/local"
Figures = dict[str, float]


class Said(BaseModel):
    """What the answers must fit."""

    text: str
    told: list[str]


def request_of(messages: int) -> Request:
    """A request with so many messages."""
    said = tuple(Message(role, text) for role, text in history(messages))
    return Request(said, Said, Sampling(temperature=0.7, max_tokens=200))


async def bare(url: str, messages: int, calls: int, at_once: int) -> Figures:
    """aiohttp and nothing else."""
    request = request_of(messages)
    body = body_of("local", request.messages, request.sampling, vision=True)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=at_once)) as session:

        async def call(_: int) -> None:
            async with session.post(f"{url}/chat/completions", json=body) as response:
                await response.json()

        return await timed(calls, at_once, call)


async def alone(kind: str, url: str, messages: int, calls: int, at_once: int) -> Figures:
    """A transport without the seam around it: `direct`, or litellm `plain` or with its experimental `handler`."""
    endpoint = Endpoint("openai/local", url, transport="direct" if kind == "direct" else "litellm", concurrency=at_once)
    os.environ[HANDLER] = "False" if kind == "plain" else SETTINGS[HANDLER]
    transport = Direct(endpoint) if kind == "direct" else ThroughLitellm(endpoint)
    if kind == "plain":
        transport._arguments.pop("client")  # type: ignore[union-attr]  # that client is for the handler
    request = request_of(messages)
    body = body_of(endpoint.server_model, request.messages, request.sampling, vision=True)
    took = await timed(calls, at_once, lambda _: transport.send(body, 600.0, None))
    await transport.close()
    return took


def prompted(request: Request, prompts: Prompts, turn: int) -> Request:
    """The request with its first message written from a template, as an agent would."""
    facts = [f"fact {i} of turn {turn}" for i in range(5)]
    system = Message("system", prompts.render("patient", name="Ann", temper="choleric", facts=facts))
    return replace(request, messages=(system, *request.messages[1:]))


def prompts_in(folder: str) -> Prompts:
    """A folder with one prompt."""
    (Path(folder) / "patient.jinja").write_text(PROMPT, "utf-8")
    return Prompts([Path(folder)])


async def seam(kind: str, url: str, messages: int, calls: int, at_once: int) -> Figures:
    """End to end, with a ledger on disk."""
    endpoint, request = Endpoint("openai/local", url, transport=kind, concurrency=at_once), request_of(messages)
    with tempfile.TemporaryDirectory() as folder:
        prompts = prompts_in(folder)
        async with Client(ledger=SqliteLedger(Path(folder) / "l.db")) as client:
            mine = client.calls("benchmark")

            async def call(i: int) -> None:
                await mine.aask(endpoint, prompted(request, prompts, i), role="patient", turn=i)

            return await timed(calls, at_once, call)


def threads(url: str, messages: int, calls: int, at_once: int) -> Figures:
    """The same for callers that are not asynchronous, a thread each."""
    endpoint, request = Endpoint("openai/local", url, concurrency=at_once), request_of(messages)
    with tempfile.TemporaryDirectory() as folder, Client(ledger=SqliteLedger(Path(folder) / "l.db")) as client:
        mine, prompts = client.calls("benchmark"), prompts_in(folder)

        def call(i: int) -> object:
            return mine.ask(endpoint, prompted(request, prompts, i), role="patient", turn=i)

        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(call, range(at_once)))
            wall, processor = time.perf_counter(), time.process_time()
            list(pool.map(call, range(at_once, at_once + calls)))
            return taken(calls, wall, processor)


def batch(url: str, consultations: int, at_once: int, jobs: int) -> dict[str, Any]:
    """Whole consultations by `consult batch`'s own engine, ten rounds each, into a new store with its ledger."""
    from consult.batch import Plan, execute, setups
    from consult.scenario import scenario_files
    from consult.store.db import Store

    epochs = -(-consultations // len(scenario_files()))
    plan = Plan(
        name="speed", inquirer=(MODEL,), patient=MODEL, api_base=url, max_turns=10, epochs=epochs,
        budget={"consultations": consultations},
    )  # fmt: skip
    start = group_processor()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "consult.db") as store:
        done = list(execute(plan, setups(plan), store, jobs=jobs, concurrency=at_once))
        end = time.monotonic()
        rows = list(store.each("speed", scores=()))
    wrong = [d.problem for d in done if d.problem]
    assert not wrong, wrong[0]
    assert len(rows) == consultations, len(rows)
    assert {(r["stop_reason"], r["turns"]) for r in rows} == {("concluded", 10)}
    return {"end": end, "processor": group_processor() - start}


WAYS: dict[str, Callable[..., Any]] = {
    "aiohttp": bare,
    "direct": lambda **a: alone("direct", **a),
    "seam": lambda **a: seam("direct", **a),
    "threads": threads,
    "litellm": lambda **a: alone("plain", **a),
    "handler": lambda **a: alone("handler", **a),
    "seam-litellm": lambda **a: seam("litellm", **a),
    "batch": batch,
}

if __name__ == "__main__":
    answer_lines(WAYS[sys.argv[1]])
