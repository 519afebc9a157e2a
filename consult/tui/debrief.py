"""The debrief on the screen: sections to fold, rows to walk through, and from each the way to the place it rests on.

Made in a thread, so that the screen stays live. What it says is `consult.debrief.words`'; owns how it is drawn and
what its keys do. Must import sim, and what plays, in the thread only.
"""

from __future__ import annotations

import os
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Collapsible, Static

from consult.clean import one_line
from consult.debrief.words import SIGNS, Row, Section, sections, title
from consult.errors import ConsultError
from consult.show.names import Names
from consult.show.paint import BAD, DOCTOR, GOOD, PATIENT, QUIET, Signs
from consult.show.timeline import Timeline
from consult.tui.branching import Branching
from consult.tui.dialogue import Dialogue
from consult.tui.help import Keys

if TYPE_CHECKING:
    from consult.debrief.model import Cite, Debrief
    from consult.show.panels import Scene
    from consult.store.transcript import Transcript
    from consult.tui.app import ConsultApp

_STYLES: Final = {"good": GOOD, "bad": BAD, "flag": BAD, "doctor": DOCTOR, "patient": PATIENT, "better": GOOD}
_WALK: Final = "Line, CollapsibleTitle"
_LABEL: Final = {"doctor": "Doctor", "patient": "Patient", "better": "Better"}
_SCORE: Final = 36
"""Columns before a score's bar, so that bars stand below one another."""
_BAR: Final = 12


class Line(Static, can_focus=True):
    """One row; where it rests on several places, the arrow keys choose among them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "jump", "Go"),
        Binding("right,l", "choose(1)", "Place", key_display="←→"),
        Binding("left,h", "choose(-1)", "Place before", show=False),
    ]

    class At(Message):
        """A row has been come to, or another of its places: `seq`, or None where it has none; `go`: to be jumped to."""

        def __init__(self, row: Row, seq: int | None, *, go: bool) -> None:
            super().__init__()
            self.row, self.seq, self.go = row, seq, go

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row
        self._chosen = 0

    def on_mount(self) -> None:
        """Drawn once; again when another place is chosen."""
        self._draw(marked=False)

    def on_focus(self) -> None:
        """The place it rests on is shown beside it."""
        self._draw(marked=True)
        self._tell(go=False)

    def on_blur(self) -> None:
        """No place is marked any more."""
        self._draw(marked=False)

    def _tell(self, *, go: bool) -> None:
        seq = self.row.cites[self._chosen].seq if self.row.cites else None
        self.post_message(self.At(self.row, seq, go=go))

    def action_choose(self, by: int) -> None:
        """The next of its places."""
        if self.row.cites:
            self._chosen = (self._chosen + by) % len(self.row.cites)
            self._draw(marked=True)
            self._tell(go=False)

    def action_jump(self) -> None:
        """To the place."""
        self._tell(go=True)

    def on_click(self) -> None:
        """A second click jumps there, as Enter does."""
        if self.has_focus:
            self._tell(go=True)

    def _draw(self, *, marked: bool) -> None:
        row, grid = self.row, Table.grid(padding=(0, 1), expand=True)
        label = _LABEL.get(row.kind, "")
        grid.add_column(width=len("Patient") if label else 1, justify="right")
        grid.add_column(ratio=1, overflow="fold")
        text = Text(row.text)
        if row.share is not None:
            text.pad_right(max(1, _SCORE - text.cell_len))
            text.append(Signs().bar(row.share, _BAR), style="blue")
        for n, cite in enumerate(row.cites):
            here = marked and n == self._chosen
            text.append(" " if n else "  ").append(f"▸{_place(cite)}", style="bold reverse" if here else "blue")
        for note in row.notes:
            text.append(f"\n{note}", style=QUIET)
        style = _STYLES.get(row.kind, QUIET)
        grid.add_row(Text(label or SIGNS[row.kind], style=style), text)
        self.update(grid, layout=not self.is_mounted or not self.size)  # a place that is marked takes no more room


def _place(cite: Cite) -> str:
    return "end" if cite.end else str(cite.turn) if cite.turn else "opening"


class Parts(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The sections; leaves the arrow keys, which walk, to the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]


class Debriefing(Screen["int | None"]):
    """What a finished consultation can teach. Gives the `seq` of the event to jump to, or None."""

    HELP = """\
