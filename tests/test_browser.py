"""Pages in a real browser: they play, link, search and print, ask for nothing, and pass the checks of accessibility.

One headless Chromium for all tests; without it they are skipped with the reason.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from debrief_world import hostile_doctor
from handmade import made
from pages_world import HOSTILE, NAMES, a_run, golden, hostile

from consult.debrief.build import debrief as debrief_of
from consult.html import debrief, replay, report
from consult.show.names import Names

BROWSER = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
if BROWSER is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SERIOUS = ("serious", "critical")
PHONE = {"width": 390, "height": 844}
SCREEN = {"width": 1280, "height": 900}
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of each kind; axe reads every element, so there are small ones with all that may be on one."""
    folder = tmp_path_factory.mktemp("pages")
    run, transcripts = a_run(folder / "run.db")
    texts = {
        "replay": replay.page(golden("indigestion-choleric-reference"), Names()),
        "hostile": replay.page(hostile(), NAMES),
        "report": report.page(run, transcripts, Names()),
        "debrief": debrief.page(hostile_doctor(), debrief_of(hostile_doctor()), Names()),
        "small replay": replay.page(made(), Names()),
        "small report": report.page(run, [made()], Names()),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, files: dict[str, Path]) -> Iterator[Open]:
    """`opened(kind, size, scheme)`: the page, whose complaints and requests fail the test at its end."""
    contexts, complaints = [], []

    def open_page(kind: str, size: dict[str, int] = SCREEN, scheme: str = "light", clock: bool = False) -> Any:
        context = chromium.new_context(viewport=size, color_scheme=scheme, offline=True)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        if clock:
            page.clock.install(time=0)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith("file:") else None)
        page.goto(files[kind].as_uri())
        if clock:
            page.clock.pause_at(3600)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("kind", ["replay", "hostile", "report", "debrief"])
