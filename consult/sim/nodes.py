"""The nodes: each calls one agent and returns what changed, events among it. No side effects, nothing durable.

A failure of the inquirer is the inquirer's (`model_error`); a failure of anything that simulates is not
(`infrastructure_error`), so that no doctor is scored for a broken patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, cast

from langgraph.runtime import Runtime

from consult.actions import Ask, Conclude, Order, Refer, as_action
from consult.agents.base import (
    Act,
    Closes,
    Ending,
    InquirerView,
    Line,
    PatientReply,
    PatientView,
    RecipientView,
    Record,
    TriageView,
)
from consult.agents.examiner import examine
from consult.agents.recipient import found_by, merged
from consult.agents.rules import guidance
from consult.clean import clean, one_line
from consult.errors import AgentError, ConsultError
from consult.events import (
    EVENT,
    Actor,
    Belief,
    Concluded,
    Event,
    Guarded,
    MoodChange,
    Ordered,
    Question,
    Referred,
    Result,
    Shown,
    Stopped,
    StopReason,
    Suggested,
    Triaged,
    Utterance,
)
from consult.knowledge.per_object import per_object
from consult.language.mentions import Reading
from consult.llm.errors import BudgetSpent, UnusableReply
from consult.persona import Mood
from consult.score import Case, assess
from consult.score.understanding import audited
from consult.seeds import seed_of
from consult.settings import MAX_TEXT
from consult.sim.routing import ASK, END, ORDER
from consult.sim.state import Context, State
from consult.terms import Urgency

Update = dict[str, Any]
Node = Callable[[State, Runtime[Context]], Update]
_AROUND: Final = (ConsultError, OSError, MemoryError)
"""What fails around an inquirer: a server, a ledger, a prompt of the user's; OSError holds time-outs and lost connections."""


def numbered(events: Iterable[Event], state: State, *, by: object = None) -> list[Event]:
    """Events with their `seq` and `turn`; those of a plug-in (`by`) are made safe and checked again."""
    first, turn = len(state["events"]), state["turn"]
    out = [e.model_copy(update={"seq": first + i, "turn": max(turn, e.turn)}) for i, e in enumerate(events)]
    if by is None or type(by).__module__.startswith("consult."):
        return out
    return [EVENT.validate_python(_safe(e.model_dump(mode="json"))) for e in out]


def _safe(value: Any) -> Any:
    """Plain data with every text cleaned and cut."""
    if isinstance(value, str):
        return clean(value, limit=MAX_TEXT)
    if isinstance(value, dict):
        return {k: _safe(v) for k, v in value.items()}
    return [_safe(v) for v in value] if isinstance(value, list) else value


def _failed(state: State, who: str, error: BaseException, *, events: Iterable[Event] = ()) -> Update:
    reason = _reason(who, error)
    detail = one_line(f"{who}: {type(error).__name__}: {error}", limit=300)
    return {"events": numbered([*events, Stopped(reason=reason, detail=detail)], state), "stop": reason.value}


def _reason(who: str, error: BaseException) -> StopReason:
    """The stop reason of a failure. A budget that is used up ends a consultation, whoever met it; it is no failure."""
    if isinstance(error, BudgetSpent):
        return error.stop
    if who != "inquirer" or (isinstance(error, _AROUND) and not isinstance(error, AgentError)):
        return StopReason.INFRASTRUCTURE_ERROR
    return error.stop if isinstance(error, UnusableReply) else StopReason.MODEL_ERROR


def opening(state: State, runtime: Runtime[Context]) -> Update:
    """The patient's mood at the start, and the first words."""
    c = runtime.context
    return _patient_speaks(state, c, c.patient.open, [MoodChange(cause="start", **state["mood"])])


def patient(state: State, runtime: Runtime[Context]) -> Update:
    """The patient's answer."""
    c = runtime.context
    return _patient_speaks(state, c, c.patient.reply, [])


def _patient_speaks(
    state: State, c: Context, speak: Callable[[PatientView], PatientReply], before: list[Event]
) -> Update:
    try:
        return _spoken(state, speak(_patient_view(state, c)), c, before)
    except (Exception, SystemExit) as e:
        return _failed(state, "patient", e, events=before)


def _patient_view(state: State, c: Context) -> PatientView:
    return PatientView(
        world=c.world,
        scenario=c.scenario,
        persona=c.persona,
        mood=Mood(**state["mood"]),
        memory=_copy(state["memory"]),
        told=tuple(state["told"]),
        question=state["question"],
        turn=state["turn"],
        seed=c.patient_seed,
    )


