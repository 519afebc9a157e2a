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
@options.option("--recipient", metavar="SPEC", help="Who keeps the record from there on.")
@options.option("--triage", metavar="SPEC", help="Who predicts department and urgency from there on.")
@options.option("--hospital", metavar="NAME|FILE", help="Where it takes place from there on.")
@options.option("--seed", type=int, help="Chance from there on.")
@options.option(
    "--max-turns", type=click.IntRange(0, 1000), help="Questions the inquirer may ask, the past's included."
)
@options.option("--max-orders", type=click.IntRange(0, 1000), help="Orders it may place, the past's included.")
@options.api_base
@options.aids
@options.single
@click.pass_context
def fork(
    ctx: click.Context,
    /,
    *,
    consultation: str,
    turn: int | None,
    api_base: str | None,
    how: options.Single,
    **changes: Any,
) -> None:
    """Let a consultation go on otherwise from a turn on; a new consultation, the old one stays as it is.

    What is not given stays as it was, so that without any change the same things happen again. Without --turn, the
    branches of the consultation are listed, and how each of them ended.
    """
    if turn is None:
        _list(consultation, how.db, as_json=how.as_json)
        return
    from consult.agents.llm.talk import Models
    from consult.batch.forking import fork_of
    from consult.batch.regiving import plan_of
    from consult.cli.run import play_one
    from consult.cli.showing import find

    parent = find(consultation, how.db, as_kept=True)
    models = Models(api_base=api_base or "", replay=str(how.replay or ""))
    play_one(ctx, fork_of(parent, turn, changes, how.folders, models, plan_of(how.db, parent.id)), how)
    if not how.quiet and not how.as_json:
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
