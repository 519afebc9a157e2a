"""What tokens cost, and who has eyes: the table that litellm carries, read without importing litellm.

Unknown is None, never 0 or no.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from consult.llm.base import Usage

TABLE: Final = "model_prices_and_context_window_backup.json"
_TIER: Final = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a token."""

    prompt: float
    completion: float
    cached: float | None = None
    """A token of the prompt that the server had read before; None: as any other."""
    up_to: int | None = None
    """Tokens of a prompt above which another price holds, which is then unknown."""

    def cost(self, usage: Usage) -> float | None:
        """What a call cost; None where the tokens are unknown, or the prompt is longer than the price reaches."""
        if usage.prompt is None or usage.completion is None:
            return None
        if self.up_to is not None and usage.prompt > self.up_to:
            return None
        return self.at_least(usage)

    def at_least(self, usage: Usage) -> float:
        """The same where the cost is not known: what is unknown counts as nothing, and a dearer tariff as this one."""
        prompt = usage.prompt or 0
        again = min(usage.cached or 0, prompt) if self.cached is not None else 0
        return (prompt - again) * self.prompt + again * (self.cached or 0.0) + (usage.completion or 0) * self.completion


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    """litellm's table; empty where litellm is not installed. A thirtieth of a second, once."""
    spec = importlib.util.find_spec("litellm")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / TABLE
        if path.is_file():
            data = json.loads(path.read_text("utf-8"))
            return data if isinstance(data, dict) else {}
    return {}


def _row(model: str) -> Mapping[str, Any] | None:
    """What the table says of a model under its litellm name, with or without the provider before it."""
    row = _table().get(model)
    if row is None:
        provider, _, rest = model.partition("/")
        row = _table().get(rest)
        if isinstance(row, dict) and row.get("litellm_provider") != provider:
            return None
    return row if isinstance(row, dict) else None


def sees(model: str) -> bool | None:
    """Whether a model takes pictures; None if nothing is known of it. A row that does not say so means no."""
    row = _row(model)
    return None if row is None else row.get("supports_vision") is True


def price_of(model: str) -> Price | None:
    """The price of a model; None if it is not known."""
    row = _row(model)
    if row is None:
        return None
    prompt, completion = row.get("input_cost_per_token"), row.get("output_cost_per_token")
    if not isinstance(prompt, int | float) or not isinstance(completion, int | float):
        return None
    cached = row.get("cache_read_input_token_cost")
    tiers = [int(m[1]) * 1000 for name in row if (m := _TIER.fullmatch(name))]
    return Price(prompt, completion, cached if isinstance(cached, int | float) else None, min(tiers, default=None))
