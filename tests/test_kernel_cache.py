"""The kernel is compiled beside everything else, once, and nobody waits for it."""

import ast
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import playground
from playground.training.compiled import cache, kernel
from tests.e2e.server import serving


def test_before_the_kernel_is_compiled_sessions_train_already(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with serving(workers="1") as (address, _), httpx.Client(base_url=address, timeout=60) as client:
        made = client.post("/api/sessions").json()
        authorization = {"Authorization": f"Bearer {made['key']}"}
        told = client.post(f"/api/sessions/{made['id']}/step", json={"steps": 50}, headers=authorization)
        assert told.json()["step"] == 50
        assert client.get("/readyz").json()["trainer"] == "compiling"
        assert not list(tmp_path.rglob("compiled"))


@pytest.mark.usefixtures("kernel")
def test_another_process_finds_the_machine_code():
    program = """
from playground.training.compiled import kernel, loading
loading.load()
for entry in kernel.ENTRIES:
    assert entry.stats.cache_hits and not entry.stats.cache_misses, entry
"""
    assert cache.is_compiled()
    subprocess.run([sys.executable, "-c", program], check=True)


def test_machine_code_depends_on_every_file_that_it_is_made_of():
    here = Path(playground.__file__).parent
    used = set()
    for node in ast.walk(ast.parse(Path(kernel.__file__).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "playground":
            used |= {f"{alias.name}.py" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("playground."):
            used.add(node.module.removeprefix("playground.").replace(".", "/") + ".py")
    assert used
    assert used <= set(cache.SOURCES)
    assert all((here / source).exists() for source in cache.SOURCES)


@pytest.mark.parametrize("place", ["file", "~nobody-of-that-name"])
def test_a_home_that_cannot_be_used_is_no_reason_to_fail(tmp_path, place):
    program = "from playground.training.compiled import cache; print(cache.folder())"
    (tmp_path / "file").write_text("not a folder")
    home = place if place.startswith("~") else tmp_path / place
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "", "XDG_CACHE_HOME": str(home), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(playground.__file__).parent.parent,
    )
    assert Path(told.stdout.strip()).is_relative_to(tmp_path)
