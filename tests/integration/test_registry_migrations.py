"""The registry's migrations: up, down and up again on both engines, with rows in the tables."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from registry_support import ENGINES, header, make_workspace, registry_url, write_events

from tipstat.errors import WorkplaceError
from tipstat.landing import land
from tipstat.project import migrations_dir
from tipstat.registry import engine as engines
from tipstat.registry import migrate, revision
from tipstat.registry.models import Base
from tipstat.registry.revision import head_revision, known_revisions
from tipstat.workspace import Workspace

LATER = '''"""A later registry."""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9001", "{before}"
branch_labels = depends_on = None


def upgrade():
    with op.batch_alter_table("reporting_entity", recreate="{recreate}") as table:
        table.add_column(sa.Column("telephone", sa.String(40)))
    {also}


def downgrade():
    with op.batch_alter_table("reporting_entity", recreate="{recreate}") as table:
        table.drop_column("telephone")
'''


@pytest.fixture(params=ENGINES)
def ws(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose registry has rows that refer to each other."""
    with registry_url(request.param) as url:
        made = make_workspace(tmp_path / "office", url)
        registry = made.registry()
        registry.add_authorisation(
            "NPF", "MIN", purpose="study", legal_basis="Act", expires_on=date(2099, 1, 1)
        )
        earlier = land(made, header(), write_events)
        changed = header(file_sha256="b" * 64, intent="REPLACES", earlier_submission=earlier)
        land(made, changed, write_events)
        yield made


def url_of(ws: Workspace) -> sa.URL:
    return engines.resolve_url(ws.registry_url, ws.root)


def counts(ws: Workspace) -> dict[str, int]:
    with engines.make_engine(url_of(ws)).connect() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def use_later(
    monkeypatch: pytest.MonkeyPatch, ws: Workspace, folder: Path, also: str = "pass"
) -> None:
    """Let tipstat have one revision more, which rebuilds a table that others refer to."""
    shutil.copytree(migrations_dir(), folder)
    recreate = "always" if engines.is_sqlite(url_of(ws)) else "auto"
    text = LATER.format(before=head_revision(), recreate=recreate, also=also)
    (folder / "versions" / "9001_later.py").write_text(text)
    monkeypatch.setattr(migrate, "migrations_dir", lambda: folder)
    monkeypatch.setattr(revision, "migrations_dir", lambda: folder)


def test_the_revisions_read_from_file_names_are_those_of_alembic() -> None:
    scripts = ScriptDirectory(str(migrations_dir()))
    assert scripts.get_current_head() == head_revision()
    assert {script.revision for script in scripts.walk_revisions()} == set(known_revisions())


def test_models_and_migrations_make_the_same_tables(ws: Workspace) -> None:
    with engines.make_engine(url_of(ws)).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_models_and_migrations_make_the_same_constraints(tmp_path: Path) -> None:
    """What alembic does not compare: checks, partial indexes, names."""
    ws = make_workspace(tmp_path / "office")
    models = sa.create_engine(f"sqlite:///{tmp_path / 'models.sqlite'}")
    Base.metadata.create_all(models)
    assert _schema(tmp_path / "models.sqlite") == _schema(ws.root / "registry.sqlite")


def _schema(path: Path) -> dict[str, list[str]]:
    query = "select name, sql from sqlite_master where sql is not null"
    rows = sqlite3.connect(path).execute(query).fetchall()
    return {
        name: sorted(re.sub(r"[\s\"]+", " ", line).strip(" ,)") for line in sql.splitlines())
        for name, sql in rows
        if name != "alembic_version"
    }


def test_up_down_and_up_again_with_rows_in_the_tables(ws: Workspace) -> None:
    assert all(counts(ws)[name] for name in ("submission_coverage", "submission_relation"))
    migrate.migrate(url_of(ws), "base")
    with engines.make_engine(url_of(ws)).connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
    migrate.migrate(url_of(ws), "head")
    assert set(counts(ws).values()) == {0}


def test_a_later_revision_up_down_and_up_keeps_every_row(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    head, before = head_revision(), counts(ws)
    use_later(monkeypatch, ws, tmp_path / "migrations")
    for target in ("head", head, "head"):
        migrate.migrate(url_of(ws), target)
        assert counts(ws) == before


def test_an_older_registry_is_refused_until_it_is_upgraded(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, entities = head_revision(), len(ws.registry().entities())
    use_later(monkeypatch, ws, tmp_path / "migrations")
    with pytest.raises(WorkplaceError, match=r"TIP-912(?s:.*)tipstat upgrade"):
        ws.registry()
    done = migrate.upgrade_registry(ws.registry_url, ws.root, backed_up=True)
    assert (done.before, done.after) == (before, "9001")
    assert len(ws.registry().entities()) == entities
    assert (done.backup is not None) == engines.is_sqlite(url_of(ws))


def test_the_backup_of_an_upgrade_is_a_whole_registry_for_its_owner_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ws = make_workspace(tmp_path / "office")
    use_later(monkeypatch, ws, tmp_path / "migrations")
    backup = migrate.upgrade_registry(ws.registry_url, ws.root, backed_up=False).backup
    assert backup is not None
    rows = sqlite3.connect(backup).execute("select id from reporting_entity order by id")
    assert rows.fetchall() == [("MIN",), ("NPF",)]
    assert backup.stat().st_mode & 0o077 == 0


@pytest.mark.postgres
def test_a_postgresql_registry_is_upgraded_only_after_a_backup(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with registry_url("postgresql") as url:
        ws = make_workspace(tmp_path / "office", url)
        use_later(monkeypatch, ws, tmp_path / "migrations")
        with pytest.raises(WorkplaceError, match="TIP-924"):
            migrate.upgrade_registry(ws.registry_url, ws.root, backed_up=False)


def test_a_newer_registry_is_refused(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as later:
        use_later(later, ws, tmp_path / "migrations")
        migrate.migrate(url_of(ws), "head")
    for attempt in (
        ws.registry,
        lambda: migrate.upgrade_registry(ws.registry_url, ws.root, backed_up=True),
    ):
        with pytest.raises(WorkplaceError, match=r"TIP-913(?s:.*)upgrade tipstat"):
            attempt()


def test_an_upgrade_that_would_break_references_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ws = make_workspace(tmp_path / "office")
    land(ws, header(), write_events)
    before = counts(ws)
    damage = "op.execute(\"delete from reporting_entity where id = 'NPF'\")"
    use_later(monkeypatch, ws, tmp_path / "migrations", also=damage)
    with pytest.raises(WorkplaceError, match="TIP-927"):
        migrate.migrate(url_of(ws), "head")
    monkeypatch.undo()
    assert counts(ws) == before
    assert len(ws.registry().entities()) == 2
