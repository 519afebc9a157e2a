"""What the tests of pages share: a small run with its report, and a consultation whose every word is hostile."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from handmade import header, numbered

from consult.actions import Diagnosis
from consult.events import (
    Audited,
    Belief,
    Concluded,
    FiredRule,
    Guarded,
    MoodChange,
    Named,
    Ordered,
    Question,
    RecordUpdate,
    Result,
    Scored,
    Statement,
    Stopped,
    StopReason,
    Told,
    Triaged,
    Utterance,
    Verdict,
)
from consult.html import report as report_page
from consult.report import Report, report
from consult.show.names import Names
from consult.store.db import Store
from consult.store.transcript import Transcript, read
from consult.terms import Department, Urgency

GOLDEN = Path(__file__).resolve().parent.parent / "transcripts" / "golden"
HOSTILE = "</script><script>broken=1</script>'\"><img src=x onerror=broken=1> {{ 7 * 7 }} &amp; end"
RUN = "pages"
PLAYED = ("indigestion-choleric-reference", "shingles-sanguine-checklist")


def a_run(path: Path) -> tuple[Report, list[Transcript]]:
    """The report of a small run and the transcripts for its page: two golden ones under other names, nothing is played."""
    with Store(path) as store:
        store.ensure_run(RUN, {"scenarios": list(PLAYED)})
        for name in PLAYED:
            played = golden(name)
            for inquirer in ("reference", "random"):
                for persona in ("neutral", "choleric"):
                    agents = played.header.agents | {"inquirer": inquirer}
                    fields = {"persona": persona, "agents": agents, "consultation_id": f"{name}-{inquirer}-{persona}"}
                    events = played.events if inquirer == "reference" else wrong(played.events)
                    store.save(Transcript(played.header.model_copy(update=fields), events), RUN)
        made = report(store, RUN)
        ids = [row["consultation_id"] for row in store.each(RUN, scores=())]
        return made, [store.get(i) for i in report_page.wanted(made, ids)]


def wrong(events: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same events, judged as if something else had been right, and the patient had told it too soon."""
    changed = {"diagnosis.top1": 0.0, "diagnosis.log_score": -5.0}
    return tuple(
        e.model_copy(update={"rank": None, "accepted": ("influenza",), "gold": "influenza"})
        if isinstance(e, Verdict)
        else e.model_copy(update={"value": changed[e.name]})
        if isinstance(e, Scored) and e.name in changed
        else e.model_copy(update={"leaks": 1})
        if isinstance(e, Audited)
        else e
        for e in events
    )


def golden(name: str) -> Transcript:
    """A golden transcript."""
    return read(GOLDEN / f"{name}.jsonl")


NAMES = Names(dict.fromkeys(("inner", "heart", HOSTILE), HOSTILE))
"""The names of the hostile consultation's departments and the like: files of the user's may hold anything."""


def hostile() -> Transcript:
    """Every text that may come from outside tries to be markup."""
    place = Department(primary="inner", secondary="heart")
    told = Told(fact=HOSTILE, finding=HOSTILE, state="present", values=(HOSTILE,), rule=HOSTILE)
    line = Statement(
        section="chief_complaint", heading=HOSTILE, finding=HOSTILE, state="present", text=HOSTILE, source=1
    )
    events = [
        MoodChange(cause="start", trust=0.5, irritation=0.1, anxiety=0.2),
        Utterance(text=HOSTILE, told=(told,), flags=(HOSTILE,), cue=HOSTILE, images=(HOSTILE,)),
        RecordUpdate(statements=(line,), chief_complaint=HOSTILE),
        Triaged(round=1, department=place, runner_up=place, urgency=Urgency.URGENT,
                rules=(FiredRule(id=HOSTILE, kind="hard", strength=HOSTILE, favours=HOSTILE),)),
        Belief(top=((HOSTILE, 0.6),), entropy=1.0, turn=1),
        Question(text=HOSTILE, rationale=HOSTILE, turn=1),
        Guarded(breach="leak", attempt=1, action="retried", turn=1),
        MoodChange(cause=HOSTILE, trust=0.9, irritation=0.5, anxiety=0.3, turn=1),
        Utterance(text=HOSTILE, turn=1),
        Ordered(order=HOSTILE, rationale=HOSTILE, turn=1),
        Result(order=HOSTILE, status="recorded", text=HOSTILE, turn=1),
        Concluded(differential=(Diagnosis(condition=HOSTILE, probability=0.5),), plan=(HOSTILE,), department=place,
                  explanation=HOSTILE, safety_net=HOSTILE, rationale=HOSTILE, turn=1),
        Stopped(reason=StopReason.CONCLUDED, detail=HOSTILE, turn=1),
        Verdict(gold=HOSTILE, accepted=(HOSTILE,), differential=(Named(condition=None, name=HOSTILE),), rank=None,
                department=place, urgency=Urgency.URGENT, triaged=place, triaged_urgency=Urgency.ROUTINE, turn=1),
        Scored(name=f"a.{HOSTILE}", value=0.5, unit=HOSTILE, reason=HOSTILE, evidence=(1, 5, 8), turn=1),
        Scored(name=HOSTILE, value=None, reason=HOSTILE, turn=1),
        Audited(leaks=1, unreleased=0, inventions=0, role_breaks=0, early_end=False, evidence=(8,), turn=1),
    ]  # fmt: skip
    agents = dict.fromkeys(("inquirer", "patient"), HOSTILE)
    names = {"speaker": HOSTILE, "patient": HOSTILE}
    return Transcript(header(scenario=HOSTILE, persona=HOSTILE, agents=agents, names=names), numbered(events))


class Read(HTMLParser):
    """A page as a browser would take it apart: tags with their attributes, ids, and the text outside of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.inside: dict[str, str] = {}
        self._tag = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        self._tag = tag

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag in ("script", "style"):
            self.inside[self._tag] = self.inside.get(self._tag, "") + data
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of all tags of a name."""
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def ids(self) -> list[str]:
        """Every id, in order."""
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]
