"""What the tests share: the built-in content, loaded once, and hypothesis made repeatable."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from consult.batch.garbage import collect_seldom
from consult.hospital import Hospital, load_hospital
from consult.knowledge.load import load_knowledge
from consult.knowledge.model import Knowledge
from consult.persona import Persona, load_persona, persona_files
from consult.scenario import Scenario, load_scenario, scenario_files
from consult.sim.session import Setup

if TYPE_CHECKING:
    from scripted_server import ScriptedServer

settings.register_profile(
    "consult",
    deadline=None,  # the machines of CI are of any speed
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("consult")
# a shell that starts the tests in the background has Ctrl-C ignored, and whatever they start would ignore it too
signal.signal(signal.SIGINT, signal.default_int_handler)


LONG = (
    "test_ray", "test_terminal", "test_tui_screens", "test_batch", "test_tui_keys", "test_tui_consultation", "test_hostile",
    "test_docs", "test_serve", "test_browser", "test_tui_batch", "test_tui_debrief", "test_tui_home", "test_storm",
)  # fmt: skip
"""The files of tests that take longest, those first in which much is waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, or the last worker would be alone with it."""
    rank = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONG)))


def pytest_collection_finish() -> None:
    """All modules are there: to look them through for garbage again and again took a tenth of the time."""
    collect_seldom()


@pytest.fixture(scope="session")
def general() -> Knowledge:
    """The general knowledge."""
    return load_knowledge()


@pytest.fixture(scope="session")
def hospital() -> Hospital:
    """The general hospital."""
    return load_hospital()


@pytest.fixture(scope="session")
def personas() -> dict[str, Persona]:
    """The built-in personas by name."""
    return {name: load_persona(name) for name in sorted(persona_files())}


@pytest.fixture(scope="session")
def scenarios() -> dict[str, Scenario]:
    """The built-in scenarios by name."""
    return {name: load_scenario(path) for name, path in sorted(scenario_files().items())}


@pytest.fixture(scope="session")
def setup_of(
    general: Knowledge, hospital: Hospital, personas: dict[str, Persona], scenarios: dict[str, Scenario]
) -> Callable[..., Setup]:
    """`setup_of(scenario, persona, **fields)`: the setup of one consultation, by names."""

    def make(scenario: str = "indigestion_at_the_wheel", persona: str = "neutral", **fields: Any) -> Setup:
        return Setup(scenarios[scenario], personas[persona], hospital, general, **fields)

    return make


@pytest.fixture(scope="session")
def scripted() -> Iterator[ScriptedServer]:
    """A scripted server for all that want one."""
    from scripted_server import ScriptedServer, plays

    from consult.agents.llm.talk import hang_up

    with ScriptedServer(plays) as server:
        yield server
        hang_up()


@pytest.fixture
def server(scripted: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """The scripted server as if nothing had been asked, playing both roles by rules; in a folder of one's own."""
    from scripted_server import plays

    scripted.forget()
    scripted.default = plays
    monkeypatch.chdir(tmp_path)
    return scripted


@pytest.fixture(autouse=True)
def _no_width_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables go by COLUMNS where it is set, and test runners set it."""
    monkeypatch.delenv("COLUMNS", raising=False)
