"""The litellm transport: every provider that litellm knows. The only module that imports litellm, when it is first used.

litellm is made quiet (no prints, no logging of its own, no price list from the network, no `.env` read), its retries are
off, and its experimental HTTP handler is on, which halves its cost for OpenAI's format.
"""

from __future__ import annotations

import asyncio
import logging
import os
import warnings
from functools import lru_cache
from typing import Any, Final

from consult.llm.base import Json, OnText
from consult.llm.endpoint import Endpoint
from consult.llm.errors import CallError, Kind
from consult.llm.wire import Pieces, failure, said

SETTINGS: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER": "True",
}
"""Environment that litellm reads; what the user has set stays."""
_HANDLED: Final = ("openai",)
"""Providers that go through the experimental handler, to which we hand a client that follows no redirect."""


@lru_cache(maxsize=1)
def _litellm() -> Any:
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import litellm

    warnings.filterwarnings("ignore", r"Item .* on TypedDict class", UserWarning)  # pydantic, on litellm's own types
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False  # a setting that a model does not know is said, not passed over
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return litellm


def missing_key(endpoint: Endpoint) -> str:
    """The variables without which a provider of litellm's cannot be called; empty if none is missing."""
    if endpoint.secret or endpoint.api_base:
        return ""
    found = _litellm().validate_environment(endpoint.model)
    return ", ".join(found["missing_keys"]) if not found["keys_in_environment"] else ""


class ThroughLitellm:
    """Sends to one endpoint by litellm. Belongs to the event loop in which it is made."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._litellm = _litellm()
        self._endpoint = endpoint
        self._arguments: Json = {"num_retries": 0, "max_retries": 0}
        if endpoint.api_base:
            self._arguments |= {"api_base": endpoint.api_base, "api_key": endpoint.secret or "none"}
        elif endpoint.secret:
            self._arguments["api_key"] = endpoint.secret
        self._client: Any = None
        if endpoint.model.partition("/")[0] in _HANDLED:
            from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

            self._client = AsyncHTTPHandler(timeout=endpoint.timeout, follow_redirects=False)
            self._arguments["client"] = self._client
        self._missing = missing_key(endpoint)

    async def send(self, body: Json, timeout: float, on_text: OnText | None) -> Json:
        """See `base.Transport`."""
        if self._missing:
            error = CallError(Kind.AUTH)
            error.key_name = self._missing
            raise error
        asked = body | self._arguments | {"model": self._endpoint.model, "timeout": timeout}
        try:
            async with asyncio.timeout(timeout):
                if on_text is None:
                    return _plain(await self._litellm.acompletion(**asked))
                stream = await self._litellm.acompletion(**asked, stream=True, stream_options={"include_usage": True})
                pieces = Pieces(on_text)
                async for chunk in stream:
                    pieces.add(chunk.model_dump(warnings=False))
        except CallError:
            raise
        except TimeoutError:
            raise CallError(Kind.TIMEOUT, f"{timeout:g} seconds") from None
        except Exception as e:
            raise self._error(e, timeout) from None
        if not pieces.done:
            raise CallError(Kind.RESET, "the stream stopped before its end")
        return pieces.body()

    def _error(self, e: Exception, timeout: float) -> CallError:
        """litellm's exception as ours. Failures on the way come as status 500 without a response."""
        text = _words(e)
        if isinstance(e, self._litellm.Timeout):
            return CallError(Kind.TIMEOUT, f"{timeout:g} seconds")
        if isinstance(e, self._litellm.ContentPolicyViolationError):
            return CallError(Kind.FILTERED, said(text)[0])
        if isinstance(e, self._litellm.ContextWindowExceededError):
            return CallError(Kind.TOO_LONG, said(text)[0])
        if any(sign in text for sign in ("Unable to get json response", "'choices'", "Invalid response object")):
            return CallError(Kind.GARBLED, text)
        if "LLM Provider NOT provided" in text:
            return CallError(
                Kind.NOT_FOUND, "LiteLLM knows no such provider: a name begins with one, as in openai/gpt-5-mini"
            )
        status = getattr(e, "status_code", None)
        headers = getattr(e, "litellm_response_headers", None) or getattr(getattr(e, "response", None), "headers", None)
        if "Cannot connect to host" in text:
            return CallError(Kind.UNREACHABLE)
        if not isinstance(status, int) or (status == 500 and not headers):
            return CallError(Kind.RESET if status == 500 else Kind.BAD_REQUEST, text)
        return failure(status, text, headers or {})

    async def close(self) -> None:
        """See `base.Transport`."""
        if self._client is not None:
            await self._client.close()


def _words(e: Exception) -> str:
    """What the server said, without litellm's words before it."""
    text = str(getattr(e, "message", "") or e)
    start = text.find("{")
    return text[start:] if start > 0 and "Exception - {" in text else text.rpartition("Exception - ")[2]


def _plain(response: Any) -> Json:
    """The fields that count; a whole dump would take longer than the rest of the seam."""
    choices = []
    for choice in response.choices[:1]:
        names = ("content", "reasoning_content", "provider_specific_fields")
        message = {name: getattr(choice.message, name, None) for name in names}
        choices.append({"finish_reason": choice.finish_reason, "message": message})
    usage = getattr(response, "usage", None)
    model = response._hidden_params.get("provider_response_model") or response.model
    return {"model": model, "choices": choices, "usage": usage.model_dump() if usage is not None else None}
