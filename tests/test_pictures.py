"""Pictures: where they may lie, what they may be, what an inquirer by a model is shown of them, and the controls."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pictures_world import case, gif, jpeg, png, webp
from scripted_server import ScriptedServer, asked_as, words_of

from consult.agents.llm.pictures import GREY, MAX_BYTES, blanks, captions_of, pictures_of
from consult.agents.llm.spec import PICTURES, STRATEGIES
from consult.agents.llm.talk import Models
from consult.batch import Plan, setups
from consult.batch.forking import fork_of
from consult.check import check_paths
from consult.cli.main import cli
from consult.errors import DataErrors, UsageError
from consult.events import Shown, Stopped, Suggested, Utterance
from consult.llm.endpoint import Endpoint
from consult.llm.prices import sees
from consult.scenario import load_scenario
from consult.sim.session import Setup, play
from consult.store.transcript import Transcript, dumps, loads

Make = Callable[..., Setup]
MODEL = "llm:openai/local"
SEEN = "scaly_elbows"
OTHER = "burning_band"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cases with pictures of two conditions."""
    case(tmp_path / "cases", SEEN, png("elbows", width=64, height=48))
    case(tmp_path / "cases", OTHER, png("band", width=32, height=32))
    return tmp_path / "cases"


def setup_with(pictures: str, folder: Path, server: ScriptedServer, name: str = SEEN, **fields: Any) -> Setup:
    """The setup of one case of the folder, as a batch makes it."""
    given = {"scenarios": (str(folder / f"{name}_seen.yaml"),), "inquirer": (f"{MODEL}+{pictures}",)}
    plan = Plan.model_validate(given | {"api_base": server.url, "vision": True, "max_turns": 4} | fields)
    cells = setups(plan, (folder,))
    assert cells.key(0) == cells[0].cell
    return cells[0]


def shown(t: Transcript) -> Shown:
    (event,) = [e for e in t.events if isinstance(e, Shown)]
    return event


def sent(server: ScriptedServer) -> list[list[dict[str, Any]]]:
    """The parts of the last message of each request of the inquirer; of one that is words alone, none."""
    last = [r["messages"][1]["content"] for r in server.requests if asked_as(r) == "inquirer"]
    assert last
    return [content if isinstance(content, list) else [] for content in last]


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_a_picture_is_sent_as_a_data_url_each_time_and_its_size_is_written(
    folder: Path, server: ScriptedServer
) -> None:
    data = png("elbows", width=64, height=48)
    t = play(setup_with("image", folder, server))
    for parts in sent(server):
        (picture,) = [p["image_url"]["url"] for p in parts if p["type"] == "image_url"]
        assert picture == f"data:image/png;base64,{base64.b64encode(data).decode()}"
        assert "attached" in parts[0]["text"]
        assert "silvery-white" not in parts[0]["text"]
    (p,) = shown(t).pictures
    assert (p.how, p.bytes, p.pixels, p.media_type) == ("image", len(data), (64, 48), "image/png")
    assert (p.of, p.sha256) == (f"{SEEN}_seen", hashlib.sha256(data).hexdigest())
    assert shown(t).control == "none"
    assert loads(dumps(t.header, t.events)) == t


def test_an_address_is_sent_as_it_stands_and_nothing_is_fetched(tmp_path: Path, server: ScriptedServer) -> None:
    case(tmp_path, SEEN, path="https://example.org/elbows.jpg")
    t = play(setup_with("image", tmp_path, server))
    assert sent(server)[0][1]["image_url"]["url"] == "https://example.org/elbows.jpg"
    (p,) = shown(t).pictures
    assert (p.how, p.url, p.bytes, p.pixels) == ("url", "https://example.org/elbows.jpg", None, None)


@pytest.mark.parametrize(
    ("pictures", "fields", "caption", "why"),
    [
        ("image", {"vision": False}, "silvery-white", "the model takes no pictures"),
        ("blank-image", {"vision": False}, GREY, "the model takes no pictures"),
        ("text-only", {}, "", "text only"),
    ],
)
def test_words_stand_for_pictures_and_the_transcript_says_why(
    pictures: str, fields: dict[str, Any], caption: str, why: str, folder: Path, server: ScriptedServer
) -> None:
    t = play(setup_with(pictures, folder, server, **fields))
    assert not any(sent(server))
    words = words_of(server.requests[0]["messages"][1])
    assert (caption in words) if caption else ("picture" not in words)
    (p,) = shown(t).pictures
    assert (p.how, p.why) == ("caption" if caption else "nothing", why)


