"""Where the kernel's machine code is kept, and the making of it, beside everything else.

Compiling takes a minute, once for each kind of processor and version of the files below; after that the
code is loaded in half a second. So a process of its own compiles, at low priority, and whoever would use the
kernel looks from time to time whether it is done.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numba

from playground.training.compiled.processor import target

SOURCES = (
    *(
        f"training/compiled/{name}.py"
        for name in ("cache", "kernel", "layout", "loading", "processor", "products", "simd", "trainer")
    ),
    *("training/evaluation.py", "training/state.py", "limits.py", "randomness.py"),
    *(
        f"catalogue/{name}.py"
        for name in ("component", "activations", "losses", "margin_losses", "normalizations", "optimizers")
    ),
)
"""What the machine code depends on; numba itself only looks at the file of a function."""


@cache
def folder() -> Path:
    """For this version of the kernel on this kind of processor."""
    here = Path(__file__).parents[2]
    facts = [numba.__version__, str(here), *target()]
    sources = [(here / source).read_bytes() for source in SOURCES]
    name = hashlib.blake2b(b"\0".join([*map(str.encode, facts), *sources]), digest_size=8).hexdigest()
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "neural-network-playground"
    for wanted in (home, Path(tempfile.gettempdir()) / f"neural-network-playground-{os.getuid()}"):
        try:
            place = wanted.expanduser()
            (place / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        except (OSError, RuntimeError):  # a home that is read-only, or none
            continue
        if os.access(place / name, os.W_OK) and place.stat().st_uid == os.getuid():
            return place / name
    return Path(tempfile.mkdtemp())  # compiled anew for each start


def is_compiled() -> bool:
    return (folder() / "compiled").exists()


def note_compiled() -> None:
    (folder() / "compiled").touch()


def compile_beside() -> subprocess.Popen[bytes]:
    """A process that compiles the kernel."""
    command = [sys.executable, "-m", "playground.training.compiled.loading"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=lambda: os.nice(19))
