"""A consultation in which a human plays the doctor or the patient: the line they type in, whose turn it is, and what they may see.

Everything else is `consult.tui.consultation`'s: the same screen, fed by a table at which a human sits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from consult.show.panels import Scene
from consult.show.timeline import Timeline
from consult.tui.consultation import Consultation
from consult.tui.feed import Brought, Menu, Opened, YourTurn
from consult.tui.table import PATIENT, Table
from consult.tui.typed import COMMANDS, PATIENTS, read_line, read_patient
from consult.tui.words import Ending

if TYPE_CHECKING:
    from consult.sim.sitting import Action


class Playing(Consultation):
    """You are the doctor, or the patient."""

    HELP = """\
Type what you say to the patient and press Enter. /order ecg orders a test, /diagnose and /refer
end the consultation with a form, /pause (or Esc) leaves it to be taken up again later, from
the list of consultations. F2 changes between dialogue and panels on a narrow screen; F3 is
the teacher's view: the facts of the case, which are otherwise hidden until the end. Tab
takes the keys from the line you type in to the dialogue, where the tape's keys work. As the
patient you see the facts, begin with what brings you here, and may get up with /leave."""
    FIRST: ClassVar = "#say"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "app.help", "Help"),
        Binding("f2", "panels", "Panels"),
        Binding("f3,t", "teacher", "Teacher's view", key_display="f3"),
    ]

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._table = table
        self._menu: Menu | None = None
        self._teacher = False
        self._turn: YourTurn | None = None
        self._patient = table.seat == PATIENT
        self._commands = PATIENTS if self._patient else COMMANDS
        self.playing = False

    @property
    def your_turn(self) -> bool:
        """Whether the human is to act."""
        return self._turn is not None

    def _below(self) -> ComposeResult:
        yield Input(placeholder=f"say something, or {' '.join(self._commands)}", id="say", compact=True)

    def _take(self, message: Brought) -> None:
        if isinstance(message, Opened):
            self._menu = message.menu
        elif isinstance(message, YourTurn):
            self._turn = message
        super()._take(message)
        if self.timeline is not None and self.upto < len(self.timeline):
            self._go(len(self.timeline))
        if self.over and self.is_attached:
            self.query_one("#say").display = False
            self.query_one("#dialogue").focus()
            if self.kept_as and not self._patient:
                self.tell_of_debrief()

    def _seen(self) -> Scene:
        if self.over or self._teacher or self._patient:  # a patient knows what they have
            return self.scene
        return replace(self.scene, facts=None, why_no_facts="hidden while you play; F3 shows them: the teacher's view")

    def _state(self, t: Timeline) -> str:
        if self.over:
            return super()._state(t)
        if self._turn is None:
            return "… the doctor thinks" if self._patient else "… the patient thinks"
        return "your turn" if self._patient else f"your turn, {self._turn.orders} orders left"

    @on(Input.Submitted, "#say")
    def _typed(self, event: Input.Submitted) -> None:
        typed = (read_patient if self._patient else read_line)(event.value)
        if not self.your_turn and typed.ask_for != "pause":
            return  # what was typed stays, until it is the doctor's turn
        if typed.problem:
            self.app.notify(typed.problem, severity="warning", markup=False)
            return
        event.input.value = ""
        if typed.action is not None:
            self._act(typed.action)
        elif typed.ask_for == "pause":
            self.action_leave()
        elif typed.ask_for == "help":
            words = "\n".join(f"{command} {what}" for command, what in self._commands.items())
            self.app.notify(words, title="Type freely, or", timeout=12, markup=False)
        elif typed.ask_for and self._menu is not None:
            self.app.push_screen(Ending(self._menu, kind=typed.ask_for), self._act)

    def _act(self, action: Action | None) -> None:
        if action is not None:
            self._turn = None
            self._table.say(action)
            self._draw()

    def action_teacher(self) -> None:
        """The facts shown to whoever plays the doctor, or hidden again."""
        self._teacher = not self._teacher
        self._draw()

    def on_unmount(self) -> None:
        """The table's thread is not left waiting; what is not over is kept."""
        self._table.leave()
