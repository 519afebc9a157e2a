"""What the questions told against the best that could have been asked: by hand, against the belief, and in order."""

from __future__ import annotations

import statistics
from math import log2

import pytest
from score_world import KNOWLEDGE, SHINGLES, Script, case, gold, scored

from consult import Limits, Setup, load_hospital, load_knowledge, load_persona, load_scenario, play
from consult.events import Event, MoodChange, Question, Utterance
from consult.knowledge.belief import Known, belief
from consult.knowledge.model import Knowledge
from consult.scenario import Release, Scenario, State, scenario_files
from consult.score import Case, information
from consult.score.information import Replay, better_asked

P = {"herpes": (0.95, 0.8), "shingles": (0.5, 0.9), "eczema": (0.95, 0.4)}
"""P(itch), P(rash_pain) by condition; all others as the background has it."""
WORLD = KNOWLEDGE.model_copy(
    update={
        "conditions": tuple(
            c.model_copy(update={"findings": {"rash": 0.9, "itch": P[c.id][0], "rash_pain": P[c.id][1]}})
            for c in KNOWLEDGE.conditions
            if c.id in P
        )
    }
)


def bits(*told: str) -> float:
    """log2 P(shingles) once these are known, by the belief itself."""
    known = {n.lstrip("!"): Known("absent" if n[0] == "!" else "present") for n in told}
    p = belief(WORLD).posterior(known, SHINGLES.patient.age, SHINGLES.patient.sex, "rash")
    return log2(float(p[belief(WORLD).index["shingles"]]))


def judged(script: Script, scenario: Scenario = SHINGLES) -> dict[str, tuple[float | None, str]]:
    made = Case(scenario, WORLD, case(script).hospital, script.events)
    return {s.name.partition(".")[2]: (s.value, s.reason) for s in information.scores(made)}


def start() -> Script:
    return Script().say("rash")


# --- by hand ---


def test_information_is_what_the_answers_brought_nearer_to_the_gold() -> None:
    script = start().ask("rash_pain", tells=["rash_pain"]).ask("itch", tells=["!itch"]).conclude("shingles")
    value, reason = judged(script)["information"]
    assert value == pytest.approx(bits("rash", "rash_pain", "!itch") - bits("rash"), abs=1e-6)
    assert (value, reason) > (0, "")


def test_the_best_question_each_time_is_an_efficiency_of_one() -> None:
    best, second = sorted(("rash_pain", "!itch"), key=lambda f: -bits("rash", f))
    script = start().ask(best.lstrip("!"), tells=[best]).ask(second.lstrip("!"), tells=[second])
    assert judged(script.conclude("shingles"))["efficiency"] == (1, "")


def test_the_worse_question_first_is_had_in_part_and_the_better_one_is_named() -> None:
    one, other = bits("rash", "rash_pain") - bits("rash"), bits("rash", "!itch") - bits("rash")
    assert other > one > 0, "in this world no itch tells more than pain"
    script = start().ask("rash_pain", tells=["rash_pain"]).conclude("shingles")
    value, reason = judged(script)["efficiency"]
    assert value == pytest.approx(one / other, abs=1e-6)
    assert reason == f"turn 1: itch ({other - one:.1f} bits)"


def test_an_empty_question_costs_the_best_that_was_there() -> None:
    value, reason = judged(start().ask(asks_nothing=True).conclude("shingles"))["efficiency"]
    assert (value, reason[:12]) == (0, "turn 1: itch")


def test_a_misleading_answer_is_information_below_nought_and_no_efficiency_below_nought() -> None:
    misleading = SHINGLES.model_copy(
        update={
            "facts": tuple(f.model_copy(update={"state": State.PRESENT}) for f in SHINGLES.facts if f.order is None)
        }
    )
    found = judged(start().ask("itch", tells=["itch"]).conclude("shingles"), misleading)
    assert found["information"][0] < 0  # type: ignore[operator]
    assert found["efficiency"][0] == 0


def test_several_facts_at_once_are_the_best_and_no_more() -> None:
    script = start().ask(topics=("skin",), open=True, tells=["rash_pain", "!itch"]).conclude("shingles")
    assert judged(script)["efficiency"] == (1, "")


def test_orders_are_counted_apart() -> None:
    script = start().ask("itch", tells=["!itch"]).order("swab", "rash_pain").conclude("shingles")
    found = judged(script)
    assert found["information"][0] == pytest.approx(bits("rash", "!itch") - bits("rash"), abs=1e-6)
    assert found["order_information"][0] == pytest.approx(
        bits("rash", "!itch", "!rash_pain") - bits("rash", "!itch"), abs=1e-6
    )
    assert judged(start().conclude())["order_information"] == (None, "no order was placed")


def test_what_the_patient_would_not_have_told_is_no_better_question() -> None:
    wary = SHINGLES.model_copy(
        update={
            "facts": tuple(
                f.model_copy(update={"release": Release.SENSITIVE, "trust": 0.6}) if f.finding == "itch" else f
                for f in SHINGLES.facts
            )
        }
    )

    def named(trust: float) -> str:
        script = start().add(MoodChange(cause="start", trust=trust, irritation=0, anxiety=0)).ask(asks_nothing=True)
        return judged(script.conclude(), wary)["efficiency"][1]

    assert (named(0.6)[:12], named(0.5)[:17]) == ("turn 1: itch", "turn 1: rash_pain")
    forgot = start().ask("itch", tells=["itch"], state="unknown").conclude()
    assert judged(forgot)["efficiency"][1].startswith("turn 1: rash_pain")


def test_a_patient_who_walks_out_would_have_told_nothing() -> None:
    script = start().ask(asks_nothing=True)
    gone = script.events[-1].model_copy(update={"flags": ("leaves",)})
    script.events[-1] = gone
    assert judged(script.conclude())["efficiency"][0] is None