@pytest.mark.parametrize("size", [PHONE, SCREEN], ids=["phone", "screen"])
def test_nothing_is_wider_than_the_window(kind: str, size: dict[str, int], opened: Open) -> None:
    page = opened(kind, size)
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def serious(page: Any, *rules: str) -> list[tuple[str, str, str]]:
    """What axe finds, by all its rules or by those."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = axe.Axe().run(page, options=options).response["violations"]
    return [(v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"]) for v in found if v["impact"] in SERIOUS]


@pytest.mark.parametrize("kind", ["small replay", "small report", "debrief"])
def test_axe_finds_nothing_serious_in_light_and_dark(kind: str, opened: Open) -> None:
    page = opened(kind)
    page.evaluate("document.querySelectorAll('.one, #confusion details').forEach((e) => { e.open = true; })")
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious(page, "color-contrast") == []


def test_axe_would_find_what_is_wrong(opened: Open) -> None:
    page = opened("hostile")
    page.evaluate("document.querySelector('#find').closest('label').replaceWith(document.querySelector('#find'))")
    page.evaluate("document.documentElement.style.setProperty('--quiet', '#ddd')")
    assert {rule for rule, _, _ in serious(page, "label", "color-contrast")} == {"label", "color-contrast"}


def test_hostile_words_are_shown_and_not_obeyed(opened: Open) -> None:
    page = opened("hostile")
    assert page.evaluate("typeof broken") == "undefined"
    assert HOSTILE in page.inner_text(".beat.patient .said")
    assert page.title().startswith(HOSTILE)


def shown(page: Any, selector: str = ".beat") -> int:
    return int(page.locator(f"{selector}:visible").count())


def test_it_plays_at_the_pace_of_reading(opened: Open) -> None:
    page = opened("replay", clock=True)
    beats = shown(page)
    assert beats > 20
    page.click("#play")
    assert shown(page) == 1
    assert not page.locator("#outcome").is_visible()
    assert page.inner_text("#play-words") == "Pause"
    wait = float(page.locator(".beat").nth(0).get_attribute("data-wait")) / 4
    page.clock.run_for(int(wait * 1000) - 50)
    assert shown(page) == 1
    page.clock.run_for(100)
    assert shown(page) == 2
    page.select_option("#speed", "16")
    page.clock.run_for(600_000)
    assert shown(page) == beats
    assert page.locator("#outcome").is_visible()
    assert page.inner_text("#play-words") == "Play"


def test_it_steps_and_scrubs_by_keyboard(opened: Open) -> None:
    page = opened("replay")
    page.keyboard.press("Home")
    assert shown(page) == 0
    assert page.inner_text("#where") == "before the first word"
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert shown(page) == 2
    assert page.inner_text("#where") == "question 1 of 14"
    page.locator("#scrub").fill("3")
    assert shown(page) == 3
    page.keyboard.press("Space")
    assert page.inner_text("#play-words") == "Play"  # a key pressed in a control belongs to it


def test_what_stands_beside_is_of_the_moment(opened: Open) -> None:
    page = opened("replay")
    page.locator("#scrub").fill("2")
    seq = int(page.locator(".beat").nth(1).get_attribute("data-last"))
    early = shown(page, "#behind .since")
    for kind in ("table.snap", "p.snap"):
        for now in page.locator(f"#behind {kind}.now").all():
            assert int(now.get_attribute("data-seq")) <= seq
    assert float(page.locator("#belief-c rect").get_attribute("width")) < 100
    page.keyboard.press("Escape")
    page.click("#end")
    assert shown(page, "#behind .since") > early
    assert page.locator("#behind .snap.now").count() == 3


def test_a_score_leads_to_the_turns_it_cites(opened: Open) -> None:
    page = opened("replay")
    row = page.locator(".scores tr", has=page.locator("th", has_text="relevance"))
    links = row.locator("a.cite")
    assert links.count() > 1
    links.nth(1).click()
    goal = links.nth(1).get_attribute("href").removeprefix("#")
    assert page.evaluate("document.activeElement.id") == goal
    assert shown(page, ".beat.cited") >= links.count()
    page.select_option("#only", "cited")
    assert shown(page) == shown(page, ".beat.cited")


def test_the_dialogue_is_searched_and_filtered(opened: Open) -> None:
    page = opened("replay")
    every = shown(page)
    page.select_option("#only", "doctor order conclusion")
    doctor = shown(page)
    assert 0 < doctor < every
    assert page.inner_text("#found") == f"{doctor} of {every} shown"
    page.select_option("#only", "")
    page.fill("#find", "CHEST PAIN")
    assert 0 < shown(page) < every
    assert all("chest pain" in text.lower() for text in page.locator(".beat:visible").all_inner_texts())
    page.fill("#find", "")
    assert shown(page) == every
    page.uncheck("#notes")
    assert shown(page, ".notes") == 0


def test_print_has_everything_and_no_controls(opened: Open) -> None:
    page = opened("replay")
    every = shown(page)
    page.click("#start")
    page.emulate_media(media="print")
    assert shown(page) == every
    assert page.locator("#outcome").is_visible()
    assert not page.locator(".player").is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_a_notable_consultation_is_a_link_to_its_transcript(opened: Open) -> None:
    page = opened("report")
    link = page.locator("#read a").first
    one = page.locator(link.get_attribute("href"))
    assert not one.locator(".talk").is_visible()
    link.click()
    assert one.locator(".talk").is_visible()
    cite = one.locator("a.cite").last
    cite.click()
    assert page.evaluate("document.activeElement.id") == cite.get_attribute("href").removeprefix("#")
    assert one.locator(".beat.cited").count() >= 1


def test_transcripts_are_searched_and_filtered(opened: Open) -> None:
    page = opened("report")
    assert shown(page, ".one") == 8
    page.select_option("#f-persona", "choleric")
    assert shown(page, ".one") == 4
    page.select_option("#f-line", "random")
    assert shown(page, ".one") == 2
    page.fill("#find", "no such words anywhere")
    assert shown(page, ".one") == 0
    assert page.inner_text("#found") == "0 of 8 shown, 0 turns have the words"
    page.locator("#read a").first.click()  # a link opens what a filter hides
    assert shown(page, ".one") == 1
    page.select_option("#f-persona", "")
    page.select_option("#f-line", "")
    page.fill("#find", "doctor")
    assert shown(page, ".one") == 8
    assert page.locator(".beat.hit").count() > 8


def test_without_script_everything_can_be_read(chromium: Any, files: dict[str, Path]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(files["replay"].as_uri())
    assert page.locator(".beat:visible").count() > 20
    assert not page.locator(".player").is_visible()
    assert page.locator("#behind table.snap.now").first.is_visible()
    context.close()