def _spoken(state: State, reply: PatientReply, c: Context, before: list[Event]) -> Update:
    """The update for a reply. Raises AgentError (or what else comes of a malformed one) if it is none."""
    events = [*before, *reply.events]
    said = [e for e in events if isinstance(e, Utterance)]
    if len(said) != 1:
        raise AgentError("said nothing" if not said else "spoke more than once")
    strange = next((e for e in events if not isinstance(e, (Utterance, MoodChange, Guarded))), None)
    if strange is not None:
        raise AgentError(f"returned a {type(strange).__name__}, which is no event of a patient")
    unknown = next((t.finding for e in said for t in e.told if t.finding not in c.world.knowledge.finding), None)
    if unknown is not None:
        raise AgentError(f"told of {one_line(unknown, limit=100)!r}, which is no finding here")
    if reply.leaves:
        events.append(Stopped(reason=StopReason.PATIENT_LEFT))
    kept = numbered(events, state, by=c.patient)
    utterance = next(e for e in kept if isinstance(e, Utterance))
    return {
        "events": kept,
        "mood": reply.mood.model_dump(),
        "memory": dict(reply.memory),
        "told": list(utterance.told),
        "cue": utterance.cue,
        "stop": StopReason.PATIENT_LEFT.value if reply.leaves else None,
    }


def recipient(state: State, runtime: Runtime[Context]) -> Update:
    """What was said or found goes on record."""
    try:
        return _received(state, runtime.context)
    except Exception as e:
        return _failed(state, "recipient", e)


def _received(state: State, c: Context) -> Update:
    source = next(e for e in reversed(state["events"]) if isinstance(e, (Utterance, Result)))
    if isinstance(source, Result):
        readings: Sequence[Reading] = found_by(source)
    else:
        view = RecipientView(c.world, c.scenario.patient, _sealed(state["record"]), source, state["question"])
        readings = c.recipient.read(view)
    after, update = merged(state["record"], source, readings, c.world.knowledge)
    return {"events": numbered([update], state), "record": after} if update is not None else {"events": []}


def _seal(record: Record) -> Record:
    return Record(MappingProxyType(dict(record.statements)), record.complaint)


_sealed = per_object(_seal)
"""The record as agents see it, who cannot write into it; made once for all that read the same one."""


def triage(state: State, runtime: Runtime[Context]) -> Update:
    """Department, runner-up and urgency of this round."""
    if state["stop"] is not None:  # the recipient failed: pass on to the assessor
        return {"events": []}
    c = runtime.context
    last = state["triage"]
    view = TriageView(
        world=c.world,
        patient=c.scenario.patient,
        record=_sealed(state["record"]),
        round=last.round + 1 if last is not None else 1,
        last=last.model_dump(mode="json") if last is not None else None,
    )
    try:
        r = c.triage.triage(view)
        for d in (r.department, r.runner_up):
            if c.world.hospital.parent_of.get(d.secondary) != d.primary:
                raise AgentError(
                    f"{one_line(f'{d.primary}/{d.secondary}', limit=200)} is no department of this hospital"
                )
        event = Triaged(
            round=view.round,
            department=r.department,
            runner_up=r.runner_up,
            urgency=r.urgency,
            rules=r.rules,
            guidance=r.guidance,
            compared=r.compared,
            in_question=r.in_question,
            rationale=r.rationale,
        )
        kept = numbered([event], state, by=c.triage)
    except (Exception, SystemExit) as e:
        return _failed(state, "triage", e)
    return {"events": kept, "triage": kept[0]}


def inquirer(state: State, runtime: Runtime[Context]) -> Update:
    """The inquirer's action."""
    if state["stop"] is not None:  # recipient or triage failed: pass on to the assessor
        return {"events": []}
    c = runtime.context
    view, events = inquirer_view(state, c), _given(state, c)
    try:
        given = c.inquirer.act(view)
        act = given if isinstance(given, Act) else Act(given)
        action = as_action(act.action)
        events += [Belief(top=act.belief, entropy=act.entropy)] if act.belief else []
    except (Exception, SystemExit) as e:
        return _failed(state, "inquirer", e, events=events)
    return _done(action, events, view, state, c)


def _given(state: State, c: Context) -> list[Event]:
    """What the inquirer is given beside what is said and is not written yet; a fork has it from its past, if it is the same."""
    written = [e for e in state["events"] if isinstance(e, (Shown, Suggested))] if c.given else []
    there = [e.model_copy(update={"seq": 0, "turn": 0}) for e in written]
    return [e for e in c.given if e not in there]


def _done(action: Any, events: list[Event], view: InquirerView, state: State, c: Context) -> Update:
    """The update for a valid action, within the limits."""
    if isinstance(action, Ask):
        if view.questions_left <= 0:
            return _stop(events, state, StopReason.TURN_LIMIT)
        events.append(Question(text=action.text, rationale=action.rationale))
        query = c.world.read(action.text, state["told"])
        turned = cast("State", {**state, "turn": state["turn"] + 1})
        return {
            "events": numbered(events, turned),
            "turn": state["turn"] + 1,
            "question": action.text,
            "asked": list(query.findings),
            "next": ASK,
        }
    if isinstance(action, Order):
        if view.orders_left <= 0:
            return _stop(events, state, StopReason.ORDER_LIMIT)
        events.append(Ordered(order=action.order, rationale=action.rationale))
        return {"events": numbered(events, state), "next": ORDER}
    fields = action.model_dump(exclude={"kind"})
    if isinstance(action, Conclude):
        return _stop([*events, Concluded(**fields)], state, StopReason.CONCLUDED)
    assert isinstance(action, Refer)
    return _stop([*events, Referred(**fields)], state, StopReason.REFERRED)


