"""The inquirers: what the reference owes its patients, and that each control is what it is said to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.actions import Ask, Conclude, Order
from consult.agents.base import Act, Guidance, InquirerView, Record, World
from consult.agents.inquirers.choice import DANGER_AT, posterior
from consult.agents.inquirers.controls import OracleInquirer, RandomInquirer, facts_known
from consult.agents.inquirers.reference import ReferenceInquirer
from consult.agents.registry import INQUIRERS, make
from consult.events import Concluded, Event, Ordered, Question, Statement, Stopped, StopReason, Utterance
from consult.hospital import Hospital, load_hospital
from consult.knowledge.belief import belief
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.language.manner import manner
from consult.language.resolver import resolve
from consult.persona import Cause
from consult.scenario import Patient, Scenario, Speaker, State
from consult.settings import Limits
from consult.sim.session import Setup, play
from consult.terms import Sex, Urgency

Make = Callable[..., InquirerView]


def _record(*facts: str) -> Record:
    statements = {}
    for fact in facts:
        name = fact.removeprefix("no ")
        state = "absent" if fact.startswith("no ") else "present"
        statements[name] = Statement(section="present_illness", heading="x", finding=name, state=state, source=0)
    return Record(statements, facts[0] if facts else None)


@pytest.fixture
def view_of(general: Knowledge, hospital: Hospital) -> Make:
    def make_view(*facts: str, age: float = 40, sex: Sex = Sex.MALE, **changes: Any) -> InquirerView:
        view = InquirerView(
            world=World(general, hospital), patient=Patient(age=age, sex=sex), hear=tuple, record=_record(*facts),
            triage=None, guidance=None, asked=frozenset(), ordered=frozenset(), results=[], images=(), turn=1,
            questions_left=13, orders_left=0, cue="", seed=3,
        )  # fmt: skip
        return replace(view, **changes)

    return make_view


def _asked(act: Act, k: Knowledge) -> str:
    assert isinstance(act.action, Ask)
    (found,) = resolve(act.action.text, k).findings
    return found


def _some(scenarios: dict[str, Scenario]) -> list[str]:
    """Every third; benchmarks/matrix.py and benchmarks/known_groups.py play them all."""
    return list(scenarios)[::3]


def _played(setup: Setup) -> tuple[Event, ...]:
    return play(setup).events


@pytest.fixture(scope="module")
def neutral(setup_of: Callable[..., Setup]) -> Callable[[str, str], tuple[Event, ...]]:
    """`neutral(scenario, inquirer)`: what the neutral patient and that inquirer say within the usual limits, played once."""
    return cache(lambda scenario, spec: _played(setup_of(scenario, agents={"inquirer": spec})))


@pytest.mark.parametrize("spec", sorted(INQUIRERS))
def test_every_inquirer_concludes_within_its_limits(
    spec: str, setup_of: Callable[..., Setup], general: Knowledge, scenarios: dict[str, Scenario]
) -> None:
    mine = list(scenarios)[sorted(INQUIRERS).index(spec) % 3 :: 3]  # between them, all
    for name, limits in zip(mine, cycle((Limits(0, 0), Limits(3, 1), Limits()))):
        events = _played(setup_of(name, agents={"inquirer": spec}, limits=limits))
        questions = [e for e in events if isinstance(e, Question)]
        assert len(questions) <= limits.max_turns
        assert sum(isinstance(e, Ordered) for e in events) <= limits.max_orders
        assert [e.reason for e in events if isinstance(e, Stopped)] == [StopReason.CONCLUDED]
        (end,) = [e for e in events if isinstance(e, Concluded)]
        assert end.differential[0].condition in general.condition
        shares = [d.probability for d in end.differential]
        assert shares == sorted(shares, reverse=True)  # type: ignore[type-var]


@pytest.mark.parametrize(("n", "spec"), list(enumerate(("reference", "curt", "checklist", "random"))))
def test_nothing_is_asked_twice_or_of_whom_it_cannot_concern(
    n: int, spec: str, setup_of: Callable[..., Setup], general: Knowledge, scenarios: dict[str, Scenario]
) -> None:
    for name in _some(scenarios)[n::4]:  # other patients for each of them
        events = _played(setup_of(name, "sanguine", agents={"inquirer": spec}, limits=Limits(25, 5)))
        asked = [f for e in events if isinstance(e, Utterance) and e.query for f in e.query.findings]
        assert len(asked) == len(set(asked))
        assert [e for e in events if isinstance(e, Question)]
        for f_id in asked:
            f = general.finding[f_id]
            assert f.min_age <= scenarios[name].patient.age <= f.max_age
            assert f.sex in (None, scenarios[name].patient.sex)


@settings(max_examples=40)
@given(st.data())
def test_the_reference_never_asks_what_is_on_record_or_ruled_out(data: st.DataObject) -> None:
    general, hospital = load_knowledge(), load_hospital()
    names = [f.id for f in general.findings if f.source == "history" and not f.values and f.kind != "text"]
    facts = data.draw(st.lists(st.sampled_from(names), max_size=12, unique=True))
    signs = data.draw(st.lists(st.booleans(), min_size=12, max_size=12))
    signed = tuple(f if s else f"no {f}" for f, s in zip(facts, signs, strict=False))
    view = InquirerView(
        world=World(general, hospital), patient=Patient(age=33, sex=Sex.FEMALE), hear=tuple, record=_record(*signed),
        triage=None, guidance=None, asked=frozenset(facts[:2]), ordered=frozenset(), results=[], images=(), turn=3,
        questions_left=5, orders_left=0, cue="", seed=3,
    )  # fmt: skip
    for kind in (True, False):
        act = ReferenceInquirer(kind_words=kind).act(view)
        if isinstance(act.action, Ask):
            name = _asked(act, general)
            assert name not in facts
            assert f"no {general.finding[name].parent}" not in signed


def test_red_flags_come_first_while_an_emergency_is_possible(view_of: Make, general: Knowledge) -> None:
    """A man of sixty with chest pain: the first questions are the signs of those emergencies."""
    facts, flags = ["chest_pain"], 0
    for _ in range(4):
        view = view_of(*facts, age=60)
        p = posterior(view, belief(general))
        possible = [
            c for c, x in zip(general.conditions, p, strict=True) if c.urgency is Urgency.EMERGENCY and x >= DANGER_AT
        ]
        assert possible
        name = _asked(ReferenceInquirer(kind_words=False).act(view), general)
        flags += name in {flag.partition("=")[0] for c in possible for flag in c.red_flags}
        facts.append(f"no {name}")
    assert flags >= 2


def test_what_a_hard_rule_wants_asked_comes_before_all_else(view_of: Make, general: Knowledge) -> None:
    for wanted in ("risk.vaccinated", "dry_skin"):
        guide = Guidance("paediatrics", ask_first=(wanted,))
        view = view_of("rash", guidance=guide)
        assert _asked(ReferenceInquirer().act(view), general) == wanted
        assert _asked(ReferenceInquirer().act(replace(view, guidance=None)), general) != wanted


def test_signs_of_danger_come_before_what_must_be_known(view_of: Make, general: Knowledge) -> None:
    """Someone with a racing heart, fear and little doubt what it is, is asked about the chest before the sleep."""
    known = ["palpitations", "panic_attacks", "worry", "fear_of_dying", "tingling"]
    guide = Guidance(
        "psychiatry", must_ask=("poor_sleep", "on_edge"), danger_signs=("fainting", "calf_swelling", "rash")
    )
    asked = []
    for _ in range(5):
        asked.append(_asked(ReferenceInquirer(kind_words=False).act(view_of(*known, guidance=guide)), general))
        known.append(f"no {asked[-1]}")
    assert {"fainting", "calf_swelling"} < {name for name in asked[:3] if general.finding[name].red_flag}
    assert set(asked[3:]) == {"poor_sleep", "on_edge"}, "the rash is no red flag"


def test_guidance_is_asked_even_when_the_belief_is_sure(view_of: Make, general: Knowledge) -> None:
    known = [
        "sore_throat",
        "fever",
        "painful_swallowing",
        "tonsil_exudate",
        "swollen_glands",
        "no cough",
        "no drooling",
    ]
    b = belief(general)
    assert posterior(view_of(*known), b).max() > 0.8
    guide = Guidance("internal_medicine", must_ask=("medication",))
    for _ in range(14):  # within a consultation, whatever the red flags
        act = ReferenceInquirer(kind_words=False).act(view_of(*known, guidance=guide))
        assert isinstance(act.action, Ask), "the medicines were never asked for"
        name = _asked(act, general)
        if name == "medication":
            return
        known.append(f"no {name}")
    pytest.fail("the medicines were never asked for")


def test_no_questions_left_means_a_conclusion(view_of: Make) -> None:
    for kind in (True, False):
        assert isinstance(
            ReferenceInquirer(kind_words=kind).act(view_of("rash", questions_left=0, turn=0)).action, Conclude
        )


def test_orders_are_placed_only_while_there_are_any_left(view_of: Make, general: Knowledge) -> None:
    view = view_of("chest_pain", age=60, questions_left=0, orders_left=2, turn=14)
    first = ReferenceInquirer().act(view).action
    assert isinstance(first, Order)
    assert first.order in general.order
    second = ReferenceInquirer().act(replace(view, ordered=frozenset({first.order}), orders_left=1)).action
    assert not isinstance(second, Order) or second.order != first.order
    assert isinstance(ReferenceInquirer().act(replace(view, orders_left=0)).action, Conclude)


def test_the_curt_one_explains_nothing_and_the_reference_does(
    setup_of: Callable[..., Setup], general: Knowledge
) -> None:
    ends = {}
    for spec in ("curt", "reference"):
        (ends[spec],) = [e for e in _played(setup_of(agents={"inquirer": spec})) if isinstance(e, Concluded)]
    assert ends["curt"].safety_net == ""
    assert ends["curt"].explanation == general.condition[ends["curt"].differential[0].condition].name
    assert ends["reference"].safety_net
    assert "think" in ends["reference"].explanation


def test_a_cue_is_answered(view_of: Make, general: Knowledge) -> None:
    view = view_of("chest_pain", cue="worry")
    action = ReferenceInquirer().act(view).action
    assert isinstance(action, Ask)
    assert Cause.EMPATHY in manner(action.text, resolve(action.text, general), general)
    plain = ReferenceInquirer(kind_words=False).act(view).action
    assert isinstance(plain, Ask)
    assert manner(plain.text, resolve(plain.text, general), general) == ()


def test_a_parent_is_asked_about_the_child(view_of: Make) -> None:
    view = view_of("cough", patient=Patient(age=2, sex=Sex.FEMALE, speaker=Speaker.PARENT))
    action = ReferenceInquirer(kind_words=False).act(view).action
    assert isinstance(action, Ask)
    assert " you" not in action.text


def test_only_the_built_in_oracle_is_shown_the_facts(
    setup_of: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, bool] = {}
    for spec in INQUIRERS:
        cls = type(make("inquirer", spec))
        act = cls.act

        def spy(self: Any, view: InquirerView, act: Any = act, spec: str = spec) -> Any:
            seen[spec] = view.facts is not None
            return act(self, view)

        with monkeypatch.context() as m:
            m.setattr(cls, "act", spy)
            play(setup_of(agents={"inquirer": spec}, limits=Limits(1, 0)))
    assert seen == {s: s == "oracle" for s in INQUIRERS}


def test_the_oracle_reads_facts_and_not_the_answer(
    view_of: Make, general: Knowledge, scenarios: dict[str, Scenario]
) -> None:
    s = scenarios["indigestion_at_the_wheel"]
    with pytest.raises(ValueError, match="not shown"):
        OracleInquirer().act(view_of("heartburn", age=58))
    known = facts_known(s, general)
    other = s.model_copy(update={"gold": s.gold.model_copy(update={"condition": "acne", "alternatives": ()})})
    assert facts_known(other, general) == known
    assert set(known) == {f.finding for f in s.facts if f.state is not State.UNKNOWN}
    closed = facts_known(s.model_copy(update={"closed_world": True}), general)
    assert closed["ear_pain"].state == "absent"
    assert len(closed) > len(known)
    act = OracleInquirer().act(view_of("heartburn", age=58, facts=known))
    assert isinstance(act.action, Conclude)
    assert act.action.differential[0].condition == s.gold.condition


def test_a_random_inquirer_differs_by_seed_and_repeats_with_it(view_of: Make) -> None:
    texts = [RandomInquirer().act(view_of("rash", seed=s)).action for s in range(12)]
    assert texts[0] == RandomInquirer().act(view_of("rash", seed=0)).action
    assert len({repr(t) for t in texts}) > 6


def test_opening_only_asks_and_orders_nothing(
    neutral: Callable[[str, str], tuple[Event, ...]], scenarios: dict[str, Scenario]
) -> None:
    for name in _some(scenarios):
        assert not [e for e in neutral(name, "opening-only") if isinstance(e, (Question, Ordered))]


def test_a_checklist_is_the_same_for_everyone(setup_of: Callable[..., Setup]) -> None:
    def asked(name: str) -> list[str]:
        return [e.text for e in _played(setup_of(name, agents={"inquirer": "checklist"})) if isinstance(e, Question)]

    a, b = asked("scaly_elbows"), asked("worst_monday")
    both = [q for q in a if q in b]
    assert len(both) > 5
    assert both == [q for q in b if q in a]


def test_doctors_who_see_more_do_better(
    neutral: Callable[[str, str], tuple[Event, ...]], scenarios: dict[str, Scenario]
) -> None:
    """Known groups: the oracle is right oftenest, opening-only seldomest, the reference between."""

    def right(spec: str) -> int:
        count = 0
        for name in _some(scenarios):
            s = scenarios[name]
            (end,) = [e for e in neutral(name, spec) if isinstance(e, Concluded)]
            count += end.differential[0].condition in (s.gold.condition, *s.gold.alternatives)
        return count

    oracle, reference, opening = right("oracle"), right("reference"), right("opening-only")
    assert oracle >= reference > opening


def _findings_asked(events: tuple[Event, ...]) -> list[str]:
    return [f for e in events if isinstance(e, Utterance) and e.query for f in e.query.findings]


def test_thoughts_of_suicide_are_followed_up_at_once(setup_of: Callable[..., Setup]) -> None:
    """Whoever tells of them is asked for a plan, the means and an earlier attempt before anything but their worry."""
    asked = _findings_asked(_played(setup_of("milking_at_four")))
    first = asked.index("suicidal_thoughts")
    details = {f"suicidal_thoughts.{x}" for x in ("plan", "means", "tried")}
    assert set(asked[first + 1 : first + 5]) - {"ice.concern"} == details
