"""A consultation on the screen, live or again: the dialogue, and what goes on behind it.

Owns what stands where, and takes what the feed brings. One path for both: a feed posts events, a timeline keeps them, and
what is shown is its first `upto` events; how one moves among them is `playback`'s. Must not import sim or store: `feed`
does, in its thread.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from threading import Thread
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Collapsible, Static

from consult.clean import one_line
from consult.show import Level
from consult.show.panels import PANELS, Scene
from consult.show.timeline import Timeline
from consult.tui.beside import Beside, who
from consult.tui.debrief import Debriefed
from consult.tui.dialogue import Dialogue
from consult.tui.feed import Brought, Ended, Feed, Opened, Post
from consult.tui.help import Keys
from consult.tui.side import Side, hung
from consult.tui.tape import Tape

_FIRST: Final = 4
"""Panels in the first column, where there are two."""


class Consultation(Debriefed):
    """A consultation: what was said, and what went on behind it."""

    HELP = """\
On the left what is said; on the right the record, triage with its rules, the doctor's
belief, the patient's mood, the facts of the case, orders and the audit, as they stood then.
Space plays and stops, the arrow keys step, [ and ] go by questions. f goes to the next flag,
e lists flags and what each score rests on, to jump there. b sets another consultation
beside this one, question by question. w lets it go on otherwise from this turn, v shows
what has come of that. On a narrow screen p changes between the two sides."""
    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", key_display="Esc"),
        Binding("space", "play", "Play", key_display="Space"),
        Binding("right,l", "step(1)", "Step", key_display="←→"),
        Binding("left,h", "step(-1)", "Step back", show=False),
        Binding("right_square_bracket", "turn(1)", "Turn", key_display="[ ]"),
        Binding("left_square_bracket", "turn(-1)", "Question before", show=False, key_display="["),
        Binding("home,less_than_sign", "rewind", "To the beginning", show=False),
        Binding("end,greater_than_sign", "wind", "To the end", show=False),
        Binding("p,f2", "panels", "Panels", key_display="p"),
        Binding("r", "debrief", "Debrief"),
        Binding("w", "what_if", "What if"),
        Binding("f", "flag(1)", "Flag"),
        Binding("F", "flag(-1)", "Flag before", show=False),
        Binding("e", "evidence", "Evidence"),
        Binding("d", "details", "Details"),
        Binding("b", "beside", "Beside"),
        Binding("v", "branches", "Branches"),
        Binding("question_mark,f1", "app.help", "Help", key_display="?"),
        Binding("plus,equals_sign", "faster(1)", "Faster", key_display="+"),
        Binding("minus", "faster(-1)", "Slower", show=False, key_display="-"),
        *(Binding(str(n), f"fold({name!r})", f"Fold {name}", show=False) for n, name in enumerate(PANELS, 1)),
    ]

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        self.scene = Scene()
        self.playing = feed.live
        self._problem = ""
        self.first = "#dialogue"
        """What has the keys at first."""
        self._past = 0
        self._bring: Post | None = None
        self._painted: dict[str, Text] = {}

    def compose(self) -> ComposeResult:
        """A title, the dialogue (and another one beside it), the panels, the tape, the keys."""
        yield Static("… setting up", id="title", markup=False)
        with Horizontal(id="stage"):
            yield Dialogue(id="dialogue")
            yield Beside(id="other")
            with Side(id="side"):
                for column in (slice(0, _FIRST), slice(_FIRST, None)):
                    with Vertical(classes="column"):
                        for n, name in list(enumerate(PANELS, 1))[column]:
                            panel = Static(id=f"panel-{name}")
                            title = f"{n} {name.capitalize()}"
                            yield Collapsible(panel, title=title, collapsed=False, id=f"fold-{name}")
        yield from self._below()
        yield Tape(id="tape")
        yield Keys()

    def _below(self) -> ComposeResult:
        """What stands between the dialogue and the tape."""
        yield from ()

    def on_mount(self) -> None:
        """The feed starts when the screen has been drawn."""
        self.query_one(self.first).focus()
        self.call_after_refresh(self._run_feed)

    # What the feed brings

    def _run_feed(self) -> None:
        """In a thread that nobody waits for: the application can be left whatever the feed is waiting for."""
        self._bring = partial(self._post, self.app)
        Thread(target=self._feed.run, args=(self._bring,), name="feed", daemon=True).start()

    def _post(self, app: App[None], message: Brought) -> None:
        """From the feed's thread. It goes on when the screen or the application has been left."""
        with suppress(RuntimeError):  # the application has just ended
            if app.is_running:
                app.call_later(self._take, message)

    def _take(self, message: Brought) -> None:
        if not self.is_attached:
            return
        if isinstance(message, Opened):
            self._open(message)
        elif isinstance(message, Ended):
            self.over, self._problem, self._kept = True, message.problem, message.kept
            if self.timeline is None:
                self.query_one("#title", Static).update(Text("✗ it cannot be shown; Esc leads back", style="bold red"))
                self.query_one("#dialogue", Dialogue).show(0, over=True, problem=self._problem)
                return
            if message.header is not None and message.header != self.timeline.header:
                self.timeline.header = message.header
                self.query_one("#dialogue", Dialogue).watch_over(self.timeline, self.scene.names)
        elif self.timeline is not None and isinstance(message, tuple):
            for event in message:
                self.timeline.add(event)
        if self.timeline is not None and self.upto < self._past <= len(self.timeline):
            self.upto = self._past  # a fork is watched from where it begins
        if self.over and not self._feed.live and self.timeline is not None and self.upto == 0:
            self.upto = len(self.timeline)
        self._draw()
        if self.playing and self._timer is None:
            self._advance()

    def _open(self, message: Opened) -> None:
        h = message.header
        self.timeline, self.scene, self._past = Timeline(h), message.scene, message.past
        self.query_one("#dialogue", Dialogue).watch_over(self.timeline, self.scene.names)
        who = h.names.get("patient", "")
        parts = [h.scenario, h.persona, *([who] if who else []), f"doctor {h.agents.get('inquirer', '?')}",
                 f"hospital {h.hospital}", f"seed {h.seed}"]  # fmt: skip
        self.query_one("#title", Static).update(Text(" · ".join(one_line(p, limit=60) for p in parts)))

    @property
    def kept_as(self) -> str:
        """The id it is kept under; empty while it is not."""
        kept = self._kept or (self.timeline.header.consultation_id if self.timeline and not self._feed.live else "")
        return kept if self.over else ""

    @property
    def unbegun(self) -> str:
        """Why there was nothing to show; empty where there is something."""
        return self._problem if self.over and self.timeline is None else ""

    # Drawing

    def _draw(self) -> None:
        t = self.timeline
        if t is None:
            return
        at_end = self.upto >= len(t)
        problem = self._problem if at_end else ""
        self.query_one("#dialogue", Dialogue).show(self.upto, over=self.over, marked=self._marked, problem=problem)
        self.query_one(Beside).keep_step(t.turn(self.upto), at_end=self.over and at_end)
        self._draw_panels(t)
        self._draw_tape(t)

    def _draw_panels(self, t: Timeline) -> None:
        side = self.query_one("#side")
        if not side.display:
            return
        for name, paint in PANELS.items():
            fold = self.query_one(f"#fold-{name}", Collapsible)
            if not fold.collapsed:
                width = max(20, (fold.size.width or side.size.width) - 3)
                text = hung(paint(t, self.upto, self._seen(), width), width, self.app.console)
                if self._painted.get(name) != text:  # an update costs a layout of the screen
                    self._painted[name] = text
                    self.query_one(f"#panel-{name}", Static).update(text)

    def _seen(self) -> Scene:
        """What may be seen of the case."""
        return self.scene

    def on_resize(self) -> None:
        """Panels are drawn for their width."""
        self.call_after_refresh(self._draw)

    @on(Collapsible.Expanded)
    @on(Side.Seen)
    def _unfolded(self) -> None:
        self.call_after_refresh(self._draw)

    # What is seen

    def action_panels(self) -> None:
        """The panels shown or hidden; on a narrow screen in place of the dialogue."""
        self.toggle_class("-side-changed")

    def action_details(self) -> None:
        """All that goes on in its place in the dialogue, or the talk alone."""
        dialogue = self.query_one("#dialogue", Dialogue)
        dialogue.level(Level.TALK if dialogue.shown_level is Level.FULL else Level.FULL)

    def action_fold(self, name: str) -> None:
        """One panel folded or unfolded."""
        fold = self.query_one(f"#fold-{name}", Collapsible)
        fold.collapsed = not fold.collapsed

    def action_leave(self) -> None:
        """Back to where one came from."""
        self._stop()
        self.dismiss()

    def action_beside(self) -> None:
        """Picks another consultation to be set beside this one; or takes it away."""
        other = self.query_one(Beside)
        if other.shown is None:
            other.choose(self.app.db, self.timeline.header.scenario if self.timeline is not None else "", self.kept_as)
        else:
            other.clear()

    @on(Beside.Changed)
    def _beside(self, event: Beside.Changed) -> None:
        self.set_class(event.there, "-beside")
        if self.timeline is not None:
            self.query_one("#dialogue").border_title = Text(f" {who(self.timeline.header)} ")
        self.call_after_refresh(self._draw)
