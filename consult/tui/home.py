"""The first screen: six lists, what is searched and filtered in them, and the way to a consultation.

Owns what the keys do here. The lists are read behind the first paint, in a thread; must not import sim.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input, Static, Tab, Tabs
from textual.worker import get_current_worker

from consult.errors import ConsultError
from consult.tui.help import Keys
from consult.tui.listing import Listing
from consult.tui.sources import LEFT, SOURCES, Row, Rows, Source

if TYPE_CHECKING:
    from consult.tui.app import ConsultApp
    from consult.tui.feed import Choice

WELCOME = """\
Welcome to consult.

Here a doctor talks with a simulated patient, and you watch: what was asked, what the patient told and what was held \
back, what triage made of it, and how good the doctor was.

Enter  starts the first consultation now
n      lets you choose the case, the patient's temperament and the doctor
p      makes you the doctor
?      shows the keys of every screen

It needs no key and no network. For simulation and teaching, never for care."""
_STARTS = {"scenarios": "scenario", "personas": "persona", "hospitals": "hospital", "agents": "inquirer"}


class Home(Screen[None]):
    """Everything there is: consultations that were kept, runs, scenarios, personas, hospitals, agents."""

    HELP = """\
Six lists. Enter opens what is marked: a consultation to be seen again, a run to see its
consultations, and with a scenario, persona, hospital or agent a new consultation begins.
/ searches for words, f shows only those in which the patient broke the law, w only those with a
wrong diagnosis, s sorts by the next column, Esc shows all again."""
    AUTO_FOCUS = ""  # the list takes the keys when it has been read
    app: ConsultApp
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New"),
        Binding("p", "play", "Play"),
        Binding("b", "batch", "Batch"),
        Binding("slash", "search", "Search", key_display="/"),
        Binding("s", "sort(1)", "Sort", show=False),
        Binding("S", "sort(-1)", "Sort by the column before", show=False),
        Binding("o", "turn_round", "Turn the order round", show=False),
        Binding("f", "only('flagged')", "Flagged"),
        Binding("w", "only('wrong')", "Wrong"),
        Binding("question_mark,f1", "app.help", "Help", key_display="?"),
        Binding("r", "read_again", "Read again", show=False),
        Binding("escape", "clear", "Clear the filters", show=False),
        Binding("enter", "welcome", "Start", show=False),
        *(Binding(str(n), f"open({source.name!r})", source.title, show=False) for n, source in enumerate(SOURCES, 1)),
        Binding("q", "app.quit", "Quit"),
    ]
    flagged = reactive(False)
    wrong = reactive(False)

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[str, Rows] = {}
        self._run = ""
        self._sort: tuple[int, bool] | None = None
        self.source: Source = SOURCES[0]

    def compose(self) -> ComposeResult:
        """The lists' names, the search, the list, and a line about what is marked."""
        yield Tabs(*(Tab(f"{n} {s.title}", id=s.name) for n, s in enumerate(SOURCES, 1)))
        with Horizontal(id="narrowing"):
            yield Input(placeholder="/ to search", id="search", compact=True)
            yield Static(id="filters")
        welcome = Text(WELCOME)
        welcome.highlight_regex(r"(?m)^(Welcome.*|Enter|n|p|\?)(?= |$)", "bold")
        yield Static(welcome, id="welcome")
        yield Listing(id="list")
        yield Static(id="detail", markup=False)
        yield Keys()

    def on_mount(self) -> None:
        """The list is read when the screen has been drawn."""
        self.query_one("#welcome").display = False
        self.query_one(Listing).focus()
        self.call_after_refresh(self._show)

    def on_screen_resume(self) -> None:
        """Something may have been kept meanwhile."""
        if self._read:
            self.action_read_again()

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        source = next(s for s in SOURCES if s.name == event.tab.id)
        if source is not self.source:
            self.source = source
            self._sort, self._run = None, ""
            self._show()

    def action_open(self, name: str) -> None:
        """One of the lists."""
        self.query_one(Tabs).active = name
        self.query_one(Listing).focus()

    def _show(self) -> None:
        """The list of the present source, read first if it has not been."""
        if (read := self._read.get(self.source.name)) is not None:
            self._fill(read)
        else:
            self.query_one(Listing).fill(self.source.columns, [], empty="… reading")
            self._fetch(self.source)

    @work(thread=True, group="read")
    def _fetch(self, source: Source) -> None:
        worker = get_current_worker()
        try:
            read = source.read(self.app.db)
        except ConsultError as e:
            read = Rows([], [str(e)])
        if not worker.is_cancelled:
            self.app.call_from_thread(self._fetched, source, read)

    def _fetched(self, source: Source, read: Rows) -> None:
        self._read[source.name] = read
        for problem in read.problems[:3] if read.rows else ():
            self.app.tell(problem)
        if source is self.source:
            self._fill(read)
        self.app.warm()

    def _fill(self, read: Rows) -> None:
        listing = self.query_one(Listing)
        marked = listing.row if listing.cursor else None  # on top, whatever is new is marked
        empty = f"✗ {read.problems[0]}" if read.problems else self.source.empty
        listing.fill(self.source.columns, read.rows, empty=empty)
        first_time = self.source.name == "consultations" and not read.rows and not read.problems
        self.query_one("#welcome").display = first_time
        listing.display = not first_time
        if first_time:
            self.set_focus(None)
        elif self.focused is None:
            listing.focus()
        self._narrow()
        if marked is not None:
            listing.mark(marked.key)

    def action_read_again(self) -> None:
        """Reads the store and the files again."""
        self._read.clear()
        self._fetch(self.source)

    # Narrowing

    def action_search(self) -> None:
        """The search takes the keys until Enter or Esc."""
        self.query_one("#search", Input).focus()

    @on(Input.Changed, "#search")
    def _typed(self) -> None:
        self._narrow()

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        self.query_one(Listing).focus()

    def action_clear(self) -> None:
        """No search, no filter."""
        self.query_one("#search", Input).value = ""
        self.flagged = self.wrong = False
        self._run, self._sort = "", None
        self._show()
        self.query_one(Listing).focus()

    def action_only(self, name: str) -> None:
        """One of the filters on or off; they are about consultations."""
        if self.source.name != "consultations":
            self.action_open("consultations")
        setattr(self, name, not getattr(self, name))
        self._narrow()

    def action_sort(self, by: int) -> None:
        """The next column, or the one before; behind the last one, as it was read."""
        count = len(self.source.columns)
        at = -1 if self._sort is None else self._sort[0]
        at = (at + 1 + by) % (count + 1) - 1
        self._sort = None if at < 0 else (at, False)
        self._show()

    def action_turn_round(self) -> None:
        """The other way up."""
        column, down = self._sort or (0, True)
        self._sort = (column, not down)
        self._narrow()

    @on(Listing.Headed)
    def _headed(self, event: Listing.Headed) -> None:
        down = self._sort is not None and self._sort == (event.column, False)
        self._sort = (event.column, down)
        self._narrow()

    def _narrow(self) -> None:
        tests: list[Callable[[Row], bool]] = []
        said: list[str] = []
        if self.source.name == "consultations":
            if self.flagged:
                tests.append(lambda row: row.flagged)
                said.append("flagged only")
            if self.wrong:
                tests.append(lambda row: row.wrong)
                said.append("wrong only")
            if self._run:
                column = [c.title for c in self.source.columns].index("run")
                tests.append(lambda row: row.cells[column] == self._run)
                said.append(f"run {self._run}")
        listing = self.query_one(Listing)
        listing.narrow(self.query_one("#search", Input).value, tests)
        if self._sort is not None:
            listing.sort_by(self._sort[0], down=self._sort[1])
            said.append(f"by {self.source.columns[self._sort[0]].title} {'↓' if self._sort[1] else '↑'}")
        read = self._read.get(self.source.name)
        total = len(read.rows) if read else 0
        count = f"{len(listing.rows)} of {total}" if len(listing.rows) != total else f"{total}"
        self.query_one("#filters", Static).update(Text(" · ".join([count, *said])))

    @on(Listing.Moved)
    def _moved(self, event: Listing.Moved) -> None:
        self.query_one("#detail", Static).update(Text(event.row.detail if event.row else "", overflow="ellipsis"))

    # Opening

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        name = self.source.name
        if name == "consultations":
            if event.row.key.startswith(LEFT):
                self._start(json.loads(event.row.key.removeprefix(LEFT)))
            else:
                self._replay(event.row.key)
        elif name == "runs":
            self._run = event.row.key
            self.source = SOURCES[0]
            run = self._run
            self.action_open("consultations")
            self._run = run
            self._show()
        else:
            self._choose({_STARTS[name]: event.row.key})

    def _replay(self, key: str) -> None:
        from consult.tui.opening import kept

        self.app.push_screen(kept(self.app.db, key))

    def action_new(self) -> None:
        """Choose who meets whom, and start."""
        row = self.query_one(Listing).row
        name = self.source.name
        self._choose({_STARTS[name]: row.key} if row is not None and name in _STARTS else {})

    def action_play(self) -> None:
        """Choose whom to meet, and be the doctor."""
        row = self.query_one(Listing).row
        name = self.source.name
        given = {_STARTS[name]: row.key} if row is not None and name in _STARTS else {}
        self._choose({**given, "inquirer": "human"} if name != "agents" else {"inquirer": "human"})

    def action_batch(self) -> None:
        """The marked run, cell by cell; from any other list, a new batch."""
        from consult.tui.batch_form import BatchForm
        from consult.tui.batches import BatchScreen

        row = self.query_one(Listing).row if self.source.name == "runs" else None
        self.app.push_screen(BatchScreen(row.key) if row is not None else BatchForm())

    def action_welcome(self) -> None:
        """The first consultation, at once."""
        if self.query_one("#welcome").display:
            self._start({})

    def _choose(self, given: dict[str, str]) -> None:
        from consult.tui.opening import chosen

        chosen(self.app, given)

    def _start(self, choice: Choice | None) -> None:
        if choice is not None:
            from consult.tui.opening import started

            self.app.push_screen(started(self.app, choice))
