"""Where the project's own data live: inside the wheel, or in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def project_root() -> Path:
    """The folder that holds ``dbt_project.yml``, models, seeds, macros and migrations.

    Returns:
        ``tipstat/_project`` in an installed wheel, else the root of the checkout.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "_project", package.parent):
        if (candidate / "dbt_project.yml").is_file():
            return candidate
    raise FileNotFoundError("the tipstat installation lacks its dbt project; install it again")


def seeds_dir() -> Path:
    """The folder of the classification: ``code_lists``, ``labels``, ``catalogue`` and the rest."""
    return project_root() / "seeds"


def migrations_dir() -> Path:
    """The folder of the Alembic migrations of the registry."""
    return project_root() / "migrations"


def examples_dir() -> Path:
    """The folder of the sample country and of the real file that the demo loads."""
    return project_root() / "examples"
