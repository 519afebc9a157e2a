"""`consult fork`: the same past, another future; and the branches that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consult.cli import options
from consult.cli.output import note, print_json, print_table


@click.command("fork")
@click.argument("consultation", metavar="ID|FILE.jsonl")
@options.option(
    "--turn", type=click.IntRange(0), help="Go on from the answer to this question; 0: from the patient's first words."
)
@options.option("--say", metavar="TEXT", help="Words that the doctor begins with.")
@options.option(
    "--result",
    "results",
    multiple=True,
    metavar="ORDER=TEXT[/FINDING…]",
    help="What the examiner answers to an order from there on, instead of the case. Repeatable.",
)
@options.option("--persona", metavar="NAME[@GRADE][+AXIS=V]|FILE", help="The patient's temperament from there on.")
@options.option("--inquirer", metavar="SPEC", help="The doctor from there on.")
@options.option("--patient", metavar="SPEC", help="Who plays the patient from there on.")
@options.option("--triage", metavar="SPEC", help="Who predicts department and urgency from there on.")
@options.option("--hospital", metavar="NAME|FILE", help="Where it takes place from there on.")
@options.option("--seed", type=int, help="Chance from there on.")
@options.option(
    "--max-turns", type=click.IntRange(0, 1000), help="Questions the inquirer may ask, the past's included."
)
@options.option("--max-orders", type=click.IntRange(0, 1000), help="Orders it may place, the past's included.")
@options.folders("A folder or file where the scenario is looked for first. Repeatable.")
@options.db
@options.option("--no-save", is_flag=True, help="Keep nothing.")
@options.as_json
@options.option("--quiet", is_flag=True, help="Print the dialogue only.")
@click.pass_context
def fork(
    ctx: click.Context,
    /,
    *,
    consultation: str,
    turn: int | None,
    folders: tuple[Path, ...],
    db: Path,
    no_save: bool,
    as_json: bool,
    quiet: bool,
    **changes: Any,
) -> None:
    """Let a consultation go on otherwise from a turn on; a new consultation, the old one stays as it is.

    What is not given stays as it was, so that without any change the same things happen again. Without --turn, the
    branches of the consultation are listed, and how each of them ended.
    """
    if turn is None:
        _list(consultation, db, as_json=as_json)
        return
    from consult.batch.forking import fork_of
    from consult.cli.run import play_here, report_end, store_at
    from consult.cli.showing import find

    parent = find(consultation, db, as_kept=True)
    setup = fork_of(parent, turn, changes, folders)
    with store_at(None if no_save else db) as store:
        past = len(setup.past.events) if setup.past is not None else 0
        transcript = play_here(setup, None if as_json else "plain" if quiet else "full", past=past)
        if store is not None:
            transcript = transcript.renamed(store.save(transcript, cell=setup.cell))
    report_end(ctx, transcript, as_json=as_json, where="" if no_save or quiet else str(db))
    if not quiet and not as_json:
        note(f"forked from {parent.id} after question {turn} (`consult fork {parent.id}` lists its branches)")


def _list(consultation: str, db: Path, *, as_json: bool) -> None:
    from consult.report.branches import SCORES, family
    from consult.store.db import Store

    with Store(db, readonly=True) as store:
        branches = family(store, consultation)
    if as_json:
        print_json([b.plain() for b in branches])
        return
    rows = [
        [f"{'· ' * b.depth}{b.id}", b.after, b.changed, b.row["turns"], b.row["stop_reason"], b.row["top"],
         b.row["correct"], *(b.row["scores"].get(name) for name in SCORES)]
        for b in branches
    ]  # fmt: skip
    columns = ["consultation", "same until", "then otherwise", "turns", "end", "said", "right"]
    columns += [name.partition(".")[2] for name in SCORES]
    print_table(columns, rows, spare=("turns", *columns[-2:], "end"))
