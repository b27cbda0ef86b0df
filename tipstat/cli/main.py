"""The entry point: commands are imported only when they are called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from tipstat import __version__
from tipstat.errors import ExitCode, TipstatError

#: Command name -> (module of ``tipstat.cli``, attribute, one line of help).
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("workspace", "init", "Make a workspace: the office's own folder."),
    "entity": ("entity", "entity", "Register and list reporting entities and their agreements."),
    "expected": ("expected", "expected", "Register which returns are expected, and by when."),
    "template": ("template", "template", "Write the standard workbook of a kind of return."),
    "layout": ("layout", "layout", "Propose a layout, or see what one would load."),
    "check": ("load", "check", "Check a return and write nothing."),
    "load": ("load", "load", "Check a return and land what may land."),
    "submissions": (
        "submissions",
        "submissions",
        "List, show and compare submissions; show what is missing.",
    ),
    "feedback": ("feedback", "feedback", "Write the reply to a sender in the workbook sent."),
    "supersede": ("submissions", "supersede", "Replace an accepted submission by another."),
    "withdraw": ("submissions", "withdraw", "Take a submission out of the figures."),
    "purge": ("purge", "purge", "Destroy records for good on a legal ground."),
    "build": ("build", "build", "Build the warehouse from the accepted submissions."),
    "quality": ("build", "quality", "Show the quality tables of the last build."),
    "indicators": ("indicators", "indicators", "Print or export a selection of indicators."),
    "reconcile": ("reconcile", "reconcile", "Compare one source with another, cell by cell."),
    "explain": ("explain", "explain", "Say why records are together, what a figure rests on."),
    "report": ("report", "report", "Write the indicator workbook or the ICCS report."),
    "codes": ("codes", "codes", "Look codes and labels up."),
    "doctor": ("doctor", "doctor", "Look the workspace over and mend what can be mended."),
    "upgrade": ("doctor", "upgrade", "Bring the registry to this version, after a backup."),
    "sample": ("sample", "sample", "Write made-up returns of any size, and their figures."),
    "demo": ("demo", "demo", "Load the sample country and Peru, build, and write both reports."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Command names in the order of a return's way through tipstat."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or ``None`` where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(
            importlib.import_module(f"tipstat.cli.{module}"), attribute
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example:  tipstat init office && tipstat -w office template police -o police.xlsx",
)
@click.version_option(__version__, prog_name="tipstat")
@click.option(
    "-w",
    "--workspace",
    type=click.Path(file_okay=False),
    envvar="TIPSTAT_WORKSPACE",
    help="The workspace; otherwise the nearest parent folder with a tipstat.toml.",
)
@click.pass_context
def cli(ctx: click.Context, workspace: str | None) -> None:
    """Statistics on trafficking in persons, from national returns to comparable figures."""
    ctx.obj = workspace


def main() -> None:
    """Run the command line; a refusal is printed in its four parts and sets the exit code."""
    # What tipstat writes is for its owner alone until somebody decides otherwise.
    os.umask(0o077)
    try:
        # Outside click's own handling, ``ctx.exit(n)`` comes back as the value n.
        left_with = cli.main(standalone_mode=False)
    except TipstatError as refusal:
        from tipstat.cli.common import printable

        click.echo(printable(refusal.render(), lines=True), err=True)
        sys.exit(int(refusal.exit_code))
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as misuse:
        misuse.show()
        sys.exit(int(ExitCode.USAGE))
    sys.exit(left_with if isinstance(left_with, int) else int(ExitCode.CLEAN))