def test_missing_is_missing() -> None:
    found = judged(start().conclude("shingles"))
    assert found["information"] == found["efficiency"] == (None, "no question was answered")
    told = start().say("rash_pain", "!itch", "contacts").ask("fever", tells=["fever"], state="not_noticed")
    value, reason = judged(told.conclude("shingles"))["efficiency"]
    assert (value, reason) == (None, "nothing that the patient could still tell would have told more")
    elsewhere = gold(SHINGLES, condition="scurvy")
    for value, reason in judged(start().ask("itch", tells=["!itch"]).conclude(), elsewhere).values():
        assert (value, reason) == (None, "the knowledge does not hold the gold condition")
    torn = judged(start().ask("itch", tells=["!itch"]))
    assert torn["information"] == (None, "the dialogue is not finished")


def test_an_alternative_is_as_near_as_the_gold() -> None:
    both = gold(SHINGLES, alternatives=("herpes", "not_in_this_knowledge"))
    script = start().ask("itch", tells=["!itch"]).conclude("shingles")
    p = [
        belief(WORLD).posterior(k, SHINGLES.patient.age, SHINGLES.patient.sex, "rash")
        for k in ({"rash": Known("present")}, {"rash": Known("present"), "itch": Known("absent")})
    ]
    at = [belief(WORLD).index[c] for c in ("herpes", "shingles")]
    assert judged(script, both)["information"][0] == pytest.approx(log2(p[1][at].sum() / p[0][at].sum()), abs=1e-6)


def test_three_turns_at_the_most_are_named_and_no_question_twice() -> None:
    script = start()
    for _ in range(6):
        script.ask(asks_nothing=True)
    replay = Replay.of(Case(SHINGLES, WORLD, case(script).hospital, script.conclude().events))
    assert replay is not None
    named = better_asked(replay.turns)
    assert [name for _, name, _ in named] == ["itch", "rash_pain"]  # contacts tells nothing in this world
    assert [t.question.turn for t, _, _ in named] == [1, 2]


# --- on the built-in clinic ---


@pytest.fixture(scope="module")
def clinic() -> Knowledge:
    return load_knowledge()


def _cases(clinic: Knowledge, inquirer: str, step: int) -> list[Case]:
    out = []
    for _, path in sorted(scenario_files().items())[::step]:
        scenario = load_scenario(path)
        setup = Setup(
            scenario, load_persona("neutral"), load_hospital(), clinic, {"inquirer": inquirer}, Limits(max_turns=14)
        )
        out.append(Case(scenario, clinic, load_hospital(), play(setup).events))
    return out


def _value(made: Case, name: str) -> float | None:
    return next(s.value for s in information.scores(made) if s.name == name)


def test_step_by_step_is_the_belief_itself(clinic: Knowledge) -> None:
    """The replay adds rows where the belief sums afresh: attributes before and after their finding, values, orders."""
    for made in _cases(clinic, "reference", 12):
        replay = Replay.of(made)
        assert replay is not None
        known: dict[str, Known] = {}
        complaint = None
        for e in made.events:
            for t in getattr(e, "told", ()):
                if t.state in ("present", "absent") or (t.state == "not_noticed" and t.finding not in known):
                    known[t.finding] = Known(t.state, t.values)
                    complaint = complaint or t.finding
        patient = made.scenario.patient
        p = belief(clinic).posterior(known, patient.age, patient.sex, complaint)
        after = log2(sum(float(p[belief(clinic).index[c]]) for c in made.verdict.accepted))
        opening = {
            t.finding: Known(t.state, t.values) for t in next(e for e in made.events if isinstance(e, Utterance)).told
        }
        p = belief(clinic).posterior(opening, patient.age, patient.sex, complaint)
        before = log2(sum(float(p[belief(clinic).index[c]]) for c in made.verdict.accepted))
        total = sum(t.gained for t in replay.turns) + replay.ordered
        assert total == pytest.approx(after - before, abs=1e-6)


def test_known_groups_stand_in_order(clinic: Knowledge) -> None:
    """Every eighth written case; all of them: benchmarks/known_groups.py."""
    mean = {}
    for inquirer in ("reference", "checklist", "random"):
        found = [_value(made, "inquiry.efficiency") for made in _cases(clinic, inquirer, 8)]
        mean[inquirer] = statistics.mean(v for v in found if v is not None)
    assert mean["reference"] > mean["checklist"] + 0.05
    assert mean["checklist"] > mean["random"] + 0.1


def test_it_goes_by_events_alone(clinic: Knowledge) -> None:
    """Neither the inquirer's belief nor its reasons nor its words are read, so any inquirer can be scored."""
    made = _cases(clinic, "reference", 50)[0]

    def mute(e: Event) -> Event:
        return e.model_copy(update={"text": "…", "rationale": ""}) if isinstance(e, Question) else e

    bare = [mute(e) for e in made.events if e.type not in ("belief", "triage", "record", "verdict", "score", "audit")]
    again = Case(made.scenario, clinic, made.hospital, bare)
    for name in ("inquiry.information", "inquiry.efficiency"):
        assert _value(again, name) == _value(made, name)


def test_hostile_values_and_findings_do_not_stop_the_scores() -> None:
    script = start().ask("itch", tells=["nowhere_in_the_knowledge"])
    told = script.events[-1].told[0].model_copy(update={"finding": "itch", "values": ("no_such_value",)})  # type: ignore[union-attr]
    script.events[-1] = script.events[-1].model_copy(update={"told": (told, *script.events[-1].told)})  # type: ignore[union-attr]
    assert scored(script.conclude())["inquiry.information"].value is not None
