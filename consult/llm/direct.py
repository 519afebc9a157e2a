"""The direct transport: OpenAI-compatible servers over aiohttp, one pool of connections that stay open.

It exists because litellm takes several times the processor a call (benchmarks/transport.py). One attempt a call; no
redirect is followed, since it would carry the key elsewhere. aiohttp is imported when it is made: 0.2 seconds.
"""

from __future__ import annotations

import asyncio
import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from consult.llm.base import Json, OnText, as_json
from consult.llm.endpoint import Endpoint
from consult.llm.errors import CallError, Kind
from consult.llm.wire import Pieces, failure

if TYPE_CHECKING:
    from aiohttp import ClientResponse

MOST_BYTES: Final = 8_000_000
"""Of one answer; a server that says more has lost itself (ours)."""
_ERROR_BYTES: Final = 20_000
_VARIABLES: Final = "HTTP_PROXY or HTTPS_PROXY"


class Direct:
    """Sends to one endpoint. Belongs to the event loop in which it is made."""

    def __init__(self, endpoint: Endpoint) -> None:
        import aiohttp

        self._aiohttp: Any = aiohttp
        self._url = endpoint.url
        self._proxy = _proxy_to(self._url)
        headers = {"content-type": "application/json"}
        if endpoint.secret:
            headers["authorization"] = f"Bearer {endpoint.secret}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=endpoint.concurrency, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(self, body: Json, timeout: float, on_text: OnText | None) -> Json:
        """See `base.Transport`."""
        if on_text is not None:
            body = body | {"stream": True, "stream_options": {"include_usage": True}}
        errors = self._aiohttp
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.post(self._url, data=as_json(body), allow_redirects=False, proxy=self._proxy) as response,
            ):
                if response.status != 200:
                    said = await response.content.read(_ERROR_BYTES)
                    raise failure(response.status, said.decode("utf-8", "replace"), response.headers)
                return await (_whole(response) if on_text is None else _streamed(response, on_text))
        except TimeoutError:
            raise CallError(Kind.TIMEOUT, f"{timeout:g} seconds") from None
        except errors.ClientProxyConnectionError as e:
            raise CallError(Kind.UNREACHABLE, f"not even the proxy of {_VARIABLES}: {e.strerror}") from None
        except errors.ClientHttpProxyError as e:
            raise CallError(Kind.UNREACHABLE, f"the proxy of {_VARIABLES} says {e.status} {e.message}") from None
        except errors.ClientConnectorError as e:
            raise CallError(Kind.UNREACHABLE, e.strerror or type(e).__name__) from None
        except errors.InvalidURL:
            raise CallError(Kind.NOT_FOUND, "the address cannot be read") from None
        except ValueError as e:  # a password in the address beside a key; a line break within a key
            raise CallError(Kind.AUTH if "header injection" in str(e) else Kind.BAD_REQUEST, str(e)) from None
        except (errors.ClientError, OSError) as e:
            raise CallError(Kind.RESET, type(e).__name__) from None

    async def close(self) -> None:
        """See `base.Transport`."""
        await self._session.close()


def _proxy_to(url: str) -> str | None:
    """The proxy that the environment names for an address, as for litellm; never one for this machine's own (ours)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if (
        host == "localhost"
        or host.endswith(".localhost")
        or _loops_back(host)
        or proxy_bypass(parts.netloc.rpartition("@")[2])
    ):
        return None
    return getproxies().get(parts.scheme)


def _loops_back(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _whole(response: ClientResponse) -> Json:
    read = bytearray()
    async for piece in response.content.iter_any():
        read += piece
        if len(read) > MOST_BYTES:
            raise CallError(Kind.GARBLED, f"the answer does not end within {MOST_BYTES:,} bytes")
    return _json(bytes(read))


async def _streamed(response: ClientResponse, on_text: OnText) -> Json:
    """Server-sent events: lines of `data: {…}`. A server that does not stream sends one whole answer."""
    if "text/event-stream" not in response.headers.get("content-type", ""):
        return await _whole(response)
    pieces, size = Pieces(on_text), 0
    try:
        async for line in response.content:
            size += len(line)
            if size > MOST_BYTES:
                raise CallError(Kind.GARBLED, f"the stream does not end within {MOST_BYTES:,} bytes")
            data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
            if data == b"[DONE]":
                break
            if data:
                pieces.add(_json(data))
    except ValueError as e:  # a line longer than aiohttp reads
        raise CallError(Kind.GARBLED, str(e)) from None
    if not pieces.done:
        raise CallError(Kind.RESET, "the stream stopped before its end")
    return pieces.body()


def _json(data: bytes) -> Json:
    try:
        out = json.loads(data)
    except (ValueError, RecursionError):
        shown = data[:80].decode("utf-8", "replace")
        raise CallError(Kind.GARBLED, f"no JSON: {shown!r}" if data else "an empty body") from None
    if not isinstance(out, dict):
        raise CallError(Kind.GARBLED, f"no JSON object: {str(out)[:80]!r}")
    return out
