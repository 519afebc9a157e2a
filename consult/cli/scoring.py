"""`consult score`: a finished run scored again. The transcripts stay as they are; results are added beside the old."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consult.cli import options
from consult.cli.main import FAILED
from consult.cli.output import counted, note, print_json, print_table
from consult.errors import UsageError
from consult.settings import cores

if TYPE_CHECKING:
    from consult.batch.budget import Budget
    from consult.batch.judging import Asked
    from consult.store.db import Store


@click.command("score")
@click.argument("run")
@options.folders("A folder or file where the run's scenarios are looked for first. Repeatable.")
@options.option("--jobs", type=click.IntRange(1, 1024), help="Processes. Default: one for each core there is work for.")
@options.option(
    "--assessor",
    metavar="SPEC",
    help="Judges beside the scorers: llm:MODEL, or several with commas; one named k times votes k times. Default: none.",
)
@options.rubric
@options.option(
    "--matcher",
    metavar="SPEC",
    help="Who is asked what a diagnosis means that nothing in the knowledge matches: llm:MODEL. Default: nobody.",
)
@options.option("--api-base", metavar="URL", default="", help="An OpenAI-compatible server; else the provider's own.")
@options.option(
    "--concurrency", type=click.IntRange(1, 1024), help="Calls of judges at a time, and consultations. Default: 16."
)
@options.per_minute
@options.option(
    "--budget",
    metavar="LIMITS",
    help="What judges may take in this call: time=2h,consultations=500,calls=,tokens=,cost= or some of them. The same command goes on.",
)
@options.db
@options.as_json
@click.pass_context
def score(
    ctx: click.Context,
    run: str,
    folders: tuple[Path, ...],
    jobs: int | None,
    assessor: str | None,
    rubric: tuple[str, ...],
    matcher: str | None,
    api_base: str,
    concurrency: int | None,
    per_minute: int | None,
    budget: str | None,
    db: Path,
    *,
    as_json: bool,
) -> None:
    """Score the consultations of RUN with the scorers of this consult, without running them.

    What these scorers have scored already is passed over; the same command again finishes what was interrupted. A
    consultation whose scenario, persona, hospital or knowledge has changed has missing scores, with the reason, and the
    exit code is 3. With --assessor, models judge them too, with --matcher one says what diagnoses mean that no name here
    matches; what a model has answered is never paid twice.
    """
    from rich.progress import Progress

    from consult.show import make_console
    from consult.store.db import Store

    how: dict[str, Any] = {"api_base": api_base, "per_minute": per_minute, "concurrency": concurrency}
    asked = _asked(assessor, rubric, matcher, {name: value for name, value in how.items() if value is not None})
    bounds = _bounds(budget, asked)
    came: Counter[str] = Counter()
    console = make_console(stderr=True)
    with Store(db) as store, Progress(console=console, disable=not console.is_terminal) as progress:
        there = store.count(run)
        task = progress.add_task("scoring", total=there)
        for page in _pages(store, run, folders, jobs, asked, there, bounds):
            came += page
            progress.advance(task, page.total())
        versions = store.scorings(run)
        judged = _judged(store, run, asked)
    scored = came.pop("", 0)
    missing = sum(came.values())
    left = max(0, there - _done(versions, asked) - missing) if bounds is not None else 0
    result: dict[str, Any] = {"run": run, "consultations": there, "scored": scored, "missing": missing, "left": left}
    result |= {
        "scored_before": there - scored - missing - left,
        "reasons": dict(came.most_common()),
        "versions": versions,
    }
    result |= {"judged": judged} if judged is not None else {}
    for who, count in judged["same_model"].items() if judged is not None else ():
        note(f"warning: the same model: {who} in {counted(count, 'consultation')}, so it judged itself")
    if as_json:
        print_json(result)
    else:
        _tell(result)
    if missing:
        ctx.exit(FAILED)


def _asked(assessor: str | None, rubrics: tuple[str, ...], matcher: str | None, how: Mapping[str, Any]) -> Asked | None:
    """The models that score; None: there are none."""
    judges = assessor if assessor != "reference" else None
    if rubrics and not judges:
        raise UsageError("--rubric: is for judges (mend: name one by --assessor llm:MODEL)")
    if not judges and not matcher:
        return None
    from consult.batch.judging import Asked
    from consult.judge.matching import matcher_of
    from consult.judge.panel import panel_of

    panel = panel_of(judges, rubrics, **how) if judges else None
    asked = Asked(panel, matcher_of(matcher or "", **how))
    return asked if asked.endpoints else None


def _bounds(budget: str | None, asked: Asked | None) -> Budget | None:
    """The budget of this call; None: without end. Raises UsageError."""
    if not budget:
        return None
    from consult.batch.planning import plan_from

    bounds = plan_from({}, {"budget": budget}).budget
    if asked is None:
        raise UsageError("--budget: is for judges (mend: name one by --assessor llm:MODEL)")
    dear = next((endpoint.name for endpoint in asked.endpoints if endpoint.known_price() is None), None)
    if bounds.cost is not None and dear is not None:
        raise UsageError(f"--budget: the price of {dear} is not known (mend: count tokens or calls)")
    return bounds


def _done(versions: list[dict[str, Any]], asked: Asked | None) -> int:
    """How many consultations these models have scored."""
    if asked is None:
        return 0
    own = asked.scored_by.scorers
    return sum(v["consultations"] - v["missing"] for v in versions if v["scorers"] == own)


def _pages(
    store: Store,
    run: str,
    folders: tuple[Path, ...],
    jobs: int | None,
    asked: Asked | None,
    there: int,
    bounds: Budget | None,
) -> Iterator[Counter[str]]:
    """What became of the consultations, page by page."""
    if asked is None:
        from consult.batch.rescore import PAGE, rescore

        yield from rescore(store, run, folders=folders, jobs=min(jobs or cores(), -(-there // (PAGE // 10)) or 1))
        return
    from consult.batch.budget import Allowed, Budget
    from consult.batch.judging import judge_run
    from consult.llm.client import Client
    from consult.llm.ledger import SqliteLedger

    with Client(ledger=SqliteLedger(store.path.with_suffix(".ledger"))) as client:
        begin = Allowed(bounds or Budget(), client.account).begin
        yield from judge_run(store, run, asked, client, folders=folders, begin=begin)


def _judged(store: Store, run: str, asked: Asked | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    from consult.batch.judging import summed_up

    return summed_up(store, run, asked)


def _tell(result: dict[str, Any]) -> None:
    columns = ("version", "consult", "commit", "created", "consultations", "latest", "missing")
    rows = [[v[c] for c in columns] for v in result["versions"]]
    print_table(columns, rows, spare=("commit", "created", "consult"))
    for reason, n in result["reasons"].items():
        note(f"missing: {counted(n, 'consultation')}: {reason}")
    _tell_judged(result.get("judged", {}).get("rubrics", {}).items())
    before = result["scored_before"]
    note(f"run {result['run']}: {result['scored']} scored now, {before} scored before, {result['missing']} missing")
    if result["left"]:
        note(f"the budget is used up: {counted(result['left'], 'consultation')} left; the same command goes on")


def _tell_judged(rubrics: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """What judges made of the run, a line a rubric; how far they agree where there are several."""
    rows = []
    for name, r in rubrics:
        agreement = r.get("agreement", {})
        shown = [r["mean"], *(agreement.get(c) for c in ("raw", "kappa", "ac1", "alpha"))]
        rows.append([name, r["consultations"], r["missing"], *(None if v is None else round(v, 3) for v in shown)])
    if rows:
        print_table(["rubric", "consultations", "missing", "mean", "agreement", "kappa", "AC1", "alpha"], rows)
