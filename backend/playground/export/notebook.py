"""A run as a Jupyter notebook: the sections of the script as cells, with words between."""

import json
from typing import Any

from playground.export.pytorch import Script
from playground.export.taken import Taken


def notebook(taken: Taken) -> bytes:
    """In the format of nbformat 4.5. Raises `CannotExport`."""
    head, *rest = Script(taken).sections()
    cells = [_words(0, f"# {taken.name}\n\n{head.words}"), _code(0, head.code)]
    for number, section in enumerate(rest, start=1):
        cells += [_words(number, f"## {section.title}\n\n{section.words}"), _code(number, section.code)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _words(number: int, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": f"words-{number}", "metadata": {}, "source": _lines(text)}


def _code(number: int, text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"code-{number}",
        "metadata": {},
        "outputs": [],
        "source": _lines(text.strip("\n")),
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
