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


def test_contributing_opens_with_a_tree_of_every_file_and_folder() -> None:
    tree = CONTRIBUTING.read_text().split("```")[1]
    named = set(re.findall(r"[\w.-]+\.py\b|[\w-]+/", tree))
    files = {path.name for path in (ROOT / "backend").rglob("*.py")}
    folders = {f"{path.name}/" for path in (ROOT / "frontend/src").iterdir() if path.is_dir()}
    assert (files - {"__init__.py"} | folders) - named == set()
    assert {name for name in named if name.endswith(".py")} - files == {"hatch_build.py"}


def test_every_file_that_the_documents_link_to_exists() -> None:
    for document in (README, CONTRIBUTING):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (ROOT / target).is_file(), f"{document.name} links to {target}"


if __name__ == "__main__":
    README.write_text(BETWEEN.sub(lambda _: settings_table(), README.read_text()))
