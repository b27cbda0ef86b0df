"""``tipstat template``: the standard workbook of a kind of return."""

from __future__ import annotations

from pathlib import Path

import click

from tipstat.errors import UsageError


@click.command(epilog="Example:  tipstat template police --lang es --area PER -o policia_2024.xlsx")
@click.argument("kind", type=click.Choice(["police", "court", "service", "aggregate"]))
@click.option(
    "--lang", type=click.Choice(["en", "es", "fr"]), default="en", show_default=True,
    help="Language of the workbook.",
)  # fmt: skip
@click.option("--area", metavar="CODE", help="Country, alpha-3: filled in, with its offences.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; by default KIND_LANG.xlsx here.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def template(kind: str, lang: str, area: str | None, output: Path | None, force: bool) -> None:
    """Write the standard workbook that a sender of this KIND of return fills in.

    It loads without any layout.
    """
    from loaders.templates import write_template
    from tipstat.rules import refuse

    path = output or Path(f"{kind}_{lang}.xlsx")
    if path.exists() and not force:
        raise refuse("TIP-960", UsageError, where=str(path))
    if not path.resolve().parent.is_dir():
        raise refuse("TIP-962", UsageError, where=str(path.parent))
    write_template(kind, lang, path, reference_area=_area(area))
    click.echo(path)


def _area(area: str | None) -> str | None:
    from tipstat.classification import code_list
    from tipstat.rules import refuse

    known = {code.code for code in code_list("country").codes}
    if area is not None and area.upper() not in known:
        raise refuse("TIP-550", UsageError, where="--area", found=area)
    return area.upper() if area else None
