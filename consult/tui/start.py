"""Choosing who meets whom: scenario, persona, doctor, hospital, and the seed. Enter starts.

Owns the form. Names only: what they stand for is loaded by the feed, in its thread.
"""

from __future__ import annotations

import os
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select, Static

from consult.players import HUMAN
from consult.tui.feed import Choice

FIELDS = {
    "scenario": "Case",
    "persona": "Patient's temperament",
    "patient": "Patient",
    "inquirer": "Doctor",
    "hospital": "Hospital",
}


def _named(role: str) -> str:
    """Who plays a role as the environment says: a model, of which no list has all; as for the options of that name."""
    return os.environ.get(f"CONSULT_{role.upper()}", "")


class Start(ModalScreen[Choice | None]):
    """A new consultation."""

    HELP = """\
Choose with the arrow keys and Enter, or type the first letters of a name in an open list.
Tab goes from field to field. The same choices with the same seed give the same words. For a consultation that
goes on otherwise from a turn: what you leave as it is stays as it was."""
    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("ctrl+s", "start", "Start"),
    ]

    def __init__(self, given: Choice, problem: str = "") -> None:
        super().__init__()
        self._given, self._problem = given, problem

    def compose(self) -> ComposeResult:
        """A field for each of the names, filled in."""
        with Vertical(id="start") as box:
            turn = self._given.get("turn")
            place = f"question {turn}" if turn != "0" else "the opening"
            box.border_title = "A new consultation" if turn is None else f"What if, after {place}"
            box.border_subtitle = "Enter starts · Tab next field · Esc back"
            for name, title in FIELDS.items():
                with Horizontal(classes="field"):
                    yield Label(title)
                    fixed = name == "scenario" and turn is not None
                    yield Select[str]([("…", "")], id=name, allow_blank=False, compact=True, disabled=fixed)
            if turn is not None:
                with Horizontal(classes="field"):
                    yield Label("An order's result")
                    yield Input(
                        self._given.get("result", ""),
                        placeholder="as in the case; or ecg=normal",
                        id="result",
                        compact=True,
                    )
            with Horizontal(classes="field"):
                yield Label("Seed")
                yield Input(self._given.get("seed", "0"), id="seed", type="integer", compact=True, max_length=18)
            if self._problem:
                yield Static(f"✗ {self._problem}", id="problem", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Start", id="go", variant="primary", compact=True)
                yield Button("Back", id="back", compact=True)

    def on_mount(self) -> None:
        """The names are looked up in a thread; Enter starts even before they are there."""
        self.query_one("#go").focus()
        self._look_up()

    @work(thread=True)
    def _look_up(self) -> None:
        from consult.agents.registry import INQUIRERS, agent_names
        from consult.batch.plan import DEFAULT_SCENARIO
        from consult.hospital import hospital_files
        from consult.persona import persona_files
        from consult.scenario import scenario_files

        doctors = [name for name in agent_names() if name in INQUIRERS or ":" not in name]
        names = {
            "scenario": (sorted(scenario_files()), DEFAULT_SCENARIO),
            "persona": (sorted(persona_files()), "neutral"),
            "patient": (["reference", HUMAN], _named("patient") or "reference"),
            "inquirer": ([*doctors, HUMAN], _named("inquirer") or "reference"),
            "hospital": (sorted(hospital_files()), "general"),
        }
        self.app.call_from_thread(self._fill, names)

    def _fill(self, names: dict[str, tuple[list[str], str]]) -> None:
        for field, (known, default) in names.items():
            given = self._given.get(field, default)
            options = list(dict.fromkeys([*known, default, given]))
            select = self.query_one(f"#{field}", Select)
            select.set_options([(name, name) for name in options])
            select.value = given

    @on(Button.Pressed, "#go")
    def action_start(self) -> None:
        """Starts with what is chosen."""
        choice = dict(self._given)
        for field in FIELDS:
            value = self.query_one(f"#{field}", Select).value
            if isinstance(value, str) and value:
                choice[field] = value
        for given in self.query("#result").results(Input):
            choice["result"] = given.value.strip()
        choice["seed"] = self.query_one("#seed", Input).value.strip() or "0"
        self.dismiss(choice)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_start()

    @on(Button.Pressed, "#back")
    def action_leave(self) -> None:
        """Back, nothing started."""
        self.dismiss(None)
