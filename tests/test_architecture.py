"""Rules about the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

BACKEND = Path(__file__).parent.parent / "backend"

# A file imports only from files below it.
ORDER = [
    "cli",
    "app",
    "page",
    "live",
    "guards",
    "rest",
    "shapes",
    "registry",
    "session",
    "shelf",
    "viewer",
    "history",
    "label",
    "problem",
    "engine",
    "nursery",
    "worker",
    "line",
    "cohorts",
    "liverun",
    "snapshot",
    "fused",
    "kernel",
    "compiling",
    "stack",
    "trail",
    "recording",
    "trainer",
    "change",
    "network",
    "orders",
    "protocol",
    "weights",
    "settings",
    "config",
    "catalogue",
    "tables",
    "lanes",
    "randomness",
    "limits",
]
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "common", "misc"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(BACKEND.rglob("*.py")):
        if path.name != "__init__.py":
            yield path.relative_to(BACKEND).parts[0].removesuffix(".py"), path


def imports(path: Path) -> set[str]:
    """The files and folders of the package that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "backend":
            found |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("backend."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("backend.")}
    return found


def test_every_file_has_its_place() -> None:
    assert {name for name, _ in modules()} == set(ORDER)


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda value: str(value))
def test_imports_point_one_way(name: str, path: Path) -> None:
    below = set(ORDER[ORDER.index(name) + 1 :]) | ({name} if name == "catalogue" else set())
    assert imports(path) <= below


def test_a_file_is_named_after_what_it_is() -> None:
    assert not {path.stem for _, path in modules()} & FORBIDDEN_NAMES


@pytest.mark.parametrize(
    "name", ["stack", "trail", "trainer", "network", "change", "catalogue", "randomness"]
)
def test_the_trainer_knows_nothing_of_processes_and_wires(name: str) -> None:
    foreign = {"asyncio", "json", "socket", "multiprocessing", "fastapi", "uvicorn"}
    for module, path in modules():
        if module == name:
            tree = ast.parse(path.read_text())
            named = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
            assert not named & foreign, path


def test_nothing_is_pickled() -> None:
    for _, path in modules():
        assert "pickle" not in imports_of_all(path), path


def imports_of_all(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
