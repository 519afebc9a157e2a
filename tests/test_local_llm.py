"""A real small model plays each role over a real server. Opt-in: `pytest -m local_llm`.

Nothing is asked of its quality, which it has none of: what is shown is that whatever a model says, the consultation ends,
the guard holds, and a failure of the model's is never one of the infrastructure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import local_llm_server
import pytest
from click.testing import CliRunner

from consult.agents.llm.talk import hang_up
from consult.cli.main import cli
from consult.settings import DEFAULT_DB
from consult.store.db import Store
from consult.store.transcript import Transcript

pytestmark = pytest.mark.local_llm
MODEL = "llm:openai/local"
ENDS = {"concluded", "referred", "turn_limit", "order_limit", "patient_left", "refused", "model_error"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if lacking := local_llm_server.missing():
        pytest.skip(lacking)
    command = [sys.executable, local_llm_server.__file__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            assert address, "the server has ended; run tests/local_llm_server.py to see why"
            yield address
        finally:
            hang_up()
            process.communicate("")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "c.db"


def played(here: Path, url: str, *options: str) -> tuple[dict[str, Any], Transcript]:
    """One short consultation."""
    command = ["run", "indigestion_at_the_wheel", "--max-turns", "2", "--api-base", url, "--db", str(here), "--json"]
    out = CliRunner().invoke(cli, [*command, "--timeout", "900", "--max-tokens", "200", *options])
    assert out.exit_code in (0, 3), out.output
    told: dict[str, Any] = json.loads(out.stdout)
    with Store(here, readonly=True) as store:
        return told, store.get(told["consultation_id"])


def test_a_patient_of_a_real_model_tells_nothing_that_it_should_not(url: str, here: Path) -> None:
    told, transcript = played(here, url, "--patient", MODEL)
    assert told["stop_reason"] in ENDS
    assert told["usage"]["calls"] >= told["turns"] + 1
    assert told["audit"]["clean"]
    assert transcript.header.provenance.models["patient"]


def test_an_inquirer_of_a_real_model_ends(url: str, here: Path) -> None:
    told, transcript = played(here, url, "--inquirer", MODEL)
    assert told["stop_reason"] in ENDS
    assert told["usage"]["calls"] >= 1
    assert transcript.header.provenance.models["inquirer"]


def test_the_commands_of_the_page_run(url: str, here: Path) -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "models.md").read_text("utf-8")
    section = page.split("\n## A real small model\n")[1].split("\n## ")[0]
    assert f"\n{local_llm_server.MEND}\n" in section
    shown = [line for line in section.splitlines() if line.startswith("consult ")]
    assert len(shown) == 3
    for line in shown:
        out = CliRunner().invoke(cli, line.replace("http://127.0.0.1:8081/v1", url).split()[1:])
        assert out.exit_code in (0, 3), out.output
    with Store(here.parent / DEFAULT_DB, readonly=True) as store:
        assert {row["stop_reason"] for row in store.consultations("small")} <= ENDS
        assert store.count("small") == 5


def test_an_assessor_of_a_real_model_gives_a_verdict_or_says_why_not(url: str, here: Path) -> None:
    batch = ["batch", "--name", "r", "--scenarios", "indigestion_at_the_wheel", "--max-turns", "1", "--db", str(here)]
    assert CliRunner().invoke(cli, batch).exit_code == 0
    judge = ["--assessor", f"{MODEL}+max-tokens=300", "--rubric", "mdbench", "--api-base", url, "--concurrency", "1"]
    out = CliRunner().invoke(cli, ["score", "r", *judge, "--db", str(here), "--json"])
    assert out.exit_code == 0, out.output
    found = json.loads(out.stdout)["judged"]["rubrics"]["mdbench"]
    assert found["consultations"] == 1
    assert (found["mean"] is None) == (found["missing"] == 1)