def test_a_case_without_a_file_is_shown_its_caption(tmp_path: Path, server: ScriptedServer) -> None:
    case(tmp_path, SEEN)
    t = play(setup_with("image", tmp_path, server))
    assert not any(sent(server))
    assert shown(t).pictures[0].why == f"there is no file {SEEN}.png"


def test_captions_are_the_default_and_leave_a_consultation_what_it_was(folder: Path, server: ScriptedServer) -> None:
    setup = setup_with("captions", folder, server)
    assert setup.line_up["inquirer"] == MODEL
    assert not [name for name in setup.provenance.prompts if name == "inquirer/pictures"]
    t = play(setup)
    assert not [e for e in t.events if isinstance(e, Shown)]
    assert "silvery-white" in words_of(server.requests[0]["messages"][1])


def test_a_case_without_pictures_has_nothing_to_show(server: ScriptedServer) -> None:
    plan = Plan(scenarios=("barking_at_night",), inquirer=(f"{MODEL}+wrong-image",), api_base=server.url, vision=True)
    t = play(setups(plan.model_copy(update={"max_turns": 4}))[0])
    assert not [e for e in t.events if isinstance(e, Shown)]


def test_every_strategy_with_every_choice_of_pictures_ends(folder: Path, server: ScriptedServer) -> None:
    specs = tuple(f"{MODEL}+{strategy}+{pictures}" for strategy in STRATEGIES for pictures in PICTURES)
    given = {"inquirer": specs, "classifier": "simulated:0.6/0.85"}
    plan = Plan(scenarios=(str(folder / f"{SEEN}_seen.yaml"),), api_base=server.url, vision=True, max_turns=4, **given)
    cells = setups(plan, (folder,))
    assert len({cell.cell for cell in cells}) == len(specs) == 25
    for setup in cells:
        server.forget()
        t = play(setup)
        spec = setup.line_up["inquirer"]
        assert next(e.reason for e in t.events if isinstance(e, Stopped)) == "concluded"
        assert any(map(any, sent(server))) == spec.endswith("image")
        assert any(isinstance(e, Suggested) for e in t.events) == ("classifier" in spec)


def test_both_transports_send_the_same_picture(folder: Path, server: ScriptedServer) -> None:
    setup = setup_with("image", folder, server)
    texts, bodies = [], []
    for transport in ("direct", "litellm"):
        server.forget()
        t = play(replace(setup, models=replace(setup.models, transport=transport)))
        texts.append(dumps(t.header, t.events))
        bodies.append(sent(server))
    assert texts[0] == texts[1]
    assert bodies[0] == bodies[1]
    assert all(map(any, bodies[0]))


# --- controls --------------------------------------------------------------------------------------------------------


def test_a_blank_picture_is_grey_and_the_patient_stays_as_it_was(folder: Path, server: ScriptedServer) -> None:
    t = play(setup_with("blank-image", folder, server))
    url = sent(server)[0][1]["image_url"]["url"]
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    assert struct.unpack(">II", data[16:24]) == (512, 512) == shown(t).pictures[0].pixels
    assert "silvery-white" not in json.dumps(server.requests)
    assert shown(t).control == "blank"
    assert "silvery-white" in next(e for e in t.events if isinstance(e, Utterance)).images[0]


