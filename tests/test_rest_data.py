"""Data of one's own over HTTP, against the real server."""

from collections.abc import Callable

import httpx
import pytest

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
        (b"1,2,a\n3,4,a\n", "target"),
    ],
)
def test_a_broken_csv_is_refused(client: httpx.Client, content: bytes, field: str) -> None:
    assert_problem(client.post("/api/datasets", files={"file": ("broken.csv", content)}), 422, field)


def test_a_huge_csv_is_refused(client: httpx.Client) -> None:
    content = b"1,2,3\n" * (limits.CSV_BYTES // 6 + 6000)
    huge = client.post("/api/datasets", files={"file": ("huge.csv", content)})
    assert "A CSV file may have at most 5 MB" in assert_problem(huge, 413)["detail"]


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
