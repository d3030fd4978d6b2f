import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import limits
from playground.catalogue.tables import (
    Table,
    from_arrays,
    guess_target,
    preview,
    read_csv,
    target_values,
    to_arrays,
)
from playground.errors import FieldError, ValidationFailed

quick = settings(deadline=None, max_examples=150)


def read(data: bytes | str, **options) -> Table:
    return read_csv(data.encode() if isinstance(data, str) else data, "my.csv", **options)


def refusal(data: bytes | str, **options) -> FieldError:
    with pytest.raises(ValidationFailed) as caught:
        read(data, **options)
    (error,) = caught.value.errors
    return error


def names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


# Broken files


def rows(count: int) -> str:
    return "".join(f"{i},{i % 7},{i % 2}\n" for i in range(count))


@pytest.mark.parametrize(
    ("data", "field", "said"),
    [
        pytest.param(b"a,b,c\n" * 10**6, "file", ["6,000,000 bytes", "5 MB"], id="over 5 MB"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "file", ["not a text file", "my.csv"], id="an image"),
        pytest.param("x,y,c\n1,2,a\n3,4,b\n".encode("utf-16"), "file", ["UTF-8"], id="UTF-16"),
        pytest.param(b"", "file", ["empty"], id="empty"),
        pytest.param(b" \n\n", "file", ["empty"], id="blank"),
        pytest.param(b",,\n,,\n", "file", ["empty"], id="delimiters only"),
        pytest.param("x,y,c\n", "file", ["header", "no rows"], id="header only"),
        pytest.param("x,y,c\n1,2,a\n\n3,4\n", "file", ["Line 4", "2 cells", "line 1", "3"], id="short row"),
        pytest.param("1,2,a\n3,4,b,5\n", "file", ["Line 2", "4 cells", "3"], id="long row"),
        pytest.param('x,y,c\n1,2,"a\nb"\n3,4\n', "file", ["Line 4", "2 cells"], id="short after two lines"),
        pytest.param('x,y,c\n1,2,"a\n3,4,b\n', "file", ["Line 2", "quotes"], id="open quote"),
        pytest.param("x\n1\n2\n", "file", ["one column", "comma, semicolon or tab"], id="one column"),
        pytest.param("a,b\nx,y\nz,w\n", "file", ["no column of numbers"], id="no numbers"),
        pytest.param("x,c\n1,a\n2,b\n", "x2", ["two columns of numbers"], id="one column of numbers"),
        pytest.param("x,y,c\n1,2,a\n3,4,a\n", "target", ['"c"', "one class only", '"a"'], id="one label"),
        pytest.param("1,2,1\n3,4,1\n", "target", ['"column 3"', "one class only", '"1"'], id="one number"),
        pytest.param("x,y,c\n1,2,a\n3,,b\n?,4,b\n", "target", ["one class only"], id="one class complete"),
        pytest.param("x,y,c\n1,,a\n,2,b\n", "file", ["Every row", "missing"], id="no complete row"),
        pytest.param(
            "x,y,c\n1,2,a\n3,l0,b\n5,6,b\n", "file", ["Line 3", '"y"', '"l0"', "not a number"], id="slip"
        ),
        pytest.param("x,y,c\n1,2,a\n3,1e999,b\n", "file", ["Line 3", '"y"', "not a finite"], id="infinity"),
        pytest.param(rows(10_001), "file", ["10,000 rows"], id="too many rows"),
        pytest.param("x,y,c\n" + rows(10_001), "file", ["10,000 rows"], id="too many rows below a header"),
        pytest.param("1," * 300 + "1\n", "file", ["Line 1", "301 cells", "256"], id="too many columns"),
        pytest.param(
            "x,y,label\n" + "".join(f"{i},{i},k{i}\n" for i in range(9)),
            "target",
            ['"label"', "9 different labels", "8 classes"],
            id="too many classes",
        ),
    ],
)
def test_a_broken_file_is_refused_with_place_and_rule(data, field, said):
    error = refusal(data)
    assert error.field == field
    assert [part for part in said if part not in error.message] == []
    assert str(ValidationFailed(error)) == f"{field}: {error.message}"


@quick
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_give_a_table_or_a_clear_refusal(data):
    try:
        table = read(data)
    except ValidationFailed as failed:
        assert failed.errors[0].field in ("file", "target", "x1", "x2")  # noqa: PT017
        assert failed.errors[0].message.endswith(".")  # noqa: PT017
    else:
        check(table)