What was missed, what the patient never said and why, what the rules found fault with and better
words for it, and how the reference doctor went on from the place where most was to be gained. The
arrow keys walk through it; Enter goes to the place in the consultation that a row rests on: ▸4 is
question 4. Where there are several, the left and right arrow keys choose; r comes back. Space folds a part. m writes
it beside the database as Markdown, w as a page."""
    app: ConsultApp
    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,r", "leave", "Back", key_display="Esc"),
        Binding("down,j", "walk(1)", "Row", key_display="↑↓"),
        Binding("up,k", "walk(-1)", "Up", show=False),
        Binding("space", "fold", "Fold", key_display="Space"),
        Binding("f", "fold_all", "Fold all", show=False),
        Binding("m", "keep('md')", "Markdown"),
        Binding("w", "keep('html')", "Page"),
        Binding("question_mark,f1", "app.help", "Help", key_display="?"),
    ]

    def __init__(
        self, transcript: Transcript, names: Names, made: Debrief | None = None, at: Row | None = None
    ) -> None:
        super().__init__()
        self._transcript, self._names = transcript, names
        self.made = made
        """None until it has been made."""
        self.at: Row | None = at
        """The row one was on last."""

    def compose(self) -> ComposeResult:
        """A title, the sections, and where there is room the dialogue."""
        yield Static("… the consultation is gone through again", id="title", markup=False)
        with Horizontal(id="stage"):
            yield Parts(id="debrief")
            yield Dialogue(id="cited")
        yield Keys()

    def on_mount(self) -> None:
        """The screen is drawn first."""
        t = Timeline(self._transcript.header, self._transcript.events)
        self.query_one(Dialogue).watch_over(t, self._names)
        self.query_one(Dialogue).show(len(t), over=True)
        if self.made is not None:
            self.call_after_refresh(self._show, self.made)
        else:
            self.call_after_refresh(self._make)

    @work(thread=True, group="debrief")
    def _make(self) -> None:
        from consult.debrief.build import debrief

        try:
            made = debrief(self._transcript)
        except ConsultError as e:
            self._say(self._failed, one_line(str(e), limit=400))
        except Exception as e:  # a fault of a plug-in or of ours: the screen says it, and stays
            self._say(self._failed, one_line(f"internal error: {type(e).__name__}: {e}", limit=400))
        else:
            self._say(self._show, made)
            if made.better and (
                coach := os.environ.get("CONSULT_COACH", "")
            ):  # a daemon: who leaves need not wait for a model
                Thread(target=self._ask, args=(made, coach), name="coach", daemon=True).start()

    def _ask(self, made: Debrief, spec: str) -> None:
        """A model's words, once they come, in place of the rules'; in a thread."""
        from consult.debrief.coach import by_coach, coach_of

        try:
            coach = coach_of(spec, api_base=os.environ.get("CONSULT_API_BASE", ""))
            self._say(self._put_better, by_coach(made, self._transcript, coach, self.app.db))
        except ConsultError as e:
            self._say(self.app.tell, e)
        except Exception as e:  # as above
            self._say(self.app.tell, f"internal error: {type(e).__name__}: {e}")

    async def _put_better(self, made: Debrief) -> None:
        if self.is_attached:
            self.made = made
            fold = self.query_one("#part-better", Collapsible)
            here = self.focused is not None and fold in self.focused.ancestors
            await fold.query_one(Collapsible.Contents).remove_children()
            if not fold.collapsed:
                await self._fill(fold)
            if here:
                fold.query_one("CollapsibleTitle").focus()

    def _say(self, to: Any, what: Any) -> None:
        """From the thread; nobody may be looking any more."""
        if self.is_attached and self.app.is_running:
            self.app.call_later(to, what)

    def _failed(self, why: str) -> None:
        if self.is_attached:
            self.query_one("#title", Static).update(Text("✗ there is no debrief", style="bold red"))
            self.query_one(Parts).mount(Static(Text(why)))

    async def _show(self, made: Debrief) -> None:
        if not self.is_attached:
            return
        self.made = made
        self.query_one("#title", Static).update(Text(title(made)))
        box = self.query_one(Parts)
        await box.mount_all([_folded(section) for section in sections(made)])
        section = next((s for s in sections(made) if self.at in s.rows), None)
        if section is None:
            self.focus_next("Line")
            return
        fold = self.query_one(f"#part-{section.id}", Collapsible)
        await self._fill(fold)
        fold.collapsed = False
        next(line for line in fold.query(Line) if line.row == self.at).focus()

    @on(Collapsible.Expanded)
    async def _unfolded(self, event: Collapsible.Expanded) -> None:
        await self._fill(event.collapsible)

    async def _fill(self, fold: Collapsible) -> None:
        contents = fold.query_one(Collapsible.Contents)
        for section in sections(self.made) if self.made is not None and not contents.children else ():
            if fold.id == f"part-{section.id}":
                await contents.mount_all(_rows(section))

    # What the keys do

    def action_walk(self, by: int) -> None:
        """To the next row or head, or the one before."""
        (self.focus_next if by > 0 else self.focus_previous)(_WALK)

    def action_fold(self) -> None:
        """The section one is in, folded or unfolded."""
        node = self.focused
        fold = next((n for n in node.ancestors_with_self if isinstance(n, Collapsible)), None) if node else None
        if fold is not None:
            fold.collapsed = not fold.collapsed
            fold.query_one("CollapsibleTitle").focus()

    def action_fold_all(self) -> None:
        """All sections folded, or unfolded where they all are."""
        folds = list(self.query(Collapsible))
        shut = any(not fold.collapsed for fold in folds)
        for fold in folds:
            fold.collapsed = shut
        if folds and shut:
            folds[0].query_one("CollapsibleTitle").focus()

    def action_leave(self) -> None:
        """Back to the consultation."""
        self.dismiss(None)

    @on(Line.At)
    def _at(self, event: Line.At) -> None:
        self.at = event.row
        if event.go and event.seq is not None:
            self.dismiss(event.seq)
        elif event.go:
            self.app.notify("this rests on no place in the consultation", timeout=3)
        elif event.seq is not None:
            beside = self.query_one(Dialogue)
            beside.show(0, over=False)  # it goes to what is marked only where what it shows changes
            beside.show(len(self._transcript.events), over=True, marked=event.seq)

    def action_keep(self, kind: str) -> None:
        """Written beside the database, as Markdown or as a page."""
        if self.made is not None:
            self._write(self.made, kind)

    @work(thread=True, group="debrief")
    def _write(self, made: Debrief, kind: str) -> None:
        path = self.app.db.parent / f"debrief-{_file_name(made.consultation_id)}.{kind}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._file(made, kind), "utf-8", newline="\n")
        except OSError as e:
            self.app.call_from_thread(self.app.tell, f"{path}: {e.strerror or e}")
        else:
            self.app.call_from_thread(self.app.notify, f"written to {path}", markup=False, timeout=6)

    def _file(self, made: Debrief, kind: str) -> str:
        if kind == "md":
            from consult.debrief.markdown import to_markdown

            return to_markdown(made)
        from consult.html import debrief as page

        return page.page(self._transcript, made, self._names)


def _file_name(identifier: str) -> str:
    """An id that may have come from elsewhere, as a part of a file's name."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in identifier)[:80] or "consultation"


