"""Data of one's own: what a file is taken for, what of it is learned, and where a refusal is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.visitor import Visitor
from tests.test_rest_data import workbook

Arrive = Callable[..., Visitor]
PASSENGERS = "PassengerId,Survived,Age,Fare,Cabin\n" + "".join(
    f"{i},{i % 2},{20 + 7 * i % 40},{i * 0.7:.1f},{f'C{i}' if i % 4 == 0 else ''}\n" for i in range(1, 61)
)
MARKS = "sep=;\nhours of study in a week;final marks in percent\n" + "".join(
    f"{i / 2:.1f};{40 + 2 * i} %\n".replace(".", ",") for i in range(25)
)
MANY = "x,y,label\n" + "".join(f"{i},{i * 7 % 11}.5,kind {i}\n" for i in range(12))
EXAM = "hours,passed\n" + "".join(f"{i}.5,{'yes' if i > 9 else 'no'}\n" for i in range(24))
SCREENS = [(1440, 900), (1024, 768), (390, 844)]


def brings(visitor: Visitor, name: str, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    file: Any = {"name": name, "mimeType": "text/csv", "buffer": data}
    visitor.find("csv-input").set_input_files(file)


def uses(visitor: Visitor) -> None:
    visitor.find("csv-apply").click()
    expect(visitor.find("csv-dialog")).to_have_count(0)


def chosen(visitor: Visitor) -> dict[str, str]:
    return {which: visitor.find(f"csv-{which}").input_value() for which in ("x1", "x2", "target")}


def test_rows_are_lost_only_to_columns_that_are_used(visitor: Visitor) -> None:
    # Seen: most rows were lost to the empty cabins, and PassengerId was an input.
    brings(visitor, "passengers of a ship.csv", PASSENGERS)
    expect(visitor.find("csv-size")).to_have_text("60 rows, 5 columns.")
    assert chosen(visitor) == {"x1": "Age", "x2": "Fare", "target": "Survived"}
    uses(visitor)
    told = visitor.waits_until(lambda told: told["config"]["data"]["kind"] == "csv")
    assert told["task"]["input_names"] == ["Age", "Fare"]
    expect(visitor.find("csv-about")).to_contain_text("passengers of a ship.csv")


def test_the_columns_can_be_chosen_after_a_reload(visitor: Visitor) -> None:
    # Seen: the button was gone.
    brings(visitor, "passengers.csv", PASSENGERS)
    uses(visitor)
    visitor.page.reload()
    visitor.find("csv-columns").click()
    assert chosen(visitor) == {"x1": "Age", "x2": "Fare", "target": "Survived"}
    visitor.sets("csv-x2", "PassengerId")
    uses(visitor)
    visitor.waits_until(lambda told: told["task"]["input_names"] == ["Age", "PassengerId"])


def test_one_input_is_drawn_as_a_curve_in_the_units_of_the_file(visitor: Visitor) -> None:
    # Seen: a file of hours and marks was refused, and a regression was shown from -1 to 1.
    brings(visitor, "marks.csv", MARKS)
    expect(visitor.find("csv-task")).to_contain_text("Regression")
    uses(visitor)
    curve = visitor.find("output-curve")
    expect(curve).to_be_visible()
    before = curve.evaluate("e => e.toDataURL()")
    visitor.plays()
    visitor.page.wait_for_function(
        "([curve, before]) => curve.toDataURL() !== before", arg=[curve.element_handle(), before]
    )
    visitor.sets("speed", "e60")
    visitor.waits_for_epoch(300)
    visitor.pauses()
    curve.scroll_into_view_if_needed()
    box = curve.bounding_box()
    assert box is not None
    visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(visitor.find("readout")).to_contain_text("hours of study in a week 6: final marks in percent")
    value = float((visitor.find("readout").text_content() or "").rsplit(" ", 1)[1])
    assert 55 < value < 75
    expect(visitor.find("scaled-target")).to_contain_text("40 counts as −1, 88 as 1")


def test_one_input_parts_classes_by_a_curve(visitor: Visitor) -> None:
    brings(visitor, "exam.csv", EXAM)
    uses(visitor)
    said = re.compile("How probable the network finds no, yes for each hours")
    expect(visitor.find("output-curve")).to_have_attribute("aria-label", said)


def test_the_first_row_may_be_said_to_be_data(visitor: Visitor) -> None:
    # Seen: years above the columns were taken for data, and nothing could be said against it.
    brings(visitor, "years.csv", "2019,2020,2021\n1.5,2,0.5\n3,4.5,1\n5,6,2.5\n4,4,1.5\n")
    expect(visitor.find("csv-header")).to_be_checked()
    assert chosen(visitor)["target"] == "2021"
    visitor.find("csv-header").click()
    expect(visitor.find("csv-size")).to_have_text("5 rows, 3 columns.")
    assert chosen(visitor)["target"] == "column 3"


@pytest.mark.parametrize("screen", SCREENS)
def test_too_many_labels_offer_another_column(arrive: Arrive, screen: tuple[int, int]) -> None:
    # Seen: the whole file was refused.
    visitor = arrive(viewport={"width": screen[0], "height": screen[1]}).open()
    brings(visitor, "many.csv", MANY)
    visitor.sets("csv-target", "label")
    expect(visitor.find("csv-error")).to_contain_text("12 different labels")
    expect(visitor.find("csv-error")).to_be_in_viewport(ratio=1)
    expect(visitor.find("csv-apply")).to_be_disabled()
    visitor.find("csv-better").click()
    expect(visitor.find("csv-error")).to_have_count(0)
    assert chosen(visitor)["target"] == "y"
    uses(visitor)


REFUSED = [
    ("broken.csv", b"a,b,c\n1,2,3\n4,5\n", "Line 3"),
    ("old.xls", bytes.fromhex("D0CF11E0A1B11AE1"), "old Excel format"),
    ("huge.csv", b"1,2,3\n" * 10**6, "5 MB"),
]


@pytest.mark.parametrize("screen", SCREENS)
def test_a_refusal_is_seen_where_the_file_was_chosen(arrive: Arrive, screen: tuple[int, int]) -> None:
    # Seen: it stood below the panel's last button, out of sight.
    visitor = arrive(viewport={"width": screen[0], "height": screen[1]}).open()
    for name, content, said in REFUSED:
        brings(visitor, name, content)
        expect(visitor.find("csv-refusal")).to_contain_text(said)
        expect(visitor.find("csv-refusal")).to_be_in_viewport(ratio=1)


def test_a_workbook_is_learned_from(visitor: Visitor) -> None:
    rows = [["width", "length", "kind"], *([i / 2, i * 7 % 11, "ab"[i % 2]] for i in range(12))]
    brings(visitor, "both.xlsx", workbook(Flowers=rows, Years=[["a", "b", "c"], [1, 2.5, 3], [2, 4, 1]]))
    assert chosen(visitor) == {"x1": "width", "x2": "length", "target": "kind"}
    visitor.sets("csv-sheet", "Years")
    expect(visitor.find("csv-size")).to_have_text("2 rows, 3 columns.")
    visitor.sets("csv-sheet", "Flowers")
    expect(visitor.find("csv-size")).to_have_text("12 rows, 3 columns.")
    uses(visitor)
    visitor.waits_until(lambda told: told["task"]["class_labels"] == ["a", "b"])
