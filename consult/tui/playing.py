"""A consultation that happens now: agents play it while it is watched, or a human has a seat in it, and may take or leave it.

Owns the line they type in, whose turn it is, what they may see, and the keys for taking over, handing back, trying again
and stopping. Everything else is `consult.tui.consultation`'s: the same screen, fed by a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Collapsible, Input, Static

from consult.players import DOCTOR, PATIENT
from consult.show.panels import PANELS, Scene
from consult.show.timeline import Timeline
from consult.tui.consultation import Consultation
from consult.tui.feed import Brought, Ended, Failed, Menu, Opened, Seated, YourTurn
from consult.tui.table import Table
from consult.tui.themes import NARROW
from consult.tui.typed import COMMANDS, PATIENTS, read_line, read_patient
from consult.tui.words import Ending

if TYPE_CHECKING:
    from consult.sim.sitting import Action

_LINES: Final = {DOCTOR: (read_line, COMMANDS), PATIENT: (read_patient, PATIENTS)}
_THINKS: Final = {DOCTOR: "… the patient thinks", PATIENT: "… the doctor thinks"}
_EARLY: Final = "It is your turn in a moment; then Enter says it."


class Playing(Consultation, inherit_bindings=False):
    """A consultation that happens now; you may be the doctor, or the patient."""

    HELP = """\
It happens while you look: agents go on when you have seen what they did; End lets them go on
without waiting for you. F4 makes you the doctor from here on, F5 the patient, and F6 hands
back to the agent; an answer that is still awaited is given up. Esc leaves: agents go on
without you, and it is kept. F8 leaves, too, but stops them: it is kept as far as it has come,
and stands on top of the list of consultations, where Enter takes it up again. Where an agent
fails, F7 tries again.

