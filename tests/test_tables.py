import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import limits
from playground.catalogue.tables.reading import read_table
from playground.catalogue.tables.roles import choose, learned, suitable_targets, target_values
from playground.catalogue.tables.table import Table, from_arrays, preview, to_arrays
from playground.errors import FieldError, ValidationFailed

quick = settings(deadline=None, max_examples=150)


def read(data: bytes | str, **options) -> Table:
    return read_table(data.encode() if isinstance(data, str) else data, "my.csv", **options)


def refusal(data: bytes | str, **columns) -> FieldError:
    """Why these columns, or the guessed ones, cannot be learned from."""
    with pytest.raises(ValidationFailed) as caught:
        choose(read(data), **columns)
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
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "file", ["neither text", "my.csv"], id="an image"),
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
        pytest.param("x,c\n1,a\n2,a\n", "x1", ["column of numbers"], id="the only numbers are the target"),
        pytest.param("x,y,c\n1,,a\n,2,b\n", "x1", ["every chosen column", '"x"'], id="no complete row"),
        pytest.param("x,y,c\n?,NA,-\n", "file", ["no values"], id="only missing values"),
        pytest.param(rows(10_001), "file", ["10,000 rows"], id="too many rows"),
        pytest.param("x,y,c\n" + rows(10_001), "file", ["10,000 rows"], id="too many rows below a header"),
        pytest.param("1," * 300 + "1\n", "file", ["Line 1", "301 cells", "256"], id="too many columns"),
    ],
)
def test_a_broken_file_is_refused_with_place_and_rule(data, field, said):
    error = refusal(data)
    assert error.field == field
    assert [part for part in said if part not in error.message] == []
    assert str(ValidationFailed(error)) == f"{field}: {error.message}"


@pytest.mark.parametrize(
    ("data", "target", "said"),
    [
        ("x,y,c\n1,2,a\n3,4,a\n", "c", ['"c"', "one class only", '"a"']),
        ("1,2,1\n3,4,1\n", "column 3", ['"column 3"', "one class only", '"1"']),
        ("x,y,c\n1,2,a\n3,,b\n?,4,b\n", "c", ["one class only"]),
        (
            "x,y,label\n" + "".join(f"{i},{i},k{i}\n" for i in range(9)),
            "label",
            ['"label"', "9 different labels", "8 classes"],
        ),
    ],
)
def test_a_target_that_will_not_do_is_refused_and_others_are_named(data, target, said):
    error = refusal(data, target=target)
    assert error.field == "target"
    assert [part for part in said if part not in error.message] == []
    if target == "label":
        assert error.fits == ("y", "x")
        # Seen: the whole file was refused for the column that was guessed.
        assert choose(read(data)).target == "y"


def test_a_slip_of_the_pen_costs_its_column_and_no_other():
    table = read("x,y,c\n1,2,a\n3,l0,b\n5,6,b\n")
    assert choose(table) == ("x", "", "c", ())
    error = refusal("x,y,c\n1,2,a\n3,l0,b\n5,6,b\n", x1="y")
    assert error.field == "x1"
    assert [part for part in ("Line 3", '"y"', '"l0"', "not a number") if part not in error.message] == []
    assert "not a finite" in refusal("x,y,c\n1,2,a\n3,1e999,b\n", x2="y").message


@quick
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_bytes_give_a_table_or_a_clear_refusal(data):
    try:
        table = read(data)
        choose(table)
    except ValidationFailed as failed:
        assert failed.errors[0].field in ("file", "target", "x1", "x2")  # noqa: PT017
        assert failed.errors[0].message.endswith(".")  # noqa: PT017
    else:
        check(table)


