"""`consult report` and `consult compare`: what a run came to, and two line-ups on the same cells."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consult.cli import options
from consult.cli.output import FILE, STDOUT, note, print_table, write_text
from consult.errors import UsageError

if TYPE_CHECKING:
    from consult.report.comparison import Comparison
    from consult.report.model import Report
    from consult.report.tables import Section
    from consult.show.names import Names
    from consult.store.db import Store


@click.command("report")
@click.argument("run", metavar="RUN")
@options.option("--md", type=FILE, metavar="FILE|-", help="Write every table as Markdown.")
@options.option("--html", type=FILE, metavar="FILE|-", help="Write a page with pictures and transcripts.")
@options.option("--csv", "csv_file", type=FILE, metavar="FILE|-", help="Write one row a consultation.")
@options.scores
@options.db
@options.as_json
def report(
    run: str,
    md: Path | None,
    html: Path | None,
    csv_file: Path | None,
    version: int | None,
    db: Path,
    *,
    as_json: bool,
) -> None:
    """What a run came to: means with intervals, by line-up, persona, department and urgency.

    Without --md, --html, --csv or --json a summary is printed. Several may be given; only one of them to stdout (-).
    """
    if [md, html, csv_file].count(STDOUT) + as_json > 1:
        raise UsageError("--md, --html, --csv and --json: only one can go to stdout (mend: give files to the others)")
    from consult.store.db import Store

    with Store(db, readonly=True) as store:
        if csv_file is not None:
            _csv(store, run, csv_file, version)
        if csv_file is not None and md is None and html is None and not as_json:
            return
        from consult.report.build import report as make

        made = make(store, run, version=version)
        if html is not None:
            write_text(html, _page(store, made), "--html")
        if md is not None:
            from consult.report.markdown import to_markdown

            write_text(md, to_markdown(made, _names(store, run).of), "--md")
    if as_json:
        click.echo(made.model_dump_json(indent=2))
    elif md is None and html is None:
        _summary(made)


def _page(store: Store, made: Report) -> str:
    from consult.html.report import page, wanted

    ids = [row["consultation_id"] for row in store.each(made.run, scores=())]
    transcripts = [store.get(i) for i in wanted(made, ids)]
    return page(made, transcripts, _names(store, made.run))


def _names(store: Store, run: str) -> Names:
    """The words for ids, as of the first consultation."""
    from consult.show.names import Names, names_of

    first = next(iter(store.each(run, scores=())), None)
    return names_of(store.get(first["consultation_id"]).header) if first is not None else Names()


def _csv(store: Store, run: str, to: Path, version: int | None) -> None:
    from consult.report.rows import save_csv, tidy, write_csv

    rows = tidy(store, run, version=version)
    if to == STDOUT:
        write_csv(rows, sys.stdout)
    else:
        note(f"{save_csv(rows, to)} rows written to {to}")


def _summary(r: Report) -> None:
    from consult.report.tables import sections

    d = r.design
    click.echo(
        f"Run {r.run}: {d.consultations} consultations of {d.scenarios} scenarios, {len(d.personas)} personas, "
        f"{len(d.line_ups)} line-ups, {d.epochs} epochs"
    )
    _said(r.notes)
    for section in sections(r):
        if section.brief:
            _section(section)
    note("--md shows every table, --json everything")


def _said(notes: Iterable[str]) -> None:
    for text in notes:
        click.echo(f"Note: {text}")


def _section(s: Section) -> None:
    click.echo(f"\n{s.title}" + (f". {s.text}" if s.text else ""))
    print_table(s.columns, s.rows)


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@options.option("--across-versions", is_flag=True, help="Compare scores of different versions of the scorers.")
@options.option("--md", type=FILE, metavar="FILE|-", help="Write it as Markdown.")
@options.scores
@options.db
@options.as_json
def compare(
    a: str, b: str, across_versions: bool, md: Path | None, version: int | None, db: Path, *, as_json: bool
) -> None:
    """Two line-ups on the same cells: is B better, worse, or are they not told apart?

    A and B are RUN:LINE_UP, or RUN where it has but one; :LINE_UP is one of A's run. Differences are B minus A.
    """
    if md == STDOUT and as_json:
        raise UsageError("--md and --json: only one can go to stdout (mend: give a file to --md)")
    from consult.report.versus import compare as make
    from consult.store.db import Store

    with Store(db, readonly=True) as store:
        made = make(store, a, b, across_versions=across_versions, version=version)
    if md is not None:
        from consult.report.markdown import to_markdown

        write_text(md, to_markdown(made), "--md")
    if as_json:
        click.echo(made.model_dump_json(indent=2))
    elif md is None:
        _compared(made)


def _compared(c: Comparison) -> None:
    from consult.report.tables import comparison

    click.echo(f"A: {c.a.run}:{c.a.line_up}, {c.a.consultations} consultations, {c.a.unpaired} without a partner")
    click.echo(f"B: {c.b.run}:{c.b.line_up}, {c.b.consultations} consultations, {c.b.unpaired} without a partner")
    _said(c.notes)
    click.echo("")
    for score in c.scores:
        if score.score in c.headline:
            click.echo(score.sentence)
    _section(comparison(c))