cells = st.sampled_from(
    ["1", "-2.5", "3,5", "1e5", "", "?", "a", "b", "nan", "inf", '"', '"x;y"', "é", "1_0", " 7 "]
)


@quick
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), max_size=12),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([None, True, False]),
)
def test_files_that_are_nearly_right_give_a_table_or_a_clear_refusal(records, delimiter, newline, header):
    text = newline.join(delimiter.join(record) for record in records)
    try:
        table = read(text, header=header)
    except ValidationFailed as failed:
        assert failed.errors[0].message.endswith(".")  # noqa: PT017
    else:
        check(table)


def check(table: Table) -> None:
    """What holds for every table that was accepted."""
    x1, x2, target, inputs = guess_target(table)
    assert len({x1, x2, target, *inputs}) == 3 + len(inputs)
    assert len(set(names(table))) == len(table.columns)
    assert table.rows >= 2
    for column in table.columns:
        assert column.values.shape == (table.rows,)
        if column.kind == "number":
            assert np.isfinite(column.values).all()
        else:
            assert set(column.values) == set(range(len(column.labels)))


# Whole files

numbers = st.floats(allow_nan=False, allow_infinity=False)
labels = st.sampled_from(["red", "green, or so", "blue;ish", 'quo"te', "zwei\nZeilen", "été"])


@quick
@given(
    st.lists(st.tuples(numbers, numbers, labels), min_size=2, max_size=20).filter(
        lambda records: len({label for *_, label in records}) > 1
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_a_written_table_is_read_back_exactly(records, delimiter, newline, header):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerows([("a", "b", "colour")] * header + records)
    table = read(text.getvalue())
    a, b, colour = table.columns
    assert names(table) == (["a", "b", "colour"] if header else ["column 1", "column 2", "column 3"])
    assert a.values.tolist() == [record[0] for record in records]
    assert b.values.tolist() == [record[1] for record in records]
    assert [colour.labels[code] for code in colour.values] == [record[2] for record in records]
    assert table.rows == len(records)
    assert preview(table, 3) == [list(record) for record in records[:3]]


def test_a_decimal_comma_is_read_where_semicolons_or_tabs_separate():
    for delimiter in ";\t":
        table = read("x;y;c\n1,5;-2,25;a\n3;4,0;b\n".replace(";", delimiter))
        assert table.columns[0].values.tolist() == [1.5, 3.0]
        assert table.columns[1].values.tolist() == [-2.25, 4.0]


def test_only_what_people_write_as_a_number_is_one():
    table = read("x,y,c\n+1.5e-3,-0,1_000\n.5,0,2_000\n")
    assert [column.kind for column in table.columns] == ["number", "number", "label"]
    assert table.columns[0].values.tolist() == [0.0015, 0.5]


def test_a_byte_order_mark_and_latin_1_are_understood():
    table = read("\ufeffhöhe,y,c\n1,2,ä\n3,4,ö\n".encode())
    assert names(table)[0] == "höhe"
    table = read("höhe,y,c\n1,2,ä\n3,4,ö\n".encode("latin-1"))
    assert names(table)[0] == "höhe"
    assert table.columns[2].labels == ("ä", "ö")


def test_the_header_may_be_forced():
    numbers_only = "2019,2020,2021\n1,2,0\n3,4,1\n"
    assert read(numbers_only).rows == 3
    assert names(read(numbers_only, header=True)) == ["2019", "2020", "2021"]
    assert read(numbers_only, header=True).id != read(numbers_only).id


def test_names_are_made_unique_and_short():
    assert names(read("x,x,x\n1,2,0\n3,4,1\n")) == ["x", "x (2)", "x (3)"]
    assert max(map(len, names(read(f"{'long' * 50},y,c\n1,2,0\n3,4,1\n")))) == 40


def test_row_numbers_and_empty_columns_are_no_inputs():
    assert names(read(",x,y,c\n0,1,2,a\n1,3,4,b\n")) == ["x", "y", "c"]
    assert names(read("1,2,a,\n3,4,b,\n")) == ["column 1", "column 2", "column 3"]
    assert guess_target(read("Id,x,y,c\n1,1,2,a\n2,3,4,b\n")) == ("x", "y", "c", ())


def test_rows_with_missing_values_are_left_out_and_counted():
    table = read("x,y,c\n1,2,a\n?,2,a\n3,NaN,b\n4,5,\n6,7,b\n")
    assert (table.rows, table.dropped) == (2, 3)
    assert table.columns[0].values.tolist() == [1, 6]


def test_the_largest_file_that_is_allowed_is_read():
    table = read(rows(limits.POINTS))
    assert table.rows == limits.POINTS
    table = read("x,y,c\n" + rows(limits.POINTS))
    assert table.rows == limits.POINTS


def test_the_same_file_has_the_same_id():
    one, other = "x,y,c\n1,2,a\n3,4,b\n", "x,y,c\n1,2,a\n3,4,c\n"
    assert read(one).id == read_csv(one.encode(), "another name.csv").id
    assert read(one).id != read(other).id


# Columns


@pytest.mark.parametrize(
    ("header", "record", "target"),
    [
        ("x,label,y", "{i},{i},{i}", "label"),
        ("Class,x,y", "{odd},{i},{i}", "Class"),
        ("kind,x,y", "{letter},{i},{i}", "kind"),
        ("name,x,y,z", "name{i},{i},{i},{i}", "z"),
        ("x,y,z", "{i},{i},{odd}", "z"),
        ("name,kind,x,y", "name{i},{letter},{i},{i}", "kind"),
    ],
)
def test_the_target_is_guessed_by_name_then_labels_then_place(header, record, target):
    body = "".join(record.format(i=i, odd=i % 2, letter="ab"[i % 2]) + "\n" for i in range(12))
    assert guess_target(read(f"{header}\n{body}")).target == target


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ("1 -1 1", ("-1", "1")),
        ("-0 1 1", ("0", "1")),
        ("1 2000001 1", ("1", "2000001")),
        ("a b a", ("a", "b")),
        ("1 1.5 1", ()),
        ("1 2 3 4 5 6 7 8", ("1", "2", "3", "4", "5", "6", "7", "8")),
        ("1 2 3 4 5 6 7 8 9", ()),
    ],
)
def test_few_whole_numbers_are_classes_and_other_numbers_a_regression(values, labels):
    cells = values.split()
    column = read("x,y,label\n" + "".join(f"1,2,{cell}\n" for cell in cells)).columns[-1]
    targets, found = target_values(column)
    assert found == labels
    if labels:
        assert [labels[code] for code in targets] == [cell.replace("-0", "0") for cell in cells]
    else:
        assert targets.tolist() == [float(cell) for cell in cells]


