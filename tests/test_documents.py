"""What the documents claim about the code, checked. `python -m tests.test_documents` rewrites the table."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playground.settings import Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
BETWEEN = re.compile(r"(?<=<!-- settings -->\n).*(?=<!-- /settings -->)", re.DOTALL)


def settings_table() -> str:
    rows = ["| variable | default | what it sets |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default if isinstance(field.default, str) else json.dumps(field.default)
        shown = f"`{default}`" if default else ""
        rows.append(f"| `PLAYGROUND_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"


def test_the_readme_lists_every_setting_with_its_default() -> None:
    found = BETWEEN.search(README.read_text())
    assert found is not None
    assert found[0] == settings_table()


PACKAGE, PAGE = ROOT / "backend" / "playground", ROOT / "frontend" / "src"
LEVELS = (ROOT, PACKAGE, PACKAGE / "training", PAGE)


def trees() -> list[list[str]]:
    """The trees of CONTRIBUTING.md, a level each, by lines."""
    return [tree.strip().splitlines() for tree in CONTRIBUTING.read_text().split("```")[1::2]]


def test_contributing_opens_with_trees_of_ten_lines_a_level_at_most() -> None:
    assert len(trees()) == len(LEVELS)
    assert all(len(tree) <= 10 for tree in trees())


def test_the_trees_name_every_folder_and_nothing_that_is_not_there() -> None:
    for folder, tree in zip(LEVELS, trees(), strict=True):
        named = {name for line in tree for name in re.split(r"\s{2,}", line)[:-1]}
        assert [name for name in named if not (folder / name).exists()] == []
        if folder != ROOT:
            folders = {f"{path.name}/" for path in folder.iterdir() if is_tracked(path)}
            assert folders - named == set()


def is_tracked(path: Path) -> bool:
    return path.is_dir() and path.name not in {"__pycache__", "static"}


def test_names_in_the_how_tos_are_names_of_the_code() -> None:
    """Of functions, classes and constants: a reader will search for them."""
    named = set(re.findall(r"`(?:\w+\.)?(\w+)`", CONTRIBUTING.read_text().split("## How to add")[0]))
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert {name for name in named if not re.search(rf"\b{name}\b", code)} == set()


def test_every_file_that_the_documents_link_to_exists() -> None:
    for document in (README, CONTRIBUTING):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (ROOT / target).is_file(), f"{document.name} links to {target}"


if __name__ == "__main__":
    README.write_text(BETWEEN.sub(lambda _: settings_table(), README.read_text()))