def _stop(events: list[Event], state: State, reason: StopReason) -> Update:
    return {"events": numbered(events, state), "next": END, "stop": reason.value}


def closing(state: State, runtime: Runtime[Context]) -> Update:
    """The patient's last word, if it has one, and the end of the dialogue."""
    c, reason = runtime.context, StopReason(state["stop"] or "")
    end = Stopped(reason=reason)
    if not isinstance(c.patient, Closes):
        return {"events": numbered([end], state)}
    patient, ending = c.patient, _ending(reason, state["events"][-1:])
    update = _patient_speaks(state, c, lambda view: patient.close(view, ending), [])
    if update.get("stop") == StopReason.INFRASTRUCTURE_ERROR.value:
        return update
    if update.get("stop") in (StopReason.BUDGET, StopReason.TIME_LIMIT):  # none is left for the last word
        return {"events": numbered([end], state)}
    ended = {**state, "events": [*state["events"], *update["events"]]}
    return update | {"events": [*update["events"], *numbered([end], cast("State", ended))], "stop": reason.value}


def _ending(reason: StopReason, last: Sequence[Event]) -> Ending:
    """What a patient hears of the inquirer's last event."""
    for e in last:
        if isinstance(e, (Concluded, Referred)):
            said = " ".join(text for text in (e.explanation, e.safety_net) if text)
            return Ending(reason, said, grave=e.urgency is Urgency.EMERGENCY)
    return Ending(reason)


def _copy(value: Any) -> Any:
    """Plain data that an agent may do with as it likes, without changing ours."""
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    return [_copy(v) for v in value] if isinstance(value, list) else value


_SPEAKER: Final[Mapping[type[Event], str]] = {Utterance: Actor.PATIENT.value, Question: Actor.INQUIRER.value}
"""Who speaks in an event; by its class, which `isinstance` of a pydantic model takes ten times as long to tell."""


def _hearing(state: State) -> Callable[[], tuple[Line, ...]]:
    """Gives the dialogue when it is wanted, and holds nothing but what was said."""
    said = [Line(who, e.text) for e in state["events"] if (who := _SPEAKER.get(type(e)))]  # type: ignore[union-attr]  # those who speak have a text
    return lambda: tuple(said)


def inquirer_view(state: State, c: Context) -> InquirerView:
    """What the inquirer sees now."""
    record = _sealed(state["record"])
    triaged = state["triage"].model_dump(mode="json") if state["triage"] is not None else None
    results = (e.model_dump(mode="json") for e in state["events"] if type(e) is Result)
    return InquirerView(
        world=c.world,
        patient=c.scenario.patient,
        hear=_hearing(state),
        record=record,
        triage=triaged,
        guidance=guidance(c.world, c.scenario.patient, record, triaged) if triaged is not None else None,
        asked=frozenset(state["asked"]),
        ordered=frozenset(state["ordered"]),
        results=list(results) if state["ordered"] else [],
        images=tuple(i.caption for i in c.scenario.images),
        turn=state["turn"],
        questions_left=c.limits.max_turns - state["turn"],
        orders_left=c.limits.max_orders - len(state["ordered"]),
        cue=state["cue"],
        seed=seed_of(c.inquirer_seed, state["turn"], len(state["ordered"])),
        facts=c.facts,
    )


def examiner(state: State, runtime: Runtime[Context]) -> Update:
    """The result of an order."""
    c = runtime.context
    try:
        order = next(e.order for e in reversed(state["events"]) if isinstance(e, Ordered))
        result = examine(order, c.scenario, c.world.knowledge, state["ordered"], c.patient_seed, c.results)
    except Exception as e:
        return _failed(state, "examiner", e)
    return {"events": numbered([result], state), "ordered": [result.order], "told": list(result.told)}


def assessor(state: State, runtime: Runtime[Context]) -> Update:
    """Verdict, scores and the audit of the patient."""
    c = runtime.context
    events = tuple(state["events"])
    case = Case(c.scenario, c.world.knowledge, c.world.hospital, events)
    judgements: list[Event] = []
    if c.bench is not None:  # first, so that what they take is counted
        case = c.bench.read(case)
        judgements = c.bench.marks(case)
    used = c.talk.used() if c.talk is not None else []
    marks: list[Event] = [*used, *assess(case), *judgements]
    marks += audited((*events, *used), c.scenario, c.world.knowledge, c.persona, c.world.resolver, c.earlier)
    return {"events": numbered(marks, state)}