cells = st.sampled_from(
    [
        "1",
        "-2.5",
        "3,5",
        "1e5",
        "",
        "?",
        "-",
        "12%",
        "1.234,5",
        "2020",
        "a",
        "b",
        "nan",
        "inf",
        '"',
        '"x;y"',
        "é",
        "1_0",
        " 7 ",
    ]
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
        choose(table)
    except ValidationFailed as failed:
        assert failed.errors[0].message.endswith(".")  # noqa: PT017
    else:
        check(table)


def check(table: Table) -> None:
    """What holds for every table that can be learned from."""
    choice = choose(table)
    used = [name for _, name in choice.named]
    assert len({choice.target, *used}) == 1 + len(used)
    assert len(set(names(table))) == len(table.columns)
    for column in table.columns:
        assert column.values.shape == (table.rows,)
    inputs, target = learned(table, choice)
    assert target.values.size >= 2
    for column in (*inputs, target):
        assert column.values.shape == target.values.shape
        assert column.present.all()
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
    table = read(text.getvalue(), header=header)
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


def test_numbers_are_read_as_people_write_them():
    english = read('a,b,y\n"1,234.5",12 %,1\n"2,000",7.5%,2\n-3,0%,3\n')
    assert english.columns[0].values.tolist() == [1234.5, 2000, -3]
    assert english.columns[1].values.tolist() == [12, 7.5, 0]
    german = read("a;b;y\n1.234,5;1.200;1\n-2.000;3.400;2\n0,5;12;3\n")
    assert german.columns[0].values.tolist() == [1234.5, -2000, 0.5]
    assert german.columns[1].values.tolist() == [1200, 3400, 12]
    assert read("a;y\n1.234;1\n2.5;2\n").columns[0].values.tolist() == [1.234, 2.5]
    assert read("a;y\n1 234,5;1\n2 000;2\n").columns[0].values.tolist() == [1234.5, 2000]


def test_the_delimiter_may_be_a_decimal_comma_elsewhere():
    table = read("hours;marks\n1,5;52,5\n2,5;58,25\n")
    assert names(table) == ["hours", "marks"]
    assert table.columns[1].values.tolist() == [52.5, 58.25]


def test_a_first_line_may_name_the_delimiter():
    table = read("sep=;\r\na;b\r\n1,5;2\r\n3;4\r\n")
    assert names(table) == ["a", "b"]
    assert table.columns[0].values.tolist() == [1.5, 3]
    assert "Line 4" in refusal('"sep=,"\na,b\n1,2\n3\n').message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252"])
def test_the_encodings_that_excel_writes_are_understood(encoding):
    table = read("höhe\ty\tc\n1\t2\tä\n3\t4\t–x\n".encode(encoding))
    assert names(table) == ["höhe", "y", "c"]
    assert set(table.columns[2].labels) == {"ä", "–x"}


@pytest.mark.parametrize("word", ["-", ".", "missing", "Missing", "NA", "n/a", "#N/A", "null", "NaN", "?"])
def test_a_value_is_missing_in_many_words(word):
    table = read(f"x,y,c\n1,2,a\n{word},4,b\n5,6,{word}\n")
    assert [int((~column.present).sum()) for column in table.columns] == [1, 0, 1]


def test_plus_and_minus_are_labels():
    assert read("x,c\n1,+\n2,-\n3,-\n").columns[1].labels == ("+", "-")


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("2019,2020,2021\n1,2,0.5\n3,4,1\n", True),
        ("country,2019,2020\nGermany,1.2,3.4\nFrance,2.2,4.4\n", True),
        ("1,2,label\n5.1,3.5,a\n4.9,3,a\n6,2,b\n7,1,b\n", True),
        ("0,1,2,3\n5,1,7,2\n4,9,2,1\n8,8,1,0\n", True),
        ("name,7\n1,2\n3,4\n", True),
        ("1,2,a\n3,4,b\n5,6,a\n7,8,b\n", False),
        ("1912,1950\n1905,1980\n1920,1940\n", False),
        ("1,2,3,4\n2,3,4,5\n3,4,5,6\n4,5,6,7\n", False),
        ("5.1,3.5,a\n4.9,3,a\n6,2,b\n", False),
    ],
)
def test_a_header_of_numbers_is_told_from_a_row(text, header):
    # Seen: years above their columns were taken for the first row.
    table = read(text)
    assert table.header == header
    assert table.rows == text.count("\n") - header


def test_the_header_may_be_forced():
    numbers_only = "2019,2020,2021\n1,2,0\n3,4,1\n"
    assert names(read(numbers_only, header=True)) == ["2019", "2020", "2021"]
    assert read(numbers_only, header=False).rows == 3
    assert read(numbers_only, header=True).id != read(numbers_only, header=False).id


def test_names_are_made_unique_and_short():
    assert names(read("x,x,x\n1,2,0\n3,4,1\n")) == ["x", "x (2)", "x (3)"]
    assert max(map(len, names(read(f"{'long' * 50},y,c\n1,2,0\n3,4,1\n")))) == 100


def test_row_numbers_and_empty_columns_are_no_inputs():
    assert names(read(",x,y,c\n0,1,2,a\n1,3,4,b\n")) == ["x", "y", "c"]
    assert names(read("1,2,a,\n3,4,b,\n")) == ["column 1", "column 2", "column 3"]


@pytest.mark.parametrize("name", ["Id", "PassengerId", "customer_id", "Nr", "Nr.", "index", "sample no"])
def test_an_id_is_no_input(name):
    body = "".join(f"{7 * i % 30},{i % 5},{i * 0.7},{'ab'[i % 2]}\n" for i in range(30))
    assert choose(read(f"{name},x,y,c\n{body}")) == ("x", "y", "c", ())


def test_rows_counted_in_order_are_no_input_but_hours_alone_are():
    body = "".join(f"{i},{i % 5},{i * 0.7},{'ab'[i % 2]}\n" for i in range(1, 31))
    assert choose(read(f"sample,x,y,c\n{body}")) == ("x", "y", "c", ())
    marks = "".join(f"{i},{40 + 3 * i}\n" for i in range(1, 13))
    assert choose(read(f"hours,marks\n{marks}")) == ("hours", "", "marks", ())


