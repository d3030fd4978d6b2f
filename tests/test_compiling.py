"""The kernel is compiled beside everything else, once, and nobody waits for it."""

import ast
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from playground.training.compiled import cache as compiling
from playground.training.compiled import kernel
from tests.e2e.server import serving


def test_before_the_kernel_is_compiled_sessions_train_already(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with serving(workers="1") as (address, _), httpx.Client(base_url=address, timeout=60) as client:
        made = client.post("/api/sessions").json()
        authorization = {"Authorization": f"Bearer {made['key']}"}
        told = client.post(f"/api/sessions/{made['id']}/step", json={"steps": 50}, headers=authorization)
        assert told.json()["step"] == 50
        assert not list(tmp_path.rglob("compiled"))


def test_another_process_finds_the_machine_code():
    program = """
from playground.training.compiled import trainer as fused
from playground.training.compiled import kernel
fused.load()
for entry in (kernel.train, kernel.assess, kernel.draw):
    assert entry.stats.cache_hits and not entry.stats.cache_misses, entry
"""
    assert compiling.is_compiled()
    subprocess.run([sys.executable, "-c", program], check=True)


def test_machine_code_depends_on_every_file_that_it_is_made_of():
    here = Path(kernel.__file__).parent
    used = set()
    for node in ast.walk(ast.parse(Path(kernel.__file__).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "backend":
            used |= {f"{alias.name}.py" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("backend."):
            used.add(node.module.removeprefix("backend.").replace(".", "/") + ".py")
    assert used <= set(compiling.SOURCES)
    assert all((here / source).exists() for source in compiling.SOURCES)


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
        cwd=Path(kernel.__file__).parent.parent,
    )
    assert Path(told.stdout.strip()).is_relative_to(tmp_path)