def test_a_wrong_picture_is_another_conditions_chosen_by_seed(tmp_path: Path, server: ScriptedServer) -> None:
    folder = tmp_path / "cases"
    others = ["burning_band", "spots_at_nursery", "scratched_creases", "after_the_bath"]
    for name in (SEEN, *others):
        case(folder, name, png(name))
    case(folder / "same", SEEN, png("the same condition"))
    found = set()
    for seed in range(12):
        setup = setup_with("wrong-image", folder, server, seed=seed)
        assert setup.album is not None
        (p,) = setup.album.others
        assert p.image is not None
        assert setup == setup_with("wrong-image", folder, server, seed=seed)
        found.add(p.of)
    assert found == {f"{name}_seen" for name in others}
    t = play(setup_with("wrong-image", folder, server))
    (p,) = shown(t).pictures
    assert shown(t).control == "wrong"
    assert p.of != f"{SEEN}_seen"
    assert sent(server)[0][1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert "silvery-white" not in json.dumps(server.requests)


def test_where_only_captions_are_there_the_wrong_caption_is_shown(server: ScriptedServer) -> None:
    plan = Plan(scenarios=(SEEN,), inquirer=(f"{MODEL}+wrong-image",), api_base=server.url, vision=True, max_turns=4)
    t = play(setups(plan)[0])
    (p,) = shown(t).pictures
    assert (p.how, shown(t).control) == ("caption", "wrong")
    assert p.of != SEEN
    assert p.caption in words_of(server.requests[0]["messages"][1])


def test_no_other_picture_is_said_before_anything_is_asked(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    case(tmp_path / "cases", SEEN, png("alone"))
    with pytest.raises(UsageError, match=r"--pictures: .* no other case of another condition"):
        setup_with("wrong-image", tmp_path / "cases", server)  # the built-in cases have captions only
    assert not server.requests


def test_a_setup_made_by_hand_shows_captions_or_blanks(setup_of: Make) -> None:
    setup = setup_of(SEEN)
    assert [p.image for p in captions_of(setup.scenario)] == [None]
    assert [p.caption for p in blanks(setup.scenario)] == [GREY]


# --- identity --------------------------------------------------------------------------------------------------------


def test_what_is_shown_is_part_of_the_consultation(folder: Path, server: ScriptedServer) -> None:
    kinds = ("captions", "text-only", "image", "blank-image", "wrong-image")
    cells = {kind: setup_with(kind, folder, server).cell for kind in kinds}
    cells["no eyes"] = setup_with("image", folder, server, vision=False).cell
    (folder / f"{SEEN}.png").write_bytes(png("another"))
    cells["another"] = setup_with("image", folder, server).cell
    assert len(set(cells.values())) == len(cells)
    assert setup_with("captions", folder, server).cell == cells["captions"]
    assert "inquirer/pictures" in setup_with("image", folder, server).provenance.prompts


def test_a_fork_shows_the_same_pictures_or_says_what_to_bring_back(folder: Path, server: ScriptedServer) -> None:
    for pictures in ("image", "wrong-image"):
        t, models = play(setup_with(pictures, folder, server, seed=5)), Models(server.url)
        server.forget()
        again = play(fork_of(t, 1, {"vision": "yes"}, (folder,), models))
        assert shown(again) == shown(t)
        assert server.requests
        assert all(r["messages"][-1]["content"][1]["type"] == "image_url" for r in server.requests)
        with pytest.raises(UsageError, match="--vision: nothing is known of whether"):
            fork_of(t, 1, {}, (folder,), models)
        with pytest.raises(UsageError, match="--vision: the doctor was given other pictures, or saw them otherwise"):
            fork_of(t, 1, {"vision": "no"}, (folder,), models)
    (folder / f"{OTHER}.png").write_bytes(png("another"))
    with pytest.raises(UsageError, match="--vision: the doctor was given other pictures"):
        fork_of(t, 1, {"vision": "yes"}, (folder,), models)


def test_a_fork_writes_what_was_shown_once(server: ScriptedServer) -> None:
    plan = Plan(scenarios=(SEEN,), inquirer=(f"{MODEL}+text-only",), api_base=server.url, max_turns=4)
    t = play(setups(plan)[0])
    for turn, before in ((0, 0), (2, 1)):
        fork = fork_of(t, turn, models=Models(server.url))
        assert fork.past is not None
        assert sum(isinstance(e, Shown) for e in fork.past.events) == before
        again = play(fork)
        assert shown(again).model_copy(update={"seq": 0, "turn": 0}) == shown(t).model_copy(
            update={"seq": 0, "turn": 0}
        )


# --- who has eyes ----------------------------------------------------------------------------------------------------


def test_litellms_table_says_who_takes_pictures() -> None:
    assert sees("openai/gpt-5-mini") is True
    assert sees("gpt-3.5-turbo") is False
    assert sees("openai/nobody-knows-it") is None
    assert Endpoint("openai/gpt-5-mini").sees() is True
    assert Endpoint("openai/gpt-5-mini", "http://127.0.0.1:9/v1").sees() is None


def test_who_is_not_in_the_table_must_be_said(folder: Path, server: ScriptedServer) -> None:
    with pytest.raises(UsageError, match=r"--vision: .*openai/local.*--vision yes or no"):
        setup_with("image", folder, server, vision=None)
    assert setup_with("text-only", folder, server, vision=None)


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "media", "size"),
    [
        (png(width=3, height=2), "image/png", (3, 2)),
        (gif(5, 4), "image/gif", (5, 4)),
        (jpeg(40, 30), "image/jpeg", (40, 30)),
        (webp(70, 50), "image/webp", (70, 50)),
    ],
)
def test_kinds_are_known_by_their_content(data: bytes, media: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = case(tmp_path, SEEN, data)
    (p,) = pictures_of(load_scenario(path), path)
    assert p.image is not None
    assert (p.image.media_type, p.pixels) == (media, size)


def _beside(folder: Path) -> None:
    (folder / "x.png").write_bytes(png())


def _folder(folder: Path) -> None:
    (folder / "cases" / "x.png").mkdir()


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "cases" / "x.png")


