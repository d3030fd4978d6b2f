"""Finds a PostgreSQL for the tests of the storage, and starts one in a temporary folder.

`python -m tests.postgres` installs one where there is none.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

VARIABLE = "POSTGRES"  # the folder of its programs, to use instead of what is found
FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/bin",
)
START_SECONDS = 60.0


@cache
def programs() -> Path | None:
    """The folder that has `initdb` and `postgres`."""
    if named := os.environ.get(VARIABLE):
        if not (Path(named) / "initdb").is_file():
            raise FileNotFoundError(f"{VARIABLE}={named}: there is no initdb")
        return Path(named)
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for folder in FOLDERS:
        found += sorted(Path("/").glob(folder.removeprefix("/")), reverse=True)
    return next((path for path in found if (path / "initdb").is_file()), None)


def install() -> Path | None:
    """The folder of its programs, installed if need be and if one can."""
    if found := programs():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for attempt in (["apt-get", "update"], ["apt-get", "install", "--yes", "postgresql"]):
            print("No PostgreSQL found:", " ".join(attempt), flush=True)
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(attempt, check=False, env=environment)
        programs.cache_clear()
    return programs()


class Cluster:
    """A running PostgreSQL, reached by a socket in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._made = 0

    def new_database(self) -> str:
        """The URL of an empty one."""
        self._made += 1
        name = f"playground{self._made}"
        with psycopg.connect(
            host=str(self.folder), user="playground", dbname="postgres", autocommit=True
        ) as c:
            c.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://playground@/{name}?host={self.folder}"


@contextmanager
def cluster(found: Path) -> Iterator[Cluster]:
    """PostgreSQL runs for no root: it gets a user of its own then."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    somebody: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = _nobody()
        os.chown(folder, user.pw_uid, user.pw_gid)
        somebody = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = folder / "data"
    made = ["--auth=trust", "--username=playground", "--encoding=UTF8", "--locale=C", "--no-sync"]
    somebody |= {"cwd": folder, "stdout": subprocess.DEVNULL}
    subprocess.run([found / "initdb", "-D", data, *made], check=True, **somebody)
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", f"unix_socket_directories={folder}"]
    server = subprocess.Popen(
        [found / "postgres", "-D", data, *options], stderr=subprocess.DEVNULL, **somebody
    )
    try:
        _wait_until_ready(folder, server)
        yield Cluster(folder)
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder)


def _nobody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("there is no user but root to run PostgreSQL")


def _wait_until_ready(folder: Path, server: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(host=str(folder), user="playground", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start; its exit code is {server.poll()}")


if __name__ == "__main__" and not install():
    # The other tests do not need it.
    print(
        "No PostgreSQL could be installed: the storage will be tested with SQLite alone. Install one, or name"
        f" one: {VARIABLE}=/path/to/bin make test",
        file=sys.stderr,
    )
