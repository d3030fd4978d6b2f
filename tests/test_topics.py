"""The course, row by row: every concept that the playground lets people see, with the numbers of books.

Each row can be set in a config, so through the page and the API, and its check values hold here. Whole
behaviours are tested in the files of their own; the oracles against torch run over the whole catalogue in
test_catalogue.py.
"""

import pytest

import tests.course.functions
import tests.course.networks
import tests.course.training  # noqa: F401
from tests.course.rows import ROWS

ELSEWHERE = {
    "O7": "the race of optimizers on known surfaces",
    "B3": "stepping through backpropagation",
    "B7": "histograms over time",
    "N5": "search of hyperparameters",
}
"""Rows that are not part of a session."""
LENGTHS = {"A": 10, "L": 8, "O": 8, "B": 7, "R": 9, "N": 6}
COURSE = [f"{part}{number}" for part, length in LENGTHS.items() for number in range(1, length + 1)]


def test_no_row_is_missing() -> None:
    assert set(ROWS) | set(ELSEWHERE) == set(COURSE)
    assert not set(ROWS) & set(ELSEWHERE)


@pytest.mark.parametrize("name", [name for name in COURSE if name not in ELSEWHERE])
def test_a_row_of_the_course_has_its_numbers(name: str) -> None:
    _, check = ROWS[name]
    check()