def _folded(section: Section) -> Collapsible:
    rows = _rows(section) if section.brief else []  # what is folded away costs nothing until it is unfolded
    return Collapsible(*rows, title=section.title, collapsed=not section.brief, id=f"part-{section.id}")


def _rows(section: Section) -> list[Static]:
    found: list[Static] = [Static(Text(section.lead, style=QUIET), classes="lead")] if section.lead else []
    for row in section.rows:
        found.append(Static(Text(row.text), classes="head") if row.kind == "head" else Line(row))
    return found


class Debriefed(Branching):
    """The key that opens the debrief of a consultation, as a part of the screen of one."""

    scene: Scene
    _made: Debrief | None = None
    _row: Row | None = None

    def action_debrief(self) -> None:
        """What it can teach, once it is over."""
        from consult.store.transcript import Transcript

        if self.timeline is None or not self.over or self.timeline.end is None:
            self.app.notify("there is a debrief when it is over", timeout=3)
            return
        self.app.clear_notifications()  # what told of this key stands where it is shown
        transcript = Transcript(self.timeline.header, tuple(self.timeline.events))
        transcript = transcript.renamed(self.kept_as) if self.kept_as else transcript
        screen = Debriefing(transcript, self.scene.names, self._made, self._row)
        self.app.push_screen(screen, lambda seq: self._back(screen, seq))

    def _back(self, screen: Debriefing, seq: int | None) -> None:
        self._made, self._row = screen.made, screen.at
        if seq is not None:
            self._jump(seq, "r goes back to the debrief")

    def tell_of_debrief(self) -> None:
        """Said when one's own consultation is over."""
        self.app.notify("r shows what can be learnt of it", title="Debrief", timeout=8)
