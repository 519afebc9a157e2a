"""The belief: equal to Bayes done by hand over every answer, and its gains to entropies summed over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.knowledge import rows
from consult.knowledge.belief import EPS, UNNOTICED, Belief, Known, belief, entropy
from consult.knowledge.model import Condition, Finding, FindingKind, Knowledge
from consult.terms import Sex

WHO = (40.0, Sex.FEMALE)


def _finding(name: str, **fields: object) -> Finding:
    slot = {"binary": "", "text": " {text}"}.get(str(fields.get("kind", "binary")), " {value}")
    given = {"topic": "t", "plain": name, "questions": [f"Is there {name}?"], "present": f"I have {name}{slot}"}
    return Finding.model_validate({"id": name, **given, **fields})


def _values(*ids: str) -> list[dict[str, str]]:
    return [{"id": v, "plain": v} for v in ids]


FINDINGS = (
    _finding("cough", background=0.1),
    _finding("pain", background=0.2),
    _finding("pain.sharp", parent="pain", background=0.4),
    _finding(
        "pain.when", kind="categorical", parent="pain", values=_values("day", "night"), background={"day": 0.5, "night": 0.3}
    ),
    _finding(
        "colour", kind="categorical", values=_values("red", "blue", "grey"),
        background={"red": 0.2, "blue": 0.3, "grey": 0.5},
    ),
    _finding(
        "site", kind="multi", values=_values("arm", "leg", "nowhere"), none="nowhere",
        background={"arm": 0.3, "leg": 0.2, "nowhere": 0.5},
    ),
    _finding("spread", kind="multi", values=_values("left", "right"), background={"left": 0.3, "right": 0.1}),
    _finding("job", kind="text"),
)  # fmt: skip


def _condition(name: str, weight: float, findings: dict[str, object], **more: object) -> Condition:
    department = {"primary": "p", "secondary": "s"}
    fields = {"id": name, "name": name, "icd10": "A00", "urgency": "routine", "department": department}
    return Condition.model_validate({**fields, "prevalence": {"weight": weight}, "findings": findings, **more})


TINY = Knowledge(
    id="tiny",
    findings=FINDINGS,
    conditions=(
        _condition("one", 5, {
            "cough": 0.9, "pain": 0.3, "pain.sharp": 0.2, "colour": {"red": 0.8, "blue": 0.1, "grey": 0.1},
            "site": {"arm": 0.7, "leg": 0.1, "nowhere": 0.1}, "spread": {"left": 0.6, "right": 0.3},
        }),
        _condition("two", 3, {
            "cough": 0.2, "pain": 0.8, "pain.sharp": 0.9, "pain.when": {"day": 0.1, "night": 0.8},
            "site": {"arm": 0.2, "leg": 0.8, "nowhere": 0.4},
        }),
        _condition("three", 2, {"pain": 0.95, "pain.when": {"day": 0.6, "night": 0.4}}),
    ),
)  # fmt: skip
TREE: Mapping[str, Finding] = TINY.finding


def _clip(p: float) -> float:
    return min(max(p, EPS), 1 - EPS)


def _p(c: Condition, f: Finding) -> float:
    p = c.findings.get(f.id, f.background)
    assert isinstance(p, float)
    return _clip(p)


def _value(c: Condition, f: Finding, value: str) -> float:
    table = c.findings.get(f.id, f.background)
    assert isinstance(table, dict)
    return _clip(table.get(value, 0.0))


def _reach(c: Condition, f: Finding) -> float:
    """P(the ancestors are present): in the tiny knowledge, of one parent."""
    return _p(c, TREE[f.parent]) if f.parent else 1.0


def _answers(c: Condition, f: Finding, *, parent: str) -> dict[object, float]:
    """P(answer | condition) for every answer there is; "no" stands for absent, whichever way."""
    reach = 1.0 if parent == "present" else _reach(c, f)
    if f.kind is FindingKind.BINARY:
        return {"yes": _p(c, f) * reach, "no": 1 - _p(c, f) * reach}
    if f.kind is FindingKind.CATEGORICAL:
        given = {v: _value(c, f, v) for v in f.value_ids}
        out: dict[object, float] = {v: p * reach for v, p in given.items()}
        out["other"] = max(1 - sum(given.values()), 0) * reach
    else:
        out = {}
        none = _value(c, f, f.none) if f.none else 0.0
        named = [v for v in f.value_ids if v != f.none]
        for picks in product((False, True), repeat=len(named)):
            p = 1.0
            for v, on in zip(named, picks, strict=True):
                p *= _value(c, f, v) if on else 1 - _value(c, f, v)
            out[frozenset(v for v, on in zip(named, picks, strict=True) if on)] = p * (1 - none) * reach
        if f.none:
            out["none"] = none * reach
    if reach < 1:
        out["no"] = 1 - reach
    return out


def _by_hand(known: Mapping[str, Known]) -> list[float]:
    weights = []
    for c in TINY.conditions:
        p = c.prevalence.weight
        for name, k in known.items():
            f = TREE[name]
            state = known[f.parent].state if f.parent in known else "" if f.parent else "present"
            if k.state == "unknown" or f.kind is FindingKind.TEXT or state in ("absent", "not_noticed"):
                continue
            answers = _answers(c, f, parent=state)
            if k.state == "present":
                p *= answers["yes"] if not f.values else _said(answers, f, k.values)
                continue
            p *= _denied(answers, f) ** (UNNOTICED if k.state == "not_noticed" else 1)
        weights.append(p)
    return [w / sum(weights) for w in weights]


def _said(answers: dict[object, float], f: Finding, values: tuple[str, ...]) -> float:
    if f.kind is FindingKind.CATEGORICAL:
        return answers[values[0]]
    return answers["none"] if f.none in values else answers[frozenset(values)]


def _denied(answers: dict[object, float], f: Finding) -> float:
    """P("no" | condition): absent, ruled out by the parent, or (of several values) none of them."""
    nothing: tuple[object, ...] = ("no", "none", frozenset())
    return sum(answers.get(a, 0.0) for a in nothing)


def _states(f: Finding) -> Iterator[Known]:
    if f.kind is FindingKind.TEXT:
        yield Known("present")
        return
    if f.kind is not FindingKind.CATEGORICAL:
        yield from (Known("absent"), Known("not_noticed"))
    if f.kind is FindingKind.BINARY:
        yield Known("present")
    elif f.kind is FindingKind.CATEGORICAL:
        yield from (Known("present", (v,)) for v in f.value_ids)
    elif f.none:
        yield from (Known("present", v) for v in (("arm",), ("leg",), ("arm", "leg"), ("nowhere",)))
    else:
        yield from (Known("present", v) for v in (("left",), ("right",), ("left", "right")))


@st.composite
def _known(draw: st.DrawFn) -> dict[str, Known]:
    names = draw(st.lists(st.sampled_from([f.id for f in FINDINGS]), unique=True))
    out = {n: draw(st.sampled_from(list(_states(TREE[n])))) for n in names}
    for name in names:  # an attribute told of what is absent is no record that could be
        parent = TREE[name].parent
        if parent in out and out[parent].state != "present" and out[name].state == "present":
            out[parent] = Known("present")
    return out


@pytest.fixture(scope="module")
def tiny() -> Belief:
    return belief(TINY)


@given(_known())
def test_the_posterior_is_bayes(known: dict[str, Known]) -> None:
    p = belief(TINY).posterior(known, *WHO)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert list(p) == pytest.approx(_by_hand(known), abs=1e-9)


@given(_known(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_known_does_not_matter(known: dict[str, Known], chance) -> None:  # type: ignore[no-untyped-def]
    names = list(known)
    chance.shuffle(names)
    a, b = belief(TINY).posterior(known, *WHO), belief(TINY).posterior({n: known[n] for n in names}, *WHO)
    assert np.abs(a - b).max() < 1e-9


def _expected_gain(f: Finding, p: list[float], *, parent: str) -> float:
    tables = [_answers(c, f, parent=parent) for c in TINY.conditions]
    after = 0.0
    for answer in tables[0]:
        joint = [q * t[answer] for q, t in zip(p, tables, strict=True)]
        total = sum(joint)
        after -= sum(j * log(j / total) for j in joint if j > 0)
    return -sum(q * log(q) for q in p if q > 0) - after


@given(_known())
def test_gains_are_the_expected_fall_of_entropy(known: dict[str, Known]) -> None:
    p = belief(TINY).posterior(known, *WHO)
    gains = belief(TINY).gains(p, known)
    open_ones = set()
    for f in FINDINGS:
        parent = known[f.parent].state if f.parent in known else "" if f.parent else "present"
        if f.id in known or f.kind is FindingKind.TEXT or parent in ("absent", "not_noticed"):
            continue
        open_ones.add(f.id)
        right = _expected_gain(f, [float(x) for x in p], parent=parent)
        sampled = f.kind is FindingKind.MULTI
        assert gains[f.id] == pytest.approx(right, abs=0.1 if sampled else 2e-4), f.id
        assert sampled or gains[f.id] >= -1e-9
    assert set(gains) == open_ones


def test_with_more_samples_a_multi_gain_comes_closer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "SAMPLES", 101)
    b = Belief(TINY)
    for known in ({}, {"cough": Known("present")}, {"pain": Known("present")}):
        p = b.posterior(known, *WHO)
        for name in ("site", "spread"):
            right = _expected_gain(TREE[name], [float(x) for x in p], parent="present")
            assert b.gains(p, known)[name] == pytest.approx(right, abs=0.01)


@pytest.mark.parametrize("name", ["cough", "pain.sharp", "colour", "pain.when"])
def test_learning_an_answer_lowers_entropy_on_average(tiny: Belief, name: str) -> None:
    """By the posterior itself: the weighted entropies after each answer are below the entropy before."""
    before = tiny.posterior({"pain": Known("present")}, *WHO)
    f = TREE[name]
    answers = [Known("present", (v,)) for v in f.value_ids] or [Known("present"), Known("absent")]
    after, mass = 0.0, 0.0
    for a in answers:
        p_answer = float((before * np.exp(tiny.log_likelihood(name, a, "present"))).sum())
        after += p_answer * entropy(tiny.posterior({"pain": Known("present"), name: a}, *WHO))
        mass += p_answer
    assert after < entropy(before) * mass


def test_not_noticed_weighs_half_a_no(tiny: Belief) -> None:
    no = tiny.log_likelihood("cough", Known("absent"), "")
    unnoticed = tiny.log_likelihood("cough", Known("not_noticed"), "")
    assert list(unnoticed) == pytest.approx([UNNOTICED * x for x in no])
    assert no[0] == pytest.approx(log(1 - 0.9))


def test_what_is_not_known_or_ruled_out_changes_nothing(tiny: Belief) -> None:
    start = tiny.posterior({}, *WHO)
    assert list(tiny.posterior({"cough": Known("unknown"), "job": Known("present")}, *WHO)) == pytest.approx(
        list(start)
    )
    no_pain = {"pain": Known("absent")}
    with_child = {**no_pain, "pain.sharp": Known("absent"), "pain.when": Known("absent")}
    assert list(tiny.posterior(with_child, *WHO)) == pytest.approx(list(tiny.posterior(no_pain, *WHO)))


def test_prior_follows_age_and_sex() -> None:
    young = {"weight": 2.0, "ages": {"0-14": 3.0, "15+": 1.0}, "sex": {"male": 0.5}}
    k = TINY.model_copy(update={"conditions": (
        TINY.conditions[0].model_copy(update={"prevalence": type(TINY.conditions[0].prevalence).model_validate(young)}),
        TINY.conditions[1],
    )})  # fmt: skip
    b = Belief(k)
    ratio = {(age, sex): exp(b.log_prior(age, sex)[0] - b.log_prior(age, sex)[1]) for age in (14.9, 15) for sex in Sex}
    assert ratio[14.9, Sex.FEMALE] == pytest.approx(6 / 3)
    assert ratio[15, Sex.FEMALE] == pytest.approx(2 / 3)
    assert ratio[15, Sex.MALE] == pytest.approx(1 / 3)


def test_what_the_patient_came_with_counts_by_the_complaints() -> None:
    comes_with = TINY.conditions[1].model_copy(update={"complaint": {"cough": 1.0}})
    b = Belief(TINY.model_copy(update={"conditions": (TINY.conditions[0], comes_with)}))
    known = {"cough": Known("present")}
    as_complaint = b.posterior(known, *WHO, complaint="cough")
    assert as_complaint.sum() == pytest.approx(1)
    assert as_complaint[1] > b.posterior(known, *WHO)[1], "two seldom coughs, but who has it comes because of it"


def test_the_general_knowledge_gives_sound_gains(general: Knowledge) -> None:
    b = belief(general)
    p = b.posterior({}, 50, Sex.MALE)
    gains = b.gains(p, {})
    assert set(gains) == {f.id for f in general.findings if f.kind is not FindingKind.TEXT}
    assert min(gains.values()) >= -1e-9
    assert max(gains.values()) <= entropy(p)


def test_one_answer_never_settles_a_case(general: Knowledge) -> None:
    b = belief(general)
    for f in general.findings:
        if f.kind is FindingKind.BINARY:
            for state in ("present", "absent"):
                p = b.posterior({f.id: Known(state)}, 30, Sex.FEMALE)
                assert np.isfinite(p).all()
                assert p.max() < 1 - 1e-6


def test_an_examination_finding_is_no_complaint_and_does_no_harm(general: Knowledge) -> None:
    sign = next(f.id for f in general.findings if f.source == "examination" and not f.values)
    known = {sign: Known("present")}
    b = belief(general)
    assert list(b.posterior(known, *WHO, complaint=sign)) == list(b.posterior(known, *WHO))
