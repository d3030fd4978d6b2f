"""Rules about the code itself; which way imports point is import-linter's to check, in pyproject.toml."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "backend" / "playground"
SOURCES = [path for folder in ("backend", "tests", "bench") for path in sorted((ROOT / folder).rglob("*.py"))]

FORBIDDEN_NAMES = {"utils", "helpers", "manager", "common", "misc"}
MODULE_LINES, CLASS_METHODS, FUNCTION_LINES = 500, 25, 60
LONG_MODULES = {"kernel.py", "simd.py"}
"""The machine code of training: one algorithm, and one type."""

EVERY_MODULE = """
import importlib, pkgutil, threading
import playground

for module in pkgutil.walk_packages(playground.__path__, "playground."):
    importlib.import_module(module.name)
assert threading.active_count() == 1, threading.enumerate()
"""
WEB_ALONE = """
import sys
import playground.web.app
from playground.run.description import describe

describe()  # as the first page asks for it
foreign = ("numba", "sklearn", "playground.training", "playground.worker")
print(*(name for name in sys.modules if name.startswith(foreign)))
"""


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", node


def in_an_empty_home(program: str, home: Path) -> str:
    """What the program prints that runs where it may write nothing but into `home`."""
    environment = {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}
    home.chmod(0o500)
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment | {"HOME": str(home), "TMPDIR": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def test_a_file_is_named_after_what_it_is() -> None:
    names = {part.removesuffix(".py") for path in SOURCES for part in path.relative_to(ROOT).parts}
    assert not names & FORBIDDEN_NAMES


def test_modules_are_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES if path.name not in LONG_MODULES}
    assert {str(path): lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_classes_have_few_methods() -> None:
    many = {}
    for place, node in nodes():
        if isinstance(node, ast.ClassDef):
            methods = {m.name for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)}
            many |= {f"{place} {node.name}": len(methods)} if len(methods) > CLASS_METHODS else {}
    assert many == {}


def test_functions_are_short() -> None:
    long = {}
    for place, node in nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            long |= {f"{place} {node.name}": lines} if lines > FUNCTION_LINES else {}
    assert long == {}


def test_nothing_happens_at_import(tmp_path: Path) -> None:
    assert in_an_empty_home(EVERY_MODULE, tmp_path) == ""
    assert list(tmp_path.iterdir()) == []


def test_the_web_process_loads_neither_the_kernel_nor_a_trainer(tmp_path: Path) -> None:
    assert in_an_empty_home(WEB_ALONE, tmp_path) == ""
