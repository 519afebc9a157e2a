"""Choosing what a batch is to run: scenarios, temperaments, doctors, epochs, or a plan file. Enter begins.

Owns the form. The plan is read and every cell checked in a thread; what is wrong stands in the form.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from consult.clean import one_line
from consult.errors import ConsultError

PLAN: Final = "plan"
JOBS: Final = "jobs"
LISTS: Final = ("scenarios", "personas", "inquirer")
FIELDS: Final = {
    PLAN: ("Plan file", "none"),
    "scenarios": ("Scenarios", "all; ids, ward_*, tag:NAME, folders"),
    "personas": ("Temperaments", "neutral; choleric,sanguine@0.5, all"),
    "inquirer": ("Doctors", "reference; checklist,llm:MODEL"),
    "epochs": ("Epochs", "1; how often each is played"),
    "seed": ("Seed", "0"),
    "name": ("Name of the run", "made from the plan"),
    "budget": ("Budget", "none; time=2h,consultations=500,cost=1"),
    JOBS: ("Processes", "one for each core; two where models play"),
}
"""What each is called, and what is taken where it is left empty; a plan file's say comes before that."""


class BatchForm(ModalScreen[None]):
    """A new batch, or one to go on with."""

    HELP = """\
Lists are separated by commas. What is left empty is as the plan file says, or else as the grey
words say. The same plan again plays only what is missing."""
    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back"),
        Binding("ctrl+s", "begin", "Begin"),
    ]

    def compose(self) -> ComposeResult:
        """A field for each, and a line for what is wrong."""
        with Vertical(id="start") as box:
            box.border_title = "A batch"
            box.border_subtitle = "Enter begins · Tab next field · Esc back"
            for name, (title, empty) in FIELDS.items():
                with Horizontal(classes="row"):
                    yield Label(title)
                    whole = name in ("epochs", "seed", JOBS)
                    kind = "integer" if whole else "text"
                    yield Input(placeholder=empty, id=name, type=kind, compact=True)  # type: ignore[arg-type]
            yield Static(id="problem", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Begin", id="go", variant="primary", compact=True)
                yield Button("Back", id="back", compact=True)

    def on_mount(self) -> None:
        """The scenarios are what is most often chosen."""
        self.query_one("#scenarios").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#go")
    def action_begin(self) -> None:
        """Checks everything, then begins."""
        self._say("… every scenario is checked")
        self._check({name: self.query_one(f"#{name}", Input).value.strip() for name in FIELDS})

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.dismiss()

    @work(thread=True, exclusive=True)
    def _check(self, typed: dict[str, str]) -> None:
        from consult.batch import load_plan, setups
        from consult.batch.planning import plan_from
        from consult.tui.batches import begin

        given: dict[str, Any] = {name: text for name, text in typed.items() if text and name not in (PLAN, JOBS)}
        given |= {name: (given[name],) for name in LISTS if name in given}
        try:
            base = load_plan(Path(typed[PLAN])).model_dump() if typed[PLAN] else {}
            plan = plan_from(base, given)
            cells = setups(plan)
            begin(self.app.db, plan, cells, max(1, int(typed[JOBS])) if typed[JOBS] else None)  # type: ignore[attr-defined]
        except ConsultError as e:
            self.app.call_from_thread(self._say, one_line(str(e).partition("\n")[0], limit=400))
            return
        self.app.call_from_thread(self._begun, plan.run)

    def _say(self, words: str) -> None:
        self.query_one("#problem", Static).update(words)

    def _begun(self, run: str) -> None:
        from consult.tui.batches import BatchScreen

        self.app.switch_screen(BatchScreen(run))
