"""The `consult` command: its subcommands, loaded when used, and the one place where errors become exit codes.

Exit codes: 0 fine, 1 a fault of consult itself, 2 bad input, 3 some consultations failed, 4 a threshold was not met,
130 interrupted. Imports click only.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import click

from consult.clean import clean, one_line
from consult.cli.entry import on_a_terminal, open_application, say_what_is_passed_over, somebody_sits_there
from consult.errors import ConsultError

INTERNAL: Final = 1
BAD_INPUT: Final = 2
FAILED: Final = 3
INTERRUPTED: Final = 130

_MENDS: Final = {
    errno.ENOSPC: "make room, then run the same command again",
    errno.EDQUOT: "make room, then run the same command again",
    errno.EIO: "check the disk",
    errno.EMFILE: "close other programs, or raise the limit of open files",
}
COMMANDS: Final = {
    "run": "consult.cli.run:run",
    "batch": "consult.cli.batch:batch",
    "agents": "consult.cli.agents:agents_group",
    "list": "consult.cli.listing:list_group",
    "show": "consult.cli.showing:show",
    "search": "consult.cli.searching:search",
    "replay": "consult.cli.showing:replay",
    "debrief": "consult.cli.debrief:debrief",
    "fork": "consult.cli.forking:fork",
    "play": "consult.cli.playing:play",
    "serve": "consult.cli.serving:serve",
    "score": "consult.cli.scoring:score",
    "report": "consult.cli.report:report",
    "compare": "consult.cli.report:compare",
    "sample": "consult.cli.content:sample",
    "import": "consult.cli.content:import_group",
    "fit": "consult.cli.content:fit_group",
    "check": "consult.cli.content:check",
    "schema": "consult.cli.content:schema",
    "db": "consult.cli.keeping:db_group",
}


class Root(click.Group):
    """The group of all commands; a command's module is imported when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of work, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """A reader that went away (`| head`) is no error; click would leave with code 1."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _drop_output()
            return 0
        return result

    def main(self, *args: Any, prog_name: str | None = None, standalone_mode: bool = True, **extra: Any) -> Any:
        """As click's; in standalone mode every error is one line on stderr and a code."""
        call = partial(super().main, *args, prog_name=prog_name or "consult", standalone_mode=False, **extra)
        if not standalone_mode:
            return call()
        sys.exit(code_of(call))


def code_of(call: Callable[[], Any]) -> int:
    """The exit code of what `call` comes to; an error is said in one line."""
    try:
        result = call()
    except ConsultError as e:
        return _say(str(e), e.exit_code)
    except click.ClickException as e:
        ctx = getattr(e, "ctx", None)
        if e.format_message().startswith("Usage: ") and ctx is not None:  # a group without a subcommand: its help
            return _say(ctx.get_help(), BAD_INPUT)
        return _say(_usage(e), BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except OSError as e:
        where = f"{e.filename}: " if e.filename else ""
        mend = _MENDS.get(e.errno or 0, "check the path and its permissions")
        return _say(f"{where}{one_line(e.strerror or str(e))} (mend: {mend})", BAD_INPUT)
    except Exception as e:
        if os.environ.get("CONSULT_DEBUG"):
            raise
        kind = type(e).__name__
        return _say(one_line(f"internal error: {kind}: {e} (CONSULT_DEBUG=1 shows where)"), INTERNAL)
    return result if isinstance(result, int) else 0


def _usage(e: click.ClickException) -> str:
    ctx = getattr(e, "ctx", None)
    where = ctx.command_path if ctx is not None else "consult"
    text = " ".join(one_line(e.format_message()).split()).rstrip(".")
    return f"{where}: {text} (mend: `{where} --help`)"


def _say(text: str, code: int) -> int:
    with suppress(OSError):  # nobody may be listening on stderr either
        click.echo(clean(text), err=True)
    return code


def _drop_output() -> None:
    """What is still buffered for a reader that has gone is thrown away, or Python complains at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib import metadata

        try:
            number = metadata.version("consult")
        except metadata.PackageNotFoundError:  # run from a checkout that is not installed
            number = "(not installed)"
        click.echo(f"consult {number}")
        ctx.exit()


@click.group(
    cls=Root,
    invoke_without_command=True,
    context_settings={"auto_envvar_prefix": "CONSULT", "help_option_names": ["-h", "--help"]},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Version.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Simulate clinical consultations, score them, and keep them.

    For simulation and teaching, never for care.

    Every option can be set in the environment: CONSULT_RUN_SEED for `consult run --seed`, or CONSULT_SEED for the
    option of that name in every command. CONSULT_PATH lists folders with your own `scenarios/`, `scenarios/hospitals/`
    and `personas/`.
    """
    if ctx.invoked_subcommand is None and not on_a_terminal():
        click.echo(ctx.get_help())
        if somebody_sits_there():
            click.echo("TERM=dumb: no place for the application; `consult play --plain` needs none", err=True)
        return
    if ctx.invoked_subcommand is None:
        open_application()
    else:
        say_what_is_passed_over()


def main() -> int:
    """All but the application, which `consult.cli.entry` opens."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (`>&-`): what would go there is thrown away
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? rather than a traceback
    try:
        cli.main()
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
