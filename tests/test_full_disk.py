"""A database that takes nothing: at start nothing is lost, and later everything goes on without it."""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from playground import cli, limits
from playground.storage import sessions
from playground.storage.errors import StorageRefused
from playground.storage.store import Store
from tests.conftest import Running, Serve
from tests.guest import Guest

NewSession = Callable[..., Guest]
NOBODY = 65534
LARGE = {"hidden": [{"width": 200}, {"width": 200}]}


@pytest.fixture
def running(serve: Serve) -> Iterator[Running]:
    """A server of its own: in a database that others have used there are free pages."""
    with serve() as running:
        yield running


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.address, timeout=60) as client:
        yield client


@pytest.fixture
def full(running: Running) -> Iterator[Callable[[bool], None]]:
    """Says whether the disk is full, as far as the database knows."""
    store: Store = running.server._app.state.store

    def set_full(is_full: bool) -> None:
        pages = store.do_now(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one())
        most = pages if is_full else 2**30
        store.do_now(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {most}"))

    yield set_full
    set_full(False)


def readiness(client: httpx.Client) -> dict[str, Any]:
    return client.get("/readyz").json()


async def test_training_goes_on_while_the_disk_is_full(
    full: Callable[[bool], None], client: httpx.Client, new_session: NewSession, running: Running
) -> None:
    guest = new_session()
    async with guest.watch() as page:
        await page.event("hello")
        full(True)
        await page.do(type="play")
        changed = await page.do(type="change", change=LARGE)
        assert changed["type"] == "ack"
        notice = await page.event("notice", code="notice.not_saved")
        assert "the disk is full" in notice["detail"]
        assert readiness(client)["database"]["code"] == "storage.full"
        await page.until(lambda: page.frames and page.frames[-1][0]["step"] > changed["step"])
        assert (await page.do(type="change", change={"l2": 0.01}))["type"] == "ack"
        full(False)
        await page.event("notice", code="notice.saved_again")
    assert readiness(client)["database"] is None
    stored = running.server._app.state.store.do_now(sessions.read, guest.id)
    assert [line["change"] for line in stored.lines] == [LARGE, {"l2": 0.01}]


def test_a_full_disk_is_named_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DATABASE_FREE_BYTES", 2**63)
    with pytest.raises(StorageRefused, match="the disk is full"):
        Store(str(tmp_path / "playground.db")).open()


def test_a_folder_that_may_only_be_read_is_named_at_start() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        store = Store(str(folder / "playground.db"))
        store.open()
        store.close()
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path == folder else 0o444)
        store = Store(str(folder / "playground.db"))
        if os.geteuid() == 0:  # who may write everywhere; its thread works as somebody else
            store._thread.submit(ctypes.CDLL(None).setfsuid, NOBODY).result()
        with pytest.raises(StorageRefused, match="may not be written"):
            store.open()
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


def test_the_command_line_says_why_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear reader, " * 100)
    told = CliRunner().invoke(cli.main, ["serve", "--port", "0", "--database", str(tmp_path / "letter.db")])
    assert told.exit_code == 1
    assert told.stderr.splitlines()[-1] == (
        f"The database {tmp_path}/letter.db cannot be used: the file is not an SQLite database."
    )


def test_a_second_server_on_a_database_is_refused(serve: Serve, running: Running) -> None:
    name = running.server._app.state.settings.database
    told = CliRunner().invoke(cli.main, ["serve", "--port", "0", "--database", name])
    assert told.exit_code == 1
    assert "Another server uses the database" in told.stderr
