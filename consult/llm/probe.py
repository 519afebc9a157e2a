"""A quick look at an endpoint: does it answer, hold to a schema, see a picture; how fast, at what price.

Three or four short calls through the seam itself, so that what works here works in a consultation. Knows no commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel

from consult.clean import one_line
from consult.llm.base import Enforced, Image, Message, Outcome, Reply, Request, Sampling
from consult.llm.client import Calls, Client
from consult.llm.endpoint import Endpoint
from consult.llm.errors import CallError
from consult.llm.square import square

_ROOM: Final = 1000
"""Tokens of an answer: room for the thinking of models that think first."""
_WAYS: Final = {
    Enforced.SCHEMA: "asked for by JSON Schema",
    Enforced.SHAPE: "asked for by JSON Schema, without lengths and ranges, which the server does not take",
    Enforced.OBJECT: "the server takes no schema; asked for as a JSON object",
    Enforced.PROMPT: "the server takes no schema and no JSON mode; asked for in words",
}


class Complaint(BaseModel):
    """What is asked for as an object."""

    site: Literal["head", "chest", "belly"]
    days: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `good` is None where it is only told."""

    check: str
    good: bool | None
    words: str
    seconds: float | None = None


def probe(endpoint: Endpoint, client: Client, max_tokens: int | None = None) -> Iterator[Finding]:
    """The findings, one by one as they are had; `max_tokens` of one answer. Raises CallError where it does not answer at all."""
    calls, sampling = client.calls("probe"), Sampling(max_tokens=max_tokens or _ROOM)
    hello = Message("user", "Say in one short sentence that you are ready.")
    reply = _ask(calls, endpoint, Request((hello,), sampling=sampling), 1)
    yield Finding("answer", reply.outcome is Outcome.OK, _answer(reply), reply.seconds)
    thought = f"{len(reply.thinking)} characters of thinking kept apart" if reply.thinking else "none seen"
    yield Finding("thinking", None, thought)
    yield _schema(calls, endpoint, sampling)
    yield _image(calls, endpoint, sampling)
    yield _price(calls, endpoint)


def _ask(calls: Calls, endpoint: Endpoint, request: Request, turn: int) -> Reply:
    return calls.ask(endpoint, request, role="probe", turn=turn)


def _answer(reply: Reply) -> str:
    who = f"{reply.model or 'a model without a name'}: "
    return who + (one_line(reply.text, limit=80) if reply.text else "; ".join(reply.problems))


def _schema(calls: Calls, endpoint: Endpoint, sampling: Sampling) -> Finding:
    words = "A patient says: my chest has hurt for three days. Give an object with the site (head, chest or belly) and the days."
    try:
        reply = _ask(calls, endpoint, Request((Message("user", words),), Complaint, sampling), 2)
    except CallError as e:
        return Finding("schema", False, str(e))
    told = [_WAYS[reply.enforced]]
    if reply.repairs:
        told.append(f"mended: {', '.join(reply.repairs)}")
    if reply.asks > 1:
        told.append(f"asked {reply.asks} times: {reply.problems[-1]}")
    if reply.outcome is not Outcome.OK:
        told.append(reply.outcome.value)
    elif reply.value.site != "chest" or reply.value.days != 3:
        told.append("fits, but is wrong: a weak model")
    return Finding("schema", reply.outcome is Outcome.OK, "; ".join(told), reply.seconds)


def _image(calls: Calls, endpoint: Endpoint, sampling: Sampling) -> Finding:
    picture = Image(data=square(255, 0, 0, side=32), media_type="image/png", caption="a square")
    asked = Request((Message("user", "Which colour is this square? One word.", (picture,)),), sampling=sampling)
    try:
        reply = _ask(calls, endpoint, asked, 3)
    except CallError as e:
        return Finding("image", None, f"takes no pictures, captions will do: {e.detail or e.kind}")
    if "red" in reply.text.lower():
        return Finding("image", True, "sees pictures", reply.seconds)
    said = one_line(reply.text, limit=60) or reply.outcome.value
    return Finding(
        "image", None, f"takes a picture but does not see that it is red ({said}); captions will do", reply.seconds
    )


def _price(calls: Calls, endpoint: Endpoint) -> Finding:
    price, spent = endpoint.known_price(), calls.account.total()
    if price is None:
        return Finding("price", None, "not known: costs will be missing, and a budget in money is not possible")
    cost = "" if spent.unpriced else f"; these {spent.calls} calls cost {spent.cost:.5f}"
    million = f"{price.prompt * 1e6:g} and {price.completion * 1e6:g}"
    return Finding("price", None, f"{million} US dollars a million tokens read and written{cost}")
