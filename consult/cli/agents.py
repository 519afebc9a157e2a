"""`consult agents test`: whether a model can be reached and used, in plain words."""

from __future__ import annotations

from dataclasses import asdict

import click

from consult.cli import options
from consult.cli.main import FAILED
from consult.cli.output import print_json, print_table


@click.group("agents")
def agents_group() -> None:
    """Look at models before they play a role."""


@agents_group.command("test")
@click.argument("spec", metavar="SPEC")
@options.option("--api-base", metavar="URL", default="", help="An OpenAI-compatible server; else the provider's own.")
@options.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds for one answer.",
)
@options.as_json
@click.pass_context
def test(ctx: click.Context, spec: str, api_base: str, timeout: float, *, as_json: bool) -> None:
    """Ask a model a few short questions: does it answer, hold to a schema, see a picture; how fast, at what price.

    SPEC is llm:MODEL, with the model's name as litellm writes it. It may end as an agent's spec does; +max-tokens=N alone
    counts here. The key comes from the environment: CONSULT_API_KEY with --api-base, else the provider's own variable.
    Exit code 3: it does not answer, or gives no object.
    """
    from consult.agents.llm.spec import probed
    from consult.llm.client import Client
    from consult.llm.endpoint import Endpoint
    from consult.llm.pacing import Retry
    from consult.llm.probe import probe

    model, max_tokens = probed(spec)
    endpoint = Endpoint(model, api_base, timeout=timeout)
    with Client(retry=Retry(attempts=2)) as client:
        found = list(probe(endpoint, client, max_tokens))
    if as_json:
        print_json([asdict(f) for f in found])
    else:
        marks = {True: "yes", False: "no", None: ""}
        rows = [[f.check, marks[f.good], None if f.seconds is None else round(f.seconds, 2), f.words] for f in found]
        print_table(["check", "good", "seconds", "what"], rows)
    if any(f.good is False for f in found):
        ctx.exit(FAILED)
