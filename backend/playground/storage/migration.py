"""Brings a database to the newest revision of the schema."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, inspect, select, table

from playground.i18n import say
from playground.storage.errors import StorageRefused
from playground.storage.schema import REVISION

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION = table("alembic_version", column("version_num"))


def migrate(connection: Connection) -> None:
    """Raises `StorageRefused` for a database of a later version of the playground, or of somebody else."""
    names = set(inspect(connection).get_table_names())
    known = connection.scalar(select(VERSION.c.version_num)) if VERSION.name in names else None
    if known == REVISION:
        return
    if known is None and names - {VERSION.name}:
        raise StorageRefused(say("storage.foreign"))
    # Here, not above: it takes as long to import as the rest of the start, and is needed once.
    from alembic import command
    from alembic.script import ScriptDirectory

    config: Any = configuration(connection)
    if known is not None and known not in {
        s.revision for s in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise StorageRefused(say("storage.newer", revision=known))
    command.upgrade(config, "head")


def configuration(connection: Connection) -> Any:
    """Alembic's `Config`."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
