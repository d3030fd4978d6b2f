"""Data of one's own over HTTP, against the real server."""

import zipfile
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from openpyxl import Workbook
from PIL import Image

from playground import limits
from tests.guest import Guest, assert_problem

NewSession = Callable[..., Guest]
TABLE = b"width,length,species\n1,2,a\n2,1,b\n3,4,a\n4,3,b\n5,6,a\n6,5,b\n"


def test_a_csv_is_uploaded_and_learned(client: httpx.Client, new_session: NewSession) -> None:
    answer = client.post("/api/datasets", files={"file": ("leaves.csv", TABLE)})
    assert answer.status_code == 201, answer.text
    table = answer.json()
    assert (table["rows"], table["task"], table["classes"]) == (6, "binary", 2)
    assert [column["name"] for column in table["columns"]] == ["width", "length", "species"]
    assert table["chosen"] == {"x1": "width", "x2": "length", "target": "species", "inputs": []}
    guest = new_session({"data": {"kind": "csv", "id": table["id"]}})
    assert guest.created["task"]["class_labels"] == ["a", "b"]
    assert guest.do("POST", "/step", {"steps": 3})["step"] == 3
    other = new_session()
    other.do("PATCH", "/config", {"data": {"kind": "csv", "id": table["id"], "x1": "length", "x2": "width"}})
    assert other.look()["task"]["input_names"] == ["length", "width"]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "file"),
        (b"\x00\x01\x02\xff", "file"),
        (b"a,b,c\n1,2,3\n1,2\n", "file"),
        (b"a,b,c\nx,y,z\nu,v,w\n", "file"),
        (b"a,c\n1,x\n2,x\n", "x1"),
        (bytes.fromhex("D0CF11E0A1B11AE1"), "file"),
        (b"PK\x03\x04 and no workbook", "file"),
    ],
)
def test_a_broken_csv_is_refused(client: httpx.Client, content: bytes, field: str) -> None:
    assert_problem(client.post("/api/datasets", files={"file": ("broken.csv", content)}), 422, field)