def test_the_passengers_of_a_ship_are_understood():
    # Seen: 226 of 300 rows were lost to the empty cabins, and PassengerId was an input.
    header = "PassengerId,Survived,Pclass,Name,Sex,Age,Fare,Cabin,Embarked\n"
    lines = [
        f'{i},{i % 2},{i % 3 + 1},"Doe, {i}",{"fm"[i % 2]},{"" if i % 5 == 0 else 20 + i % 40},{i * 0.7},'
        f"{f'C{i}' if i % 4 == 0 else ''},{'SCQ'[i % 3]}\n"
        for i in range(1, 301)
    ]
    table = read(header + "".join(lines))
    choice = choose(table)
    assert choice == ("Pclass", "Age", "Survived", ("Fare",))
    assert table.rows == 300
    assert learned(table, choice)[1].values.size == 240
    assert learned(table, choice._replace(x2="Fare", inputs=()))[1].values.size == 300


def test_rows_stay_in_the_table_though_values_are_missing():
    table = read("x,y,c\n1,2,a\n?,2,a\n3,NaN,b\n4,5,\n6,7,b\n")
    assert table.rows == 5
    inputs, target = learned(table, choose(table))
    assert [column.values.tolist() for column in inputs] == [[1, 6], [2, 7]]
    assert target.labels == ("a", "b")
    assert preview(table, 3) == [[1, 2, "a"], [None, 2, "a"], [3, None, "b"]]


def test_the_largest_file_that_is_allowed_is_read():
    table = read(rows(limits.POINTS))
    assert table.rows == limits.POINTS
    table = read("x,y,c\n" + rows(limits.POINTS))
    assert table.rows == limits.POINTS


def test_the_same_file_has_the_same_id():
    one, other = "x,y,c\n1,2,a\n3,4,b\n", "x,y,c\n1,2,a\n3,4,c\n"
    assert read(one).id == read_table(one.encode(), "another name.csv").id
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
    assert choose(read(f"{header}\n{body}")).target == target


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


def test_whole_numbers_far_apart_or_not_repeated_are_a_regression():
    marks = "hours,marks\n" + "".join(f"{i},{50 + 5 * i}\n" for i in range(6))
    assert target_values(read(marks).columns[1])[1] == ()
    tens = "hours,marks\n" + "".join(f"{i},{50 + 10 * (i % 5)}\n" for i in range(30))
    assert target_values(read(tens).columns[1])[1] == ()
    stars = "hours,stars\n" + "".join(f"{i},{i % 5}\n" for i in range(30))
    assert target_values(read(stars).columns[1])[1] == ("0", "1", "2", "3", "4")


def test_suitable_targets_leave_out_names_and_constants():
    text = "x,remark,one,kind\n" + "".join(f"{i}.5,note {i},1,{'ab'[i % 2]}\n" for i in range(9))
    assert suitable_targets(read(text)) == ["kind", "x"]
    assert refusal(text, target="nothing").field == "target"


def test_a_second_input_may_be_left_out():
    text = "a,b,c\n1,2,u\n5,6,v\n"
    assert choose(read(text), x2="") == ("a", "", "c", ())
    assert refusal(text, x1="a", x2="", inputs=["b"]).field == "x2"


def test_inputs_are_the_numbers_that_are_left():
    table = read("a,b,c,d,e\n1,2,u,3,4\n5,6,v,7,8\n")
    assert choose(table) == ("a", "b", "c", ("d", "e"))
    assert choose(table, x2="a") == ("b", "a", "c", ("d", "e"))
    assert choose(table, target="a", inputs=("e",)) == ("b", "d", "a", ("e",))


def test_a_network_takes_no_more_inputs_than_the_limit():
    count = limits.INPUTS + 5
    lines = [",".join(f"n{i}" for i in range(count)), ",".join("1" * count), ",".join("2" * count)]
    table = read("\n".join(lines))
    assert len(choose(table).inputs) == limits.INPUTS - 2
    with pytest.raises(ValidationFailed) as caught:
        choose(table, inputs=[f"n{i}" for i in range(2, limits.INPUTS + 1)])
    assert caught.value.errors[0].field == "inputs"
    assert str(limits.INPUTS) in caught.value.errors[0].message


@quick
@given(st.lists(st.tuples(numbers, numbers, labels), min_size=2, max_size=9))
def test_a_table_crosses_a_wire_of_json_and_arrays(records):
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b", "c"), *records, (1, "", "one more"), (1, 2, "two")])
    table = read(text.getvalue())
    header, arrays = to_arrays(table)
    sent = {name: np.frombuffer(a.tobytes(), a.dtype) for name, a in arrays.items()}
    again = from_arrays(json.loads(json.dumps(header)), sent)
    assert (again.id, again.rows) == (table.id, table.rows)
    for one, other in zip(table.columns, again.columns, strict=True):
        assert (one.name, one.kind, one.labels) == (other.name, other.kind, other.labels)
        np.testing.assert_array_equal(one.values, other.values)
    assert choose(again) == choose(table)