def _link(folder: Path) -> None:
    _beside(folder)
    (folder / "cases" / "x.png").symlink_to(folder / "x.png")


def _link_to_itself(folder: Path) -> None:
    (folder / "cases" / "x.png").symlink_to(folder / "cases" / "x.png")


def _written(data: bytes) -> Callable[[Path], None]:
    return lambda folder: [(folder / "cases" / "x.png").write_bytes(data)][0] and None


BAD = [
    ("../x.png", _beside, "leaves this file's folder"),
    ("a/../../x.png", _beside, "leaves this file's folder"),
    ("/etc/passwd", _beside, "does not stay beside this file"),
    ("file:///etc/passwd", _beside, "does not stay beside this file"),
    ("http://example.org/x.png", _beside, "does not stay beside this file"),
    ("C:\\x.png", _beside, "does not stay beside this file"),
    ("x.png", _link, "link that leaves"),
    ("x.png", _link_to_itself, "x.png"),
    ("x.png", _folder, "is no file"),
    ("x.png", _pipe, "is no file"),
    ("x.png", _written(b""), "no picture that models take"),
    (
        "x.png",
        _written(b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>"),
        "no picture that models take",
    ),
    ("x.png", _written(png()[:12]), "no picture that models take"),
    ("x.png", _written(b"\xff\xd8\xff" + b"\xff" * 60), "no picture that models take"),
    ("x.png", _written(png() + bytes(MAX_BYTES)), "larger than 5 MiB"),
]


@pytest.mark.parametrize(("path", "make", "words"), BAD, ids=[f"{n}-{b[2]}" for n, b in enumerate(BAD)])
def test_a_bad_picture_is_one_line_for_check_run_and_batch(
    path: str, make: Callable[[Path], None], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = case(tmp_path / "cases", SEEN, path=path)
    make(tmp_path)
    (error,) = check_paths([file])
    assert (error.field, error.line is not None) == ("images[0].path", True)
    assert words in error.problem
    with pytest.raises(DataErrors):
        pictures_of(load_scenario(file), file)
    options = ["--inquirer", f"{MODEL}+image", "--vision", "yes", "--api-base", "http://127.0.0.1:9/v1"]
    for command in (["run", str(file)], ["batch", "--scenarios", str(file)]):
        out: Result = CliRunner().invoke(cli, [*command, *options])
        assert (out.exit_code, out.stdout) == (2, ""), out.output
        assert re.fullmatch(rf"\S+{SEEN}_seen\.yaml:\d+: images\[0\]\.path: .*{words}.* \(mend: .+\)\n", out.stderr)


def test_run_and_replay_say_what_was_seen(folder: Path, server: ScriptedServer) -> None:
    words = ["run", f"{SEEN}_seen", "--scenarios", str(folder), "--inquirer", MODEL, "--pictures", "image"]
    out = CliRunner().invoke(cli, [*words, "--vision", "yes", "--api-base", server.url, "--max-turns", "4"])
    assert out.exit_code == 0, out.output
    assert "the picture, 64 by 48" in out.stdout
    page = CliRunner().invoke(cli, ["replay", out.stderr.split("kept as ")[1].split()[0], "--html", "-"])
    assert "the picture, 64 by 48" in page.stdout
    plain = CliRunner().invoke(cli, [*words, "--vision", "yes", "--api-base", server.url, "--quiet", "--no-save"])
    assert "64 by 48" not in plain.stdout
