"""What is kept in a database: SQLite here, and PostgreSQL; both hold the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from playground.storage import runs, sessions, sweeps, uploads
from playground.storage.errors import StorageRefused
from playground.storage.migration import MIGRATIONS
from playground.storage.runs import RunRow
from playground.storage.schema import REVISION, metadata
from playground.storage.sessions import Changes, SessionRow
from playground.storage.store import Store
from playground.storage.sweeps import SweepRow, TrialRow
from tests import postgres


@pytest.fixture(scope="module")
def postgresql() -> Iterator[postgres.Cluster]:
    found = postgres.programs()
    if found is None:
        pytest.skip("there is no PostgreSQL on this machine: `python -m tests.postgres`")
    with postgres.cluster(found) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The name of an empty one."""
    if request.param == "sqlite":
        return str(tmp_path / "playground.db")
    return request.getfixturevalue("postgresql").new_database()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = Store(database)
    store.open()
    yield store
    store.close()


def run_row(id: str, **more: object) -> RunRow:
    values = {"key_hash": "", "state": "queued", "created": 1.0, "config": {"seed": 1}, "steps": 10}
    return RunRow(**{"id": id, **values, **more})  # pyright: ignore[reportArgumentType]


def test_the_migrations_make_what_the_schema_says(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert store.do_now(differences) == []
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [REVISION]


def test_a_run_comes_back_as_it_was(store: Store, database: str) -> None:
    run = run_row(
        "a", tags=["x", "y"], timeline=[{"step": 5}], metrics={"train_loss": 0.5}, parent={"run": "b"}
    )
    store.do_now(runs.add, run)
    store.do_now(runs.put_file, "a", "weights", b"old")
    store.do_now(runs.put_file, "a", "weights", bytes(range(256)))
    store.close()
    store = Store(database)
    store.open()
    try:
        assert store.do_now(runs.get, "a") == run
        assert store.do_now(runs.get_file, "a", "weights") == bytes(range(256))
        assert store.do_now(runs.get_file, "a", "history") is None
    finally:
        store.close()


def test_what_belongs_to_a_run_goes_with_it(store: Store) -> None:
    store.do_now(runs.add, run_row("a", tags=["x"]))
    store.do_now(runs.put_file, "a", "weights", b"1")
    store.do_now(uploads.keep, "run", "a", {"table": b"1,2"})
    store.do_now(runs.remove, "a")
    store.do_now(uploads.forget_unused)
    assert store.do_now(runs.get, "a") is None
    for table in ("run_tags", "run_files", "upload_uses", "uploads"):
        assert store.do_now(lambda c, t: c.scalar(text(f"SELECT count(*) FROM {t}")), table) == 0


def test_an_upload_is_kept_once_while_somebody_uses_it(store: Store) -> None:
    for name in ("a", "b"):
        store.do_now(runs.add, run_row(name))
        store.do_now(uploads.keep, "run", name, {"table": b"1,2"})
    store.do_now(runs.remove, "a")
    store.do_now(uploads.forget_unused)
    assert store.do_now(uploads.used_by, "run", "b") == {"table": b"1,2"}
    assert store.do_now(uploads.known, ["table", "other"]) == {"table"}


@pytest.mark.parametrize("sort", ["created", "-created", "ended", "-ended", "name", "-name"])
def test_pages_of_runs_are_the_list_in_parts(store: Store, sort: str) -> None:
    ended = [None, 3.0, 1.0, None, 3.0]
    for number, end in enumerate(ended):
        store.do_now(runs.add, run_row(str(number), created=number // 2, ended=end, name=f"n{number % 2}"))
    whole = store.do_now(runs.find, sort=sort)
    assert len(whole) == len(ended)
    column, found, after = sort.removeprefix("-"), [], None
    while page := store.do_now(runs.find, sort=sort, after=after, limit=2):
        found += page
        after = getattr(page[-1], column), page[-1].id
    assert found == whole


def test_runs_are_found_by_state_tag_and_words(store: Store) -> None:
    store.do_now(runs.add, run_row("a", name="A Spiral", tags=["class 7"]))
    store.do_now(runs.add, run_row("b", note="100% sure", state="done", tags=["other"]))

    def found(**by: str) -> list[str]:
        return [run.id for run in store.do_now(runs.find, **by)]  # pyright: ignore[reportArgumentType]

    assert found(state="done") == ["b"]
    assert found(tag="class 7") == ["a"]
    assert found(words="spiral") == found(words="CLASS") == ["a"]
    assert found(words="0%") == ["b"]  # not a pattern
    assert found(words="_") == []


def test_trials_are_taken_in_place_of_those_of_the_same_number(store: Store) -> None:
    store.do_now(sweeps.add, SweepRow(id="s", key_hash="", state="running", created=1.0, spec={"trials": 2}))
    trials = [TrialRow(sweep="s", number=n, state="running", params={"lr": n}) for n in (1, 0)]
    store.do_now(sweeps.put_trials, trials)
    store.do_now(sweeps.put_curves, "s", {0: b"curve"})
    trials[1].state, trials[1].value = "done", 0.25
    store.do_now(sweeps.put_trials, trials)
    assert store.do_now(sweeps.get_trials, "s") == trials[::-1]
    assert store.do_now(sweeps.get_curves, "s", 0) == b"curve"


def test_a_session_comes_back_as_it_was_written(store: Store) -> None:
    row = SessionRow(
        id="s",
        key_hash="k",
        created=1.0,
        saved=1.0,
        start={},
        config={},
        ahead=[{"step": 9}],
        state={"step": 0},
    )
    first = Changes(id="s", row=row, lines=[{"step": 1}], files={"a": b"1"}, uploads={"t": b"x"})
    second = Changes(
        id="s",
        values={"state": {"step": 5}},
        first=1,
        lines=[{"step": 4}, {"step": 5}],
        answers={"c1": (1, {"step": 4}), "c2": (2, {"step": 5})},
        files={"b": b"2"},
        gone=["a"],
    )
    for changes in (first, second):
        store.do_now(sessions.write, [changes])
    stored = store.do_now(sessions.read, "s")
    assert stored is not None
    assert stored.row.state == {"step": 5}
    assert stored.lines == [{"step": 1}, {"step": 4}, {"step": 5}]
    assert stored.answers == {"c1": (1, {"step": 4}), "c2": (2, {"step": 5})}
    assert (stored.files, stored.uploads) == ({"b": b"2"}, {"t": b"x"})
    store.do_now(sessions.write, [Changes(id="s", forgotten=1), Changes(id="s", row=row)])
    stored = store.do_now(sessions.read, "s")
    assert stored is not None
    assert (stored.row, stored.lines, stored.answers, stored.files) == (row, [], {}, {})
    assert store.do_now(sessions.names) == ["s"]
    store.do_now(sessions.remove, ["s"])
    assert store.do_now(sessions.read, "s") is None


def test_nothing_of_work_that_fails_is_written(store: Store) -> None:
    def half(connection: Connection) -> None:
        runs.add(connection, run_row("a"))
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        store.do_now(half)
    assert store.do_now(runs.get, "a") is None


def test_a_second_server_is_refused(store: Store, database: str) -> None:
    second = Store(database)
    with pytest.raises(StorageRefused, match="Another server uses the database"):
        second.open()
    store.close()
    second.open()
    second.close()


def test_a_database_of_a_newer_version_is_refused_as_it_is(store: Store, database: str) -> None:
    store.do_now(
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    )
    store.close()
    with pytest.raises(StorageRefused, match="newer version"):
        Store(database).open()


def test_what_is_no_database_of_ours_is_refused_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "letter.db"
    file.write_text("Dear reader, " * 100)
    with pytest.raises(StorageRefused, match="not an SQLite database"):
        Store(str(file)).open()
    assert file.read_text() == "Dear reader, " * 100
