"""``tipstat codes`` as it is typed."""

import csv
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tipstat.cli.codes import codes
from tipstat.errors import ExitCode, UsageError


def output_of(*arguments: str) -> str:
    result = CliRunner().invoke(codes, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_without_a_list_the_lists_are_shown_with_their_counts():
    rows = json.loads(output_of("--format", "json"))
    counts = {row["list"]: row["codes"] for row in rows}
    assert (counts["iccs"], counts["act"], counts["sex"]) == (320, 5, 3)


def test_titles_of_the_lists_follow_the_language():
    assert "Forma de explotación" in output_of("--lang", "es")


def test_a_table_indents_each_code_under_its_parent():
    lines = output_of("form", "--lang", "fr").splitlines()
    assert any(line.startswith("SEX ") for line in lines)
    (begging,) = [line for line in lines if line.startswith("  SEX_REMOTE")]
    assert "Services sexuels interactifs à distance" in begging


def test_csv_gives_the_parent_in_a_column_instead():
    rows = list(csv.DictReader(output_of("form", "--format", "csv").splitlines()))
    assert {row["code"]: row["parent_code"] for row in rows}["LAB_CHILD"] == "LAB"


@pytest.mark.parametrize("text", ["trata", "TRAITE", "Trafficking"])
def test_a_search_says_list_code_and_language(text):
    rows = json.loads(output_of("--search", text, "--format", "json"))
    assert rows
    assert all(row["list"] and row["code"] and row["lang"] in {"en", "es", "fr"} for row in rows)


def test_a_search_can_be_kept_to_one_list():
    rows = json.loads(output_of("iccs", "--search", "trata", "--format", "json"))
    assert {row["list"] for row in rows} == {"iccs"}
    assert {row["code"] for row in rows} >= {"0204", "02041", "02042", "02043", "02044"}


def test_a_search_without_hit_says_so_and_is_no_error():
    result = CliRunner().invoke(codes, ["--search", "zzzz", "--format", "json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "no label" in result.stderr


def test_an_unknown_list_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError) as refusal:
        CliRunner().invoke(codes, ["froms"], catch_exceptions=False)
    assert refusal.value.exit_code == ExitCode.USAGE
    assert refusal.value.rule == "TIP-760"
    assert refusal.value.nearest == "form"
    assert len(refusal.value.render().splitlines()) == 5


def test_the_command_loads_nothing_heavy():
    script = (
        "import sys; sys.argv = ['tipstat', 'codes', 'sex']\n"
        "from tipstat.cli.main import main; main()\n"
        "heavy = {'duckdb', 'pandas', 'pyarrow', 'dbt', 'sqlalchemy', 'alembic', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Female" in done.stdout
