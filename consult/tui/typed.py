"""What a human types, as doctor, patient or onlooker: free text, or a command that begins with a slash.

Owns the commands, and what a doctor's last word must hold. Must not import textual: the bare terminal reads the same lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, cast

from consult.actions import Ask, Conclude, Diagnosis, Hint, Order, Refer, Words
from consult.clean import clean, one_line
from consult.terms import Department, Urgency

RANKS: Final = 5
"""Places of a differential that a human is asked for (ours)."""
_ALWAYS: Final = {
    "/pause": "leaves; the consultation is kept and can be taken up again",
    "/help": "says what can be typed",
}
_BACK: Final = {"/hand-back": "lets an agent go on in your place"}
COMMANDS: Final = {
    "/order": "orders a test or an examination: /order ecg",
    "/diagnose": "ends with a diagnosis; a form takes it",
    "/refer": "ends by sending the patient elsewhere; the same form",
    "/hint": "names the topic to ask about; what the next question tells then earns nothing",
    **_BACK,
    **_ALWAYS,
}
PATIENTS: Final = {"/leave": "gets up and goes: /leave I have had enough of this", **_BACK, **_ALWAYS}
WATCHERS: Final = {
    "/doctor": "you are the doctor from here on",
    "/patient": "you are the patient from here on",
    "/finish": "lets the agents play to the end",
    **_ALWAYS,
}
"""Where nobody is asked to say anything; the bare terminal alone has a line for it."""


class Typed(NamedTuple):
    """What a line means."""

    action: Ask | Order | Words | Hint | None = None
    ask_for: Literal["", "diagnose", "refer", "hand-back", "doctor", "patient", "finish", "pause", "help"] = ""
    problem: str = ""


def read_line(line: str) -> Typed:
    """What the doctor typed."""
    return _read(
        line, COMMANDS, lambda text: Typed(Ask(text=text)), {"/order": _order, "/hint": lambda _: Typed(Hint())}
    )


def read_patient(line: str) -> Typed:
    """What a human patient typed."""
    leaves = {"/leave": lambda rest: Typed(Words(rest or "I am leaving.", leaves=True))}
    return _read(line, PATIENTS, lambda text: Typed(Words(text)), leaves)


def read_watcher(line: str) -> Typed:
    """What was typed by somebody who has no seat."""
    return _read(line, WATCHERS, lambda _: Typed(problem="nobody hears you: /doctor or /patient takes a seat"), {})


_Read = Callable[[str], Typed]


def _read(line: str, commands: Mapping[str, str], said: _Read, acts: Mapping[str, _Read]) -> Typed:
    text = clean(line).strip()  # of nothing but control characters, nothing is left
    command, _, rest = text.partition(" ")
    command = command.casefold()
    if not text.startswith("/"):
        return said(text) if text else Typed()
    if command in acts:
        return acts[command](rest.strip())
    if command in commands:
        return Typed(ask_for=cast("Literal['help']", command[1:]))
    return Typed(problem=f"there is no {one_line(command, limit=40)}: {', '.join(commands)}")


def _order(what: str) -> Typed:
    return Typed(Order(order=what)) if what else Typed(problem="/order what? For example: /order ecg")


class LastWord(NamedTuple):
    """What a doctor ends with, as it was typed; what was left out is empty."""

    differential: tuple[Diagnosis, ...] = ()
    urgency: str = ""
    department: str = ""
    """`primary/secondary`."""
    plan: str = ""
    """Parts with `;` between them; of a referral, the reason."""
    explanation: str = ""
    safety_net: str = ""

    def action(self, kind: Literal["diagnose", "refer"]) -> Conclude | Refer:
        """The action that ends it. Raises ValueError, in words for whoever typed it."""
        primary, _, secondary = self.department.partition("/")
        department = Department(primary=primary, secondary=secondary) if self.department else None
        urgency = Urgency(self.urgency) if self.urgency else None
        said = {"differential": self.differential, "explanation": self.explanation, "safety_net": self.safety_net}
        if kind == "refer":
            if department is None or urgency is None:
                raise ValueError("a referral needs a department and an urgency")
            return Refer(department=department, urgency=urgency, reason=self.plan, **said)
        plan = tuple(part.strip() for part in self.plan.split(";") if part.strip())
        return Conclude(plan=plan, urgency=urgency, department=department, **said)


def ranked(typed: list[tuple[str, str]]) -> tuple[Diagnosis, ...]:
    """A differential from names and percentages, the likeliest first. Raises ValueError, in words for whoever typed it."""
    out = []
    for n, (name, percent) in enumerate(typed, 1):
        if not name:
            if percent:
                raise ValueError(f"{n}. condition: a probability without a name")
            continue
        p = float(percent) / 100 if percent else None
        if p is not None and not 0 <= p <= 1:
            raise ValueError(f"{n}. condition: a probability is 0 to 100 %")
        out.append(Diagnosis(condition=name, probability=p))
    if sum(d.probability or 0 for d in out) > 1 + 1e-9:
        raise ValueError("the probabilities are more than 100 % together")
    return tuple(out)
