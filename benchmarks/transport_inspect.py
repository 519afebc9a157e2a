"""The same by inspect_ai, in an environment of its own that has it (`python transport_inspect.py calls|consultations`).

Calls: `Model.generate` by its `openai-api` provider. Consultations: a `Task` whose solver lets two model roles talk as ours
do, by the same server and with as many calls; it has no policy, guard, triage, record or scores to work out, and keeps its
usual log. Must not import consult.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from transport_load import answer_lines, group_processor, history, timed

ROUNDS = 10
DOCTOR = "You are a doctor in a consultation. " + "Ask one question at a time, and answer with one JSON object. " * 35
PATIENT = (
    "You play a person in a medical consultation. " + "Say what you are given, in your own manner, and no more. " * 25
)
SAID = "I have this pressure in the middle of my chest, for two weeks now. It comes when I climb the stairs."
MESSAGE: dict[str, Callable[[str], ChatMessage]] = {
    "system": lambda text: ChatMessageSystem(content=text),
    "user": lambda text: ChatMessageUser(content=text),
    "assistant": lambda text: ChatMessageAssistant(content=text),
}


def model_at(url: str, at_once: int) -> Model:
    """A model behind the server."""
    config = GenerateConfig(max_connections=at_once, max_tokens=200, temperature=0.7)
    return get_model("openai-api/mock/local", base_url=url, api_key="none", config=config, memoize=False)


async def calls(url: str, messages: int, calls: int, at_once: int) -> dict[str, float]:
    """Calls of the model."""
    asked = [MESSAGE[role](text) for role, text in history(messages)]
    async with model_at(url, at_once) as model:
        places = asyncio.Semaphore(at_once)

        async def call(_: int) -> None:
            async with places:
                await model.generate(asked)

        return await timed(calls, at_once, call)


async def said(model: Model, system: str, text: str) -> str:
    """What a role says."""
    return (await model.generate([MESSAGE["system"](system), MESSAGE["user"](text)])).completion


@solver
def consultation() -> Solver:
    """A patient's first words, ten rounds, a conclusion, a last word: 23 calls."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        doctor, patient = get_model(role="inquirer"), get_model(role="patient")
        told = f"What you say now:\n{SAID}"
        dialogue = ["Patient: " + await said(patient, PATIENT, told)]
        for _ in range(ROUNDS):
            so_far = "The consultation so far:\n" + "\n".join(dialogue)
            question = json.loads(await said(doctor, DOCTOR, so_far))["action"]["text"]
            dialogue.append(f"Doctor: {question}")
            dialogue.append("Patient: " + await said(patient, PATIENT, f'The doctor says: "{question}"\n\n{told}'))
        end = json.loads(await said(doctor, DOCTOR, "\n".join(dialogue)))["action"]
        assert end["kind"] == "conclude"
        state.output.completion = end["differential"][0]["condition"]
        await said(patient, PATIENT, told)
        return state

    return solve


def consultations(url: str, consultations: int, at_once: int) -> dict[str, Any]:
    """Whole consultations by `eval`."""
    start = group_processor()
    task = Task(dataset=MemoryDataset([Sample(input=str(i)) for i in range(consultations)]), solver=consultation())
    roles = {"inquirer": model_at(url, at_once), "patient": model_at(url, at_once)}
    with tempfile.TemporaryDirectory() as folder:
        (log,) = evaluate(
            task, model=roles["inquirer"], model_roles=roles, max_samples=at_once, max_connections=at_once,
            display="none", log_dir=folder, log_level="error", ctl_server=False,
        )  # fmt: skip
        found = {"end": time.monotonic(), "processor": group_processor() - start}
        assert log.status == "success", log.error
        assert log.results is not None
        assert log.results.completed_samples == consultations
    return found


if __name__ == "__main__":
    answer_lines({"calls": calls, "consultations": consultations}[sys.argv[1]])
