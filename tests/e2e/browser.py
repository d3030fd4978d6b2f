"""Finds a Chromium for the browser tests and the bench.

`python -m tests.e2e.browser` installs one where there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

VARIABLE = "CHROMIUM"  # a path, to use instead of what is found
# The shell has no window to draw, so the tests take a third less time with it.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Containers give Chromium no sandbox of its own, and the tests open only pages of this server.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page of another site, which a test makes up, may hold this machine's server in a frame. Nobody
    # sees the suggestions below the address, which are pages of their own.
    "--disable-features=LocalNetworkAccessChecks,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
]


def on_path() -> str | None:
    """The browser of the environment variable or of PATH."""
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise FileNotFoundError(f"{VARIABLE}={named}: no such file")
        return named
    return next(filter(None, map(shutil.which, NAMES)), None)


def playwrights_own() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> str:
    """The path of a browser, installed if need be. Raises RuntimeError where nothing helps."""
    found = on_path() or playwrights_own()
    if found:
        return found
    root = os.geteuid() == 0
    attempts = [[sys.executable, "-m", "playwright", "install", *(["--with-deps"] * root), "chromium"]]
    if root and shutil.which("apt-get"):
        attempts += [["apt-get", "update"], ["apt-get", "install", "--yes", "chromium-headless-shell"]]
    for attempt in attempts:
        print("No Chromium found:", " ".join(attempt), flush=True)
        subprocess.run(attempt, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
        found = on_path() or playwrights_own()
        if found:
            return found
    raise RuntimeError(
        f"No Chromium could be installed. Install one, or name one: {VARIABLE}=/path/to/chromium make test"
    )


if __name__ == "__main__":
    try:
        install()
    except (RuntimeError, FileNotFoundError) as error:
        sys.exit(str(error))
