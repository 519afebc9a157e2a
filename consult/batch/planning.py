"""From options and a plan file to a `Plan`: what is given on the command line counts over what the file says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consult.errors import UsageError

if TYPE_CHECKING:
    from consult.batch import Plan

_OPTIONS = {"personas": "--persona"}


def plan_from(base: dict[str, Any], given: dict[str, Any]) -> Plan:
    """The plan of `base` with the options that were given (not None, not empty) on top. Raises UsageError."""
    from pydantic import ValidationError

    from consult.batch import Plan
    from consult.files import field_name, plain_words

    chosen = {name: value for name, value in given.items() if value is not None and value != ()}
    try:
        return Plan.model_validate(base | chosen)
    except ValidationError as e:
        first = e.errors(include_url=False, include_input=False)[0]
        ctx = first.get("ctx", {})
        name = field_name((*first["loc"], *ctx.get("where", ()))[:1])
        option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
        raise UsageError(f"{option}: {plain_words(first)} (mend: {ctx.get('mend', 'correct the value')})") from None
