"""The README's examples, run as they stand, one after the other as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server import serving

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "http://127.0.0.1:8000"
SETUP = ("make ", "docker ", "PIP_EXTRA_INDEX_URL", "PLAYGROUND_DATABASE")
"""What examples begin with that set up a machine: `make test` itself is one of them."""
COMPONENT = """
import numpy as np
import torch
from playground.catalogue.activations import *
from playground.catalogue.activations import Any, ClassVar, F, Literal, Tensor
"""
TRIED = """
z = torch.linspace(-3, 3, 50, dtype=torch.float64, requires_grad=True)
Tanhshrink().forward(z).sum().backward()
value, slope = Tanhshrink.compiled(z.detach().numpy())
np.testing.assert_allclose(value, Tanhshrink().forward(z).detach(), atol=1e-12)
np.testing.assert_allclose(slope, z.grad, atol=1e-12)
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.S | re.M)


SHELL = [block for block in blocks("sh") if not block.startswith(SETUP)]
PYTHON = [block for block in blocks("python") if "Client" in block]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader works, with the files of the README."""
    folder = tmp_path_factory.mktemp("reader")
    for block in blocks("yaml"):
        name = re.match(r"# (\S+\.yaml)\n", block)
        assert name, block
        (folder / name[1]).write_text(block)
    return folder


@pytest.fixture(scope="module")
def address(kernel: None) -> Iterator[str]:
    """A server of the reader's own: what the examples begin goes on training."""
    with serving() as (address, _):
        yield address


def ran(command: list[str], folder: Path, **environment: str) -> str:
    told = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **environment}
    )
    assert told.returncode == 0, told.stderr + told.stdout
    return told.stdout


def test_the_examples_of_the_shell_work(address: str, folder: Path) -> None:
    """In one shell: what an example names, later ones use."""
    server_examples = [block for block in SHELL if ADDRESS in block]
    script = "set -euo pipefail\n" + "\n".join(server_examples).replace(ADDRESS, address)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    answers = ran(["bash", "-c", script], folder, PATH=path)
    assert f'"step":{50 * 25}' in answers
    assert '"sgd"' in answers
    assert '"train_loss"' in answers
    assert '"name":"Moons"' in answers


def test_the_examples_of_the_command_line_work(kernel: None, folder: Path) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "playground").write_text(f'#!/bin/sh\nexec {sys.executable} -m playground.cli "$@"\n')
    (folder / "bin" / "playground").chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    [example] = [block for block in SHELL if ADDRESS not in block]
    answers = ran(["bash", "-c", f"set -euo pipefail\n{example}"], folder, PATH=path, COLUMNS="120")
    assert "A spiral" in answers
    assert "8 trials" in answers
    assert "import torch" in (folder / "spiral.py").read_text()


@pytest.mark.parametrize("example", PYTHON, ids=range(len(PYTHON)))
def test_the_examples_of_python_work(address: str, folder: Path, example: str) -> None:
    assert ran([sys.executable, "-c", example], folder, PLAYGROUND_SERVER=address)


def test_the_example_of_an_activation_works(folder: Path) -> None:
    [example] = [block for block in blocks("python") if "Client" not in block]
    ran([sys.executable, "-c", COMPONENT + example + TRIED], folder)
