"""The form with which a human doctor ends a consultation. Gives actions of `consult.actions`; plays nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, Select, Static

from consult.actions import Conclude, Refer
from consult.clean import one_line
from consult.terms import Urgency
from consult.tui.feed import Menu
from consult.tui.typed import RANKS, LastWord, ranked


class Ending(ModalScreen[Conclude | Refer | None]):
    """The doctor's last word: a ranked differential, what follows from it, and what the patient is told."""

    HELP = """\
The likeliest condition comes first; names complete themselves with the right arrow key. Probabilities are percent, together
at most 100, and may be left out. An empty differential is an abstention. Ctrl-S ends the consultation."""
    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("ctrl+s", "end", "End the consultation"),
    ]

    def __init__(self, menu: Menu, *, kind: Literal["diagnose", "refer"], draft: dict[str, Any]) -> None:
        """`draft`: what was filled in when it was left before, by field, and is again."""
        super().__init__()
        self._menu, self._kind, self._draft = menu, kind, draft

    def compose(self) -> ComposeResult:
        """The fields, the likeliest condition first."""
        with VerticalScroll(id="ending", can_focus=False) as box:
            box.border_title = "Diagnosis" if self._kind == "diagnose" else "Referral"
            box.border_subtitle = "Ctrl-S ends the consultation · Tab next field · Esc back"
            known = SuggestFromList(self._menu.conditions, case_sensitive=False)
            for n in range(1, RANKS + 1):
                with Horizontal(classes="row"):
                    yield Label(f"{n}. condition")
                    yield Input(id=f"condition-{n}", suggester=known, compact=True)
                    yield Input(id=f"percent-{n}", placeholder="%", type="number", compact=True, classes="percent")
            with Horizontal(classes="row"):
                yield Label("Urgency")
                yield Select[str](
                    [(u.replace("_", " "), str(u)) for u in Urgency], id="urgency", prompt="not said", compact=True
                )
            with Horizontal(classes="row"):
                yield Label("Department")
                places = [(words, f"{p}/{s}") for p, s, words in self._menu.departments]
                yield Select[str](places, id="department", prompt="not said", compact=True)
            last = (
                ("Plan", "steps, with ; between them")
                if self._kind == "diagnose"
                else ("Reason", "why they are sent there")
            )
            for name, (title, empty) in {
                "plan": last,
                "explanation": ("You tell them", "what you think it is, and why, in plain words"),
                "safety_net": ("Come back if", "what must bring the patient back at once"),
            }.items():
                with Horizontal(classes="row"):
                    yield Label(title)
                    yield Input(id=name, placeholder=empty, compact=True)
            yield Static(id="problem", markup=False)
            yield Button("End the consultation", id="end", variant="primary", compact=True)

    def on_mount(self) -> None:
        """What was filled in before stands there again."""
        for field in self._fields():
            field.value = self._draft.get(field.id, field.value)

    def _fields(self) -> Iterator[Any]:
        yield from self.query(Input)
        yield from self.query(Select)

    @on(Button.Pressed, "#end")
    def action_end(self) -> None:
        """Ends it, if the fields can be taken."""
        try:
            self.dismiss(self._ending())
        except (ValueError, ValidationError) as e:
            words = e.errors()[0]["msg"] if isinstance(e, ValidationError) else str(e)
            self.query_one("#problem", Static).update(one_line(f"✗ {words}"))

    def _ending(self) -> Conclude | Refer:
        typed = [(self._text(f"condition-{n}"), self._text(f"percent-{n}")) for n in range(1, RANKS + 1)]
        urgency, place = self.query_one("#urgency", Select).value, self.query_one("#department", Select).value
        return LastWord(
            ranked(typed),
            urgency if isinstance(urgency, str) else "",
            place if isinstance(place, str) else "",
            *(self._text(name) for name in ("plan", "explanation", "safety_net")),
        ).action(self._kind)

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def action_leave(self) -> None:
        """Back to the patient; nothing that was filled in is lost."""
        self._draft |= {field.id: field.value for field in self._fields()}
        self.dismiss(None)
