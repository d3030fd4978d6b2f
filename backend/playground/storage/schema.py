"""The tables of the database. A change here takes a migration in `migrations/versions/`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

REVISION = "0001"
"""The newest migration: a database of this one needs none."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _of(owner: str, primary_key: bool = True) -> Column[str]:
    """The row that this one belongs to, and goes with."""
    at = ForeignKey(f"{owner}s.id", ondelete="CASCADE")
    return Column(
        owner, String(64), at, primary_key=primary_key, nullable=not primary_key, index=not primary_key
    )


sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key_hash", String(64), nullable=False),
    Column("created", Double, nullable=False),
    Column("saved", Double, nullable=False),
    Column("start", JSON, nullable=False),
    Column("config", JSON, nullable=False),
    Column("ahead", JSON, nullable=False),
    Column("state", JSON, nullable=False),
)
session_lines = Table(
    "session_lines",
    metadata,
    _of("session"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("entry", JSON, nullable=False),
)
session_answers = Table(
    "session_answers",
    metadata,
    _of("session"),
    Column("name", String(128), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("answer", JSON, nullable=False),
)
session_files = Table(
    "session_files",
    metadata,
    _of("session"),
    Column("name", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key_hash", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("config", JSON, nullable=False),
    Column("timeline", JSON, nullable=False),
    Column("steps", BigInteger),
    Column("epochs", BigInteger),
    Column("stop", JSON),
    Column("stopped_by", String(64)),
    Column("step", BigInteger, nullable=False),
    Column("epoch", Double, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("marks", JSON, nullable=False),
    Column("resume", JSON, nullable=False),
    Column("parent", JSON),
    Column("created", Double, nullable=False, index=True),
    Column("started", Double),
    Column("ended", Double),
    Column("error", JSON),
    Column("idempotency_key", String(255), unique=True),
    Column("request_hash", String(64)),
)
run_tags = Table("run_tags", metadata, _of("run"), Column("tag", String(255), primary_key=True, index=True))
run_files = Table(
    "run_files",
    metadata,
    _of("run"),
    Column("name", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key_hash", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("spec", JSON, nullable=False),
    Column("created", Double, nullable=False, index=True),
    Column("started", Double),
    Column("ended", Double),
    Column("error", JSON),
    Column("idempotency_key", String(255), unique=True),
    Column("request_hash", String(64)),
)
trials = Table(
    "trials",
    metadata,
    _of("sweep"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("params", JSON, nullable=False),
    Column("seeds", JSON, nullable=False),
    Column("value", Double),
    Column("metrics", JSON, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("started", Double),
    Column("ended", Double),
    Column("error", JSON),
    Column("curves", LargeBinary),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
upload_uses = Table(
    "upload_uses",
    metadata,
    Column("id", Integer, primary_key=True),
    _of("upload", primary_key=False),
    _of("session", primary_key=False),
    _of("run", primary_key=False),
    _of("sweep", primary_key=False),
)