def test_a_huge_csv_is_refused(client: httpx.Client) -> None:
    content = b"1,2,3\n" * (limits.CSV_BYTES // 6 + 6000)
    huge = client.post("/api/datasets", files={"file": ("huge.csv", content)})
    assert "A file may have at most 5 MB" in assert_problem(huge, 413)["detail"]


def upload(client: httpx.Client, name: str, content: bytes, **form: str) -> dict[str, Any]:
    answer = client.post("/api/datasets", files={"file": (name, content)}, data=form)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_table_is_described_again_as_long_as_it_is_kept(client: httpx.Client) -> None:
    # Seen: after a reload the page knew no columns to choose from.
    uploaded = upload(client, "leaves.csv", TABLE)
    again = client.get(f"/api/datasets/{uploaded['id']}")
    assert again.status_code == 200
    assert again.json() == {name: uploaded[name] for name in again.json()}
    assert (again.json()["file"], again.json()["targets"][0]) == ("leaves.csv", "species")
    assert_problem(client.get("/api/datasets/nothing"), 404)


def test_rows_count_as_dropped_only_for_chosen_columns(client: httpx.Client) -> None:
    content = b"a,b,c\n1,,x\n2,5,y\n3,,x\n4,7,y\n5,8,x\n"
    table = upload(client, "gaps.csv", content)
    assert (table["rows"], table["dropped"]) == (5, 2)
    assert [column["missing"] for column in table["columns"]] == [0, 2, 0]
    assert table["preview"][0] == [1, None, "x"]
    data = {"kind": "csv", "id": table["id"], "x1": "a", "x2": "b", "inputs": []}
    assert client.post("/api/preview", json={"data": data}).json()["points"] == 3
    assert client.post("/api/preview", json={"data": {**data, "x2": ""}}).json()["points"] == 5


def test_a_target_with_too_many_labels_is_refused_with_the_next_column(client: httpx.Client) -> None:
    content = b"x,y,label\n" + b"".join(b"%d,%d.5,k%d\n" % (i, i, i) for i in range(12))
    table = upload(client, "many.csv", content)
    assert (table["chosen"]["target"], table["task"]) == ("y", "regression")
    data = {"kind": "csv", "id": table["id"], "target": "label"}
    problem = assert_problem(client.post("/api/preview", json={"data": data}), 422, "data.target")
    assert problem["errors"][0]["fits"] == ["y", "x"]


def test_one_input_is_learned_in_the_units_of_the_file(client: httpx.Client, new_session: NewSession) -> None:
    content = b"hours;marks\n" + b"".join(b"%d,5;%d\n" % (i, 40 + 4 * i) for i in range(14))
    table = upload(client, "marks.csv", content)
    assert table["chosen"] == {"x1": "hours", "x2": "", "target": "marks", "inputs": []}
    guest = new_session({"data": {"kind": "csv", "id": table["id"]}})
    task = guest.created["task"]
    assert (task["inputs"], task["input_names"]) == (1, ["hours"])
    assert (task["target_name"], task["target_scale"]) == ("marks", [40, 92])
    assert guest.look()["config"]["features"] == ["x1"]
    assert guest.do("POST", "/step", {"steps": 3})["step"] == 3
    shown = client.post("/api/preview", json={"data": {"kind": "csv", "id": table["id"]}}).json()
    assert {x2 for _, x2, _ in shown["train"]} == {0}


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_workbook_is_read_and_its_sheets_can_be_chosen(client: httpx.Client) -> None:
    flowers = [
        ["width", "length", "kind"],
        *([i / 2, 7.25 - i, "ab"[i % 2]] for i in range(8)),
        [None, 2, "a"],
    ]
    marks = [["hours", "marks", "day"], *([i, 1000.5 + i, date(2024, 1, i)] for i in range(1, 13))]
    content = workbook(Flowers=flowers, Marks=marks)
    first = upload(client, "both.xlsx", content)
    assert (first["sheets"], first["sheet"], first["rows"]) == (["Flowers", "Marks"], "Flowers", 9)
    assert first["preview"][0] == [0, 7.25, "a"]
    assert first["dropped"] == 1
    second = upload(client, "both.xlsx", content, sheet="Marks")
    assert second["chosen"] == {"x1": "hours", "x2": "", "target": "marks", "inputs": []}
    assert second["preview"][0] == [1, 1001.5, "2024-01-01"]
    assert first["id"] != second["id"]
    files = {"file": ("both.xlsx", content)}
    assert_problem(client.post("/api/datasets", files=files, data={"sheet": "Third"}), 422, "sheet")


def test_a_workbook_that_unpacks_to_too_much_is_refused(client: httpx.Client) -> None:
    content = BytesIO(workbook(Data=[["a", "b"], [1, 2]]))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/more.xml", b" " * (limits.WORKBOOK_BYTES + 1))
    answer = client.post("/api/datasets", files={"file": ("bomb.xlsx", content.getvalue())})
    assert "unpacks to more than" in assert_problem(answer, 422, "file")["detail"]


def test_entities_in_a_workbook_are_refused(client: httpx.Client) -> None:
    plain = BytesIO(workbook(Data=[["a", "b"], [1, 2], [3, 5]]))
    evil = BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(evil, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name.startswith("xl/worksheets/"):
                part = b'<!DOCTYPE x [<!ENTITY e "eeee">]>' + part.partition(b"?>")[2]
            target.writestr(name, part)
    answer = client.post("/api/datasets", files={"file": ("evil.xlsx", evil.getvalue())})
    assert "cannot be read as an Excel workbook" in assert_problem(answer, 422, "file")["detail"]


def test_an_upload_without_a_file_is_refused(client: httpx.Client) -> None:
    assert_problem(client.post("/api/datasets", files={"header": (None, "true")}), 422, "file")


def test_data_can_be_looked_at_without_a_session(client: httpx.Client) -> None:
    shown = client.post("/api/preview", json={"data": {"kind": "circle", "samples": 2000}}).json()
    assert shown["task"]["kind"] == "binary"
    assert len(shown["train"]) == len(shown["test"]) == 300
    assert {target for _, _, target in shown["train"]} == {0, 1}
    assert_problem(client.post("/api/preview", json={"data": {"kind": "nothing"}}), 422, "data.kind")


def test_the_catalogue_is_sent_once(client: httpx.Client) -> None:
    answer = client.get("/api/catalogue")
    assert {"components", "fields", "default", "limits", "schema"} <= set(answer.json())
    again = client.get("/api/catalogue", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


def an_image(form: str = "PNG", size: tuple[int, int] = (96, 48)) -> bytes:
    file = BytesIO()
    left, right = (
        Image.new("RGB", size, (200, 30, 40)),
        Image.new("RGB", (size[0] // 2, size[1]), (20, 90, 200)),
    )
    left.paste(right, (0, 0))
    left.save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_an_image_is_uploaded_looked_at_and_learned(
    client: httpx.Client, new_session: NewSession, form: str
) -> None:
    image = upload(client, "mine.csv", an_image(form))  # its name says nothing
    assert (image["picture"], image["rows"], image["task"]) == ([64, 32], 2048, "regression")
    assert [column["name"] for column in image["columns"]] == ["x", "y", "red", "green", "blue"]
    data = {"kind": "image", "id": image["id"], "palette": 2}
    seen = client.post("/api/preview", json={"data": data}).json()
    assert seen["task"]["picture"] == [64, 32]
    assert seen["picture"].startswith("data:image/png;base64,")
    guest = new_session({"data": {"kind": "image", "id": image["id"]}, "batch_size": 128})
    assert guest.created["task"]["target_names"] == ["red", "green", "blue"]
    assert guest.do("POST", "/step", {"steps": 3})["step"] == 3
    assert np.shape(guest.do("GET", "/maps?size=10")["decision"]) == (3, 10, 10)
    guest.do("PATCH", "/config", {"data": {"palette": 2}, "loss": {"kind": "bce"}})
    assert len(guest.look()["task"]["class_colours"]) == 2


def test_a_table_is_no_image_and_an_image_of_another_kind_is_refused(client: httpx.Client) -> None:
    table = upload(client, "leaves.csv", TABLE)
    preview = client.post("/api/preview", json={"data": {"kind": "image", "id": table["id"]}})
    assert "is a table" in assert_problem(preview, 422, "data.id")["detail"]
    gif = client.post("/api/datasets", files={"file": ("moving.gif", an_image("GIF"))})
    assert "Save it as PNG or JPEG" in assert_problem(gif, 422, "file")["detail"]
    large = an_image() + bytes(limits.IMAGE_BYTES)
    refused = client.post("/api/datasets", files={"file": ("large.png", large)})
    assert "may have at most 1 MB" in assert_problem(refused, 422, "file")["detail"]
