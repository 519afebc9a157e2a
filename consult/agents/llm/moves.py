"""The shapes in which a model gives an inquirer's action, and what is made of them. Pure.

Apart from `consult.actions`, because servers that enforce a schema take neither patterns nor discriminators, and so that only
what may be done now can be given. Validation is as strict as there.
"""

from __future__ import annotations

from functools import lru_cache, reduce
from operator import or_
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, create_model

from consult.actions import Ask, Conclude, Order, Refer, as_action
from consult.llm.structured import at_most
from consult.terms import Said, Urgency

KINDS: Final = ("ask", "order", "conclude", "refer")


def _something(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text


def _share(value: Any) -> Any:
    """Models write 70 where they mean 0.7; what is above 1 is taken as per cent (ours)."""
    return value / 100 if isinstance(value, (int, float)) and 1 < value <= 100 else value


Spoken = Annotated[Said, AfterValidator(_something)]
Share = Annotated[float, Field(ge=0, le=1), BeforeValidator(_share)]
LONGEST: Final = 100
"""Characters of a name or a step that a server which enforces lengths lets a model write, since small ones do not find an
end; `SPEECH` of what is said, `_FEW` of names and `_STEPS` of a plan. All are ours: a whole conclusion fits into the 1,000 tokens
to which a server of one's own is held. What is longer, where nothing enforces it, is taken all the same."""
SPEECH: Final = 1000
_FEW: Final = 5
_STEPS: Final = 10
Name = Annotated[Spoken, at_most(maxLength=LONGEST)]
Step = Annotated[Said, at_most(maxLength=LONGEST)]
Speech = Annotated[Said, at_most(maxLength=SPEECH)]


class NamedCondition(BaseModel):
    """One entry of a differential."""

    condition: Name
    probability: Share


class _Ask(BaseModel):
    kind: Literal["ask"]
    text: Annotated[Spoken, at_most(maxLength=SPEECH)]


class _Order(BaseModel):
    kind: Literal["order"]
    order: Name


@lru_cache(maxsize=64)
def schema_of(kinds: tuple[str, ...], departments: tuple[str, ...], *, rationale: bool) -> type[BaseModel]:
    """The object that a model is asked for where these kinds of action are open. `departments`: `primary/secondary`."""
    place: Any = Literal[departments]
    differential: Any = (Annotated[list[NamedCondition], at_most(maxItems=_FEW)], Field(max_length=50))
    said: dict[str, Any] = {"explanation": (Speech, ...), "safety_net": (Speech, ...)}
    where: dict[str, Any] = {"department": (place, ...), "urgency": (Urgency, ...), "differential": differential}
    conclude: dict[str, Any] = {"kind": (Literal["conclude"], ...)}
    conclude["plan"] = (Annotated[list[Step], at_most(maxItems=_STEPS)], Field(max_length=50))
    refer: dict[str, Any] = {"kind": (Literal["refer"], ...), "reason": (Speech, ...)}
    shapes: dict[str, Any] = {
        "ask": _Ask,
        "order": _Order,
        "conclude": create_model("Conclude", **conclude, **where, **said),
        "refer": create_model("Refer", **refer, **where, **said),
    }
    fields: dict[str, Any] = {"rationale": (Speech, ...)} if rationale else {}
    fields["action"] = (reduce(or_, (shapes[k] for k in kinds)), ...)
    return create_model("Turn", **fields)


def action_of(given: BaseModel) -> Ask | Order | Conclude | Refer:
    """The action in an object of `schema_of`. Raises AgentError."""
    data: dict[str, Any] = given.model_dump(mode="json")
    action: dict[str, Any] = data["action"]
    if "department" in action:
        primary, _, secondary = action["department"].partition("/")
        action["department"] = {"primary": primary, "secondary": secondary}
    return as_action(action | {"rationale": data.get("rationale", "")})