def test_a_named_target_saves_a_file_whose_guessed_one_has_one_class():
    text = "x,y,z,c\n1,2,3.5,a\n3,4,4.5,a\n5,6,7,a\n"
    assert refusal(text).field == "target"
    table = read(text, target="z")
    assert guess_target(table, target="z") == ("x", "y", "z", ())
    assert refusal(text, target="nothing").field == "target"


def test_inputs_are_the_numbers_that_are_left():
    table = read("a,b,c,d,e\n1,2,u,3,4\n5,6,v,7,8\n")
    assert guess_target(table) == ("a", "b", "c", ("d", "e"))
    assert guess_target(table, x2="a") == ("b", "a", "c", ("d", "e"))
    assert guess_target(table, target="a", inputs=("e",)) == ("b", "d", "a", ("e",))


def test_a_network_takes_no_more_inputs_than_the_limit():
    count = limits.INPUTS + 5
    lines = [",".join(f"n{i}" for i in range(count)), ",".join("1" * count), ",".join("2" * count)]
    table = read("\n".join(lines))
    assert len(guess_target(table).inputs) == limits.INPUTS - 2
    with pytest.raises(ValidationFailed) as caught:
        guess_target(table, inputs=[f"n{i}" for i in range(2, limits.INPUTS + 1)])
    assert caught.value.errors[0].field == "inputs"
    assert str(limits.INPUTS) in caught.value.errors[0].message


@quick
@given(st.lists(st.tuples(numbers, numbers, labels), min_size=2, max_size=9))
def test_a_table_crosses_a_wire_of_json_and_arrays(records):
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b", "c"), *records, (1, 2, "one more")])
    table = read(text.getvalue())
    header, arrays = to_arrays(table)
    sent = {name: np.frombuffer(a.tobytes(), a.dtype) for name, a in arrays.items()}
    again = from_arrays(json.loads(json.dumps(header)), sent)
    assert (again.id, again.rows, again.dropped) == (table.id, table.rows, table.dropped)
    for one, other in zip(table.columns, again.columns, strict=True):
        assert (one.name, one.kind, one.labels) == (other.name, other.kind, other.labels)
        np.testing.assert_array_equal(one.values, other.values)
    assert guess_target(again) == guess_target(table)
