"""``tipstat codes``: look codes and labels up."""

from __future__ import annotations

import click

from tipstat.cli.common import emit, format_option


@click.command(epilog="Example:  tipstat codes form --lang es   |   tipstat codes --search traite")
@click.argument("list_name", metavar="[LIST]", required=False)
@click.option("--search", metavar="TEXT", help="Find a text in the labels of all languages.")
@click.option(
    "--lang",
    type=click.Choice(["en", "es", "fr"]),
    default="en",
    show_default=True,
    help="Language of the labels.",
)
@format_option
def codes(list_name: str | None, search: str | None, lang: str, fmt: str) -> None:
    """Show the code lists, the codes of one LIST, or where a text occurs in the labels.

    In a table each code is indented under its broader code. A label that a language lacks is shown
    in English. Together with LIST, --search looks in that list only.
    """
    if list_name is not None:
        _known(list_name)
    if search is not None:
        _show_hits(search, list_name, fmt)
    elif list_name is not None:
        _show_list(list_name, lang, fmt)
    else:
        _show_lists(lang, fmt)


def _known(list_name: str) -> None:
    from difflib import get_close_matches

    from tipstat.classification import list_names
    from tipstat.errors import UsageError
    from tipstat.rules import refuse

    if list_name in list_names():
        return
    near = get_close_matches(list_name.lower(), list_names(), n=1, cutoff=0.4)
    raise refuse(
        "TIP-760", UsageError, where="codes", found=f'"{list_name}"', nearest="".join(near)
    )


def _show_lists(lang: str, fmt: str) -> None:
    from tipstat.classification import code_list, label, list_names

    rows = [
        {
            "list": name,
            "title": label("code_list", name, lang),
            "codes": len(code_list(name).codes),
        }
        for name in list_names()
    ]
    emit(rows, ["list", "title", "codes"], fmt)


def _show_list(list_name: str, lang: str, fmt: str) -> None:
    from tipstat.classification import code_list, label

    tree = fmt == "table"
    rows = [
        {
            "code": "  " * depth * tree + code.code,
            "parent_code": code.parent_code,
            "label": label(list_name, code.code, lang),
            "source": code.source,
            "source_code": code.source_code,
            "confidence": code.confidence,
        }
        for depth, code in code_list(list_name).as_tree()
    ]
    columns = ["code", "parent_code", "label", "source", "source_code", "confidence"]
    emit(rows, [name for name in columns if not (tree and name == "parent_code")], fmt)


def _show_hits(text: str, list_name: str | None, fmt: str) -> None:
    from tipstat.classification import search

    rows = [
        {"list": hit.list_name, "code": hit.code, "lang": hit.lang, "label": hit.label}
        for hit in search(text)
        if list_name in (None, hit.list_name)
    ]
    emit(rows, ["list", "code", "lang", "label"], fmt)
    if not rows:
        click.echo("no label holds that text", err=True)