As the doctor, type what you say to the patient and press Enter; commands begin with a slash. F3
is the teacher's view: the facts of the case, hidden from a doctor until the end. As the patient
you see the facts (on a narrow screen with F2), and begin with what brings you here. Tab takes the
keys from the line you type in to the dialogue, where the tape's keys work."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Consultation.BINDINGS[0],
        Binding("f1", "app.help", "Help", key_display="F1"),
        Binding("f2", "panels", "Panels", key_display="F2"),
        Binding("f3,t", "teacher", "Teacher's view", key_display="F3"),
        Binding("f4", "take('inquirer')", "Be doctor", key_display="F4"),
        Binding("f5", "take('patient')", "Be patient", key_display="F5"),
        Binding("f6", "take('')", "Hand back", key_display="F6"),
        Binding("f7", "again", "Try again", key_display="F7"),
        Binding("f8", "stop", "Stop", key_display="F8"),
        *Consultation.BINDINGS,
        *Screen.BINDINGS,
    ]

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._table = table
        self._menu: Menu | None = None
        self._teacher = False
        self._turn: YourTurn | None = None
        self._following = False
        """What comes is shown as it comes."""
        self._failed = False
        self._draft: dict[str, Any] = {}
        """Of the form that ends it, where it was left without doing so."""
        self.seat = table.seat
        """The human's: inquirer, patient, or none (empty)."""
        self._was_doctor = self.seat == DOCTOR
        self.playing = not self.seat
        self.first = "#say" if self.seat else "#dialogue"

    @property
    def your_turn(self) -> bool:
        """Whether the human is to act."""
        return self._turn is not None

    @property
    def typed_commands(self) -> Mapping[str, str]:
        """What can be typed beside words, and what it does."""
        return _LINES[self.seat][1] if self.seat else {}

    def _below(self) -> ComposeResult:
        yield Static(id="remark", markup=False)
        line = Input(id="say", compact=True)
        line.display = bool(self.seat)
        yield line

    def _sit(self, seat: str) -> None:
        """The human has another seat, or none."""
        changed = seat != self.seat
        self.seat, self._turn = seat, None
        self._was_doctor = self._was_doctor or seat == DOCTOR
        if changed or seat == PATIENT:  # who knows what they have need not know what others make of it
            for name in PANELS:
                self.query_one(f"#fold-{name}", Collapsible).collapsed = seat == PATIENT and name != "facts"
        line = self.query_one("#say", Input)
        line.display = bool(seat) and not self.over
        if line.display:
            line.placeholder = f"say something, or {' '.join(self.typed_commands)}"
            if seat == PATIENT and self.size.width < NARROW:
                line.placeholder += "; F2 shows what you have"
            self._stop()
            line.focus()
        else:
            self.query_one("#dialogue").focus()
            self.playing = self.playing or (changed and not self.over)
        self._following = bool(seat)

    # What the table brings

    def _post(self, app: App[None], message: Brought) -> None:
        super()._post(app, message)
        if isinstance(message, Ended) and app.is_running and not self.is_attached:
            app.call_later(app.ended_behind, message)  # type: ignore[attr-defined]

    def _take(self, message: Brought) -> None:
        if not self.is_attached:
            return
        if isinstance(message, Opened):
            self._menu = message.menu
        elif isinstance(message, Seated):
            self._sit(message.seat)
        elif isinstance(message, YourTurn):
            self._turn = message
            self._remark("")
        failed = self._failed
        self._failed = isinstance(message, Failed) or (self._failed and not isinstance(message, tuple))
        if isinstance(message, Failed):
            self._problem, self._following = message.problem, True
        elif not self._failed:
            self._problem = ""
        super()._take(message)
        if self._following and self.timeline is not None and self.upto < len(self.timeline):
            self._go(len(self.timeline))
        if isinstance(message, Ended):
            self._sit("")
            if self.kept_as and self._was_doctor:
                self.tell_of_debrief()
        if isinstance(message, (Seated, Failed, Ended)) or failed != self._failed:
            self.refresh_bindings()

    def _draw(self) -> None:
        super()._draw()
        self._table.seen(self.upto)

    def _stop(self) -> None:
        super()._stop()
        self._following = bool(self.seat)

    def action_wind(self) -> None:
        """To the end; what comes is shown as it comes, as fast as it comes."""
        super().action_wind()
        self._following = True
        self._table.follow()

    def _seen(self) -> Scene:
        if self.over or self._teacher or self.seat != DOCTOR:  # a patient knows what they have
            return self.scene
        return replace(self.scene, facts=None, why_no_facts="hidden while you play; F3 shows them: the teacher's view")

    def _state(self, t: Timeline) -> str:
        if self._failed:
            return "✗ failed"
        if self.over or not self.seat:
            return super()._state(t)
        if self._turn is None:
            return _THINKS[self.seat]
        return "your turn" if self.seat == PATIENT else f"your turn, {self._turn.orders} orders left"

    # What the human does

    @on(Input.Submitted, "#say")
    def _typed(self, event: Input.Submitted) -> None:
        typed = _LINES[self.seat][0](event.value)
        if not self.your_turn and typed.ask_for not in ("pause", "hand-back", "help"):
            if event.value.strip():  # it stays: the answer may be read before it is said
                self._remark(_EARLY)
            return
        problem = typed.problem or (self._table.refused(typed.action) if typed.action is not None else "")
        if problem:
            self._remark(f"✗ {problem}")
            return
        event.input.value = event.input.value.removeprefix(event.value)  # the next words may have been begun
        if typed.action is not None:
            self._act(typed.action)
        elif typed.ask_for == "pause":
            self.action_leave()
        elif typed.ask_for == "hand-back":
            self.action_take("")
        elif typed.ask_for == "help":
            self.app.action_help()
        elif typed.ask_for in ("diagnose", "refer") and self._menu is not None:
            self.app.push_screen(Ending(self._menu, kind=typed.ask_for, draft=self._draft), self._act)

    @on(Input.Changed, "#say")
    def _changed(self) -> None:
        self._remark("")

    def _remark(self, words: str) -> None:
        """Says something of what stands in the line, above it, until the line is another."""
        remark = self.query_one("#remark", Static)
        remark.update(words)
        remark.display = bool(words)

    def _act(self, action: Action | None) -> None:
        if action is not None and self.your_turn:
            self._turn = None
            self._table.say(action)
            self._draw()

    def action_teacher(self) -> None:
        """The facts shown to whoever plays the doctor, or hidden again."""
        self._teacher = not self._teacher
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that do nothing now are not there."""
        now = {
            "take": bool(self.seat) != bool(parameters and parameters[0]) and not self.over,
            "again": self._failed,
            "stop": not self.over,
            "teacher": self.seat == DOCTOR and not self.over,
            "faster": not self.seat or self.over,
        }
        return now.get(action, super().check_action(action, parameters))

    def action_take(self, seat: str) -> None:
        """The human takes a seat from here on; empty: hands it back to the agent."""
        self._table.take(seat)

    def action_again(self) -> None:
        """What failed is tried again."""
        self._table.again()
        self._failed, self._problem = False, ""
        self.refresh_bindings()
        self._draw()

    def action_stop(self) -> None:
        """Leaves, and nothing more happens."""
        self._table.stop()
        self.action_leave()

    def on_unmount(self) -> None:
        """What is not over goes on, or waits for the human, kept either way."""
        self._table.leave(self._bring)
