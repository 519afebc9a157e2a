"""The estimates behind `fit ddxplus`: the strengths maximise the likelihood, shrinkage and sharing are as documented."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from ddxplus_world import KNEE, Files, row, rows, table

from consult.importers.ddxplus_files import Evidence, Pathology, read_evidences, read_pathologies
from consult.importers.ddxplus_fit import fit, fit_knowledge
from consult.importers.ddxplus_patients import PatientRow, read_patients
from consult.importers.ddxplus_rates import EPS, STRENGTHS, Counts, beta_strength, dirichlet_strength, estimate, mirror
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.terms import Sex

World = tuple[dict[str, Pathology], dict[str, Evidence], list[PatientRow]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return _read(Files(tmp_path))


def _read(files: Files) -> World:
    known = read_evidences(files.evidences)
    pathologies = read_pathologies(files.conditions, known)
    return pathologies, known, read_patients(files.patients, pathologies, known)


def _betaln(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def test_beta_strength_is_the_maximiser() -> None:
    k, n, m = np.array([0.0, 9, 5, 2]), np.array([10.0, 10, 8, 0]), np.full(4, 0.4)

    def marginal(s: float) -> float:
        pairs = [(x, y) for x, y in zip(k, n, strict=True) if y > 0]
        return sum(_betaln(x + s * 0.4, y - x + s * 0.6) - _betaln(s * 0.4, s * 0.6) for x, y in pairs)

    assert beta_strength(k, n, m) == max(STRENGTHS, key=marginal)


def test_strengths_tell_alike_from_different() -> None:
    n, m = np.full(20, 50.0), np.full(20, 0.5)
    assert beta_strength(np.full(20, 25.0), n, m) == STRENGTHS[-1]
    assert beta_strength(np.array([0.0, 50.0] * 10), n, m) <= 0.5
    alike, different = np.full((20, 2), 25.0), np.array([[50.0, 0.0], [0.0, 50.0]] * 10)
    mean = np.array([0.5, 0.5])
    assert dirichlet_strength(alike, mean) == STRENGTHS[-1]
    assert dirichlet_strength(different, mean) <= 0.5


def test_a_beta_is_a_dirichlet_of_two() -> None:
    k, n = np.array([1.0, 7, 3]), np.array([9.0, 9, 9])
    both = np.stack([k, n - k], axis=1)
    assert beta_strength(k, n, np.full(3, 0.3)) == dirichlet_strength(both, np.array([0.3, 0.7]))


def test_estimates_are_probabilities(world: World) -> None:
    r = estimate(*world)
    assert r.prior.sum() == pytest.approx(1)
    assert r.prior == pytest.approx(np.array([4, 4, 1]) / 9)
    for table_ in (r.age, r.sex, r.complaint):
        assert table_.sum(axis=1) == pytest.approx(1)
    for name in ("E_4", "E_5"):
        assert r.values[name].sum(axis=1) == pytest.approx(1)
    for part in (r.present, r.values["E_3"]):
        assert part.min() >= EPS
        assert part.max() <= 1 - EPS


def test_what_a_condition_does_not_list_is_eps(world: World) -> None:
    counts, r = Counts(*world), estimate(*world)
    assert (r.present[~counts.listed] == EPS).all()
    assert (r.present[counts.listed] > EPS).all()


def test_left_and_right_have_one_rate(world: World) -> None:
    r = estimate(*world)
    e = world[1]["E_3"]
    assert mirror(e).tolist() == [0, 2, 1, 3, 4]
    right, left = r.values["E_3"][1, 1:3]
    assert right == left  # though every knee of the data is a right one
    assert right > r.values["E_3"][1, 4]


def test_answers_spread_to_neighbours_on_a_scale(world: World) -> None:
    scale = estimate(*world).values["E_4"][1]  # three patients said 6
    assert scale.argmax() == 6
    assert scale[5] > scale[4] > scale[1]
    assert scale[5] == pytest.approx(scale[7], rel=0.05)


def test_answers_without_the_parent_do_not_count(world: World) -> None:
    answered = {name: n for name, (_, n) in Counts(*world).of_values().items()}
    assert answered["E_3"].tolist() == [0, 3, 0]  # the child who is asked of a pain it does not have is left out


def test_a_condition_without_patients_rests_on_the_others(world: World) -> None:
    k = fit_knowledge(*world)
    rare = k.condition["rare_thing"]
    assert rare.findings["E_4"] == pytest.approx(k.finding["E_4"].background, abs=1e-6)
    assert isinstance(rare.findings["E_1"], float)
    assert rare.prevalence.weight == pytest.approx(1 / 9, abs=1e-6)


def test_prevalence_gives_the_prior_back(world: World) -> None:
    """weight x age factor x sex factor is, up to one constant, P(condition) P(band | condition) P(sex | condition)."""
    k, r = fit_knowledge(*world), estimate(*world)
    for age, band in ((0, 0), (34, 4), (70, 6), (99, 7)):
        for j, sex in enumerate(Sex):
            ours = np.array([c.prevalence.at(age, sex) for c in k.conditions])
            wanted = r.prior * r.age[:, band] * r.sex[:, j]
            assert ours / ours.sum() == pytest.approx(wanted / wanted.sum(), rel=1e-3)


def test_complaints_follow_the_patients(world: World) -> None:
    k = fit_knowledge(*world)
    flu = k.condition["flu"].complaint
    assert set(flu) == {"E_1", "E_9"}
    assert flu["E_1"] > flu["E_9"] > 0
    assert sum(flu.values()) <= 1.0001


def test_a_fit_sees_only_its_patients(tmp_path: Path) -> None:
    files = Files(tmp_path)
    pathologies, known, patients = _read(files)
    part = fit_knowledge(pathologies, known, patients[:3])
    files.patients.write_text(table(rows()[:3]), "utf-8")
    assert fit_knowledge(*_read(files)) == part
    assert part != fit_knowledge(pathologies, known, patients)


def test_more_patients_outweigh_the_rest(tmp_path: Path) -> None:
    files = Files(tmp_path)
    many = [row(n, KNEE, PATHOLOGY="Sore knee (é)") for n in range(200)]
    files.patients.write_text(
        table([*rows()[:3], *(p | {"SOURCE_ROW": str(100 + int(p["SOURCE_ROW"]))} for p in many)])
    )
    k = fit_knowledge(*_read(files))
    p = k.condition["sore_knee_e"].findings["E_6"]
    assert isinstance(p, float)
    assert p > 0.95


@pytest.mark.parametrize("name", ["k.json", "deep/er/k.yaml"])
def test_the_file_is_the_knowledge(tmp_path: Path, world: World, name: str) -> None:
    files, out = Files(tmp_path), tmp_path / name
    fit(files.conditions, files.evidences, files.patients, out)
    once = out.read_bytes()
    fit(files.conditions, files.evidences, files.patients, out)
    assert out.read_bytes() == once
    found = load_knowledge(str(out))
    assert found == fit_knowledge(*world)
    _check_contract(found)


def _check_contract(k: Knowledge) -> None:
    assert k.id == "ddxplus"
    assert not k.open_questions
    assert "CC BY 4.0" in k.source
    assert "6 of its patients" in k.source
    assert k.finding["E_3"].none == "V_1"
    assert k.finding["E_3"].parent == "E_2"
    assert k.finding["E_6"].parent is None
    assert k.finding["E_1"].background == EPS
    assert {k.finding[f].topic for f in ("E_2", "E_3", "E_4")} == {"pain"}
    assert k.finding["E_6"].topic == "antecedents"
    assert k.condition["rare_thing"].icd10 == "J18"
