"""`consult serve`: the terminal application in a browser. The address goes to stdout, once, in one line."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from typing import Final

import click

from consult.cli import options
from consult.cli.main import INTERRUPTED
from consult.cli.output import note

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@click.command("serve")
@options.option("--host", default=LOOPBACK[0], show_default=True, help="The address to listen on.")
@options.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Its port; 0: any that is free."
)
@options.db
@click.pass_context
def serve(ctx: click.Context, /, *, host: str, port: int, db: Path) -> None:
    """Open the terminal application in a browser. Prints the address, with a token in it; without it nobody gets in.

    Each page is a session of its own, which ends when the page is closed. Ctrl-C ends all of them; what was under way
    is kept, as in the terminal.
    """
    from consult.web.server import serve as run  # aiohttp: about 0.3 s

    if host not in LOOPBACK:
        note(f"{host} can be reached by others, and what they send can be read on the way (docs/serve.md)")
    if run(db, host, port, partial(click.echo, file=sys.stdout)) == signal.SIGINT:
        note("interrupted")
        ctx.exit(INTERRUPTED)
