"""Text tables: encodings, separators, quoting, headers and types of columns."""

from __future__ import annotations

import csv
import gzip
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import selector_datasets
from selector.contract import ReadOptions
from selector.errors import DataError
from selector.readers import read
from selector.readers.columns import MISSING_TEXT, is_number, unique_names


def write(folder, text, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def names(dataset):
    return [c.name for c in dataset.x.columns]


def test_penguins():
    dataset = read(selector_datasets.path("penguins"), ReadOptions(target="species"))
    assert dataset.x.axes == ("feature",)
    assert dataset.x.values.shape == (344, 8)
    assert dataset.target is None
    by_name = {c.name: c for c in dataset.x.columns}
    assert by_name["island"].levels == ("Biscoe", "Dream", "Torgersen")
    assert by_name["species"].type == "categorical"
    assert by_name["sex"].levels == ("female", "male")
    assert by_name["year"].dtype == "integer"
    assert by_name["year"].levels == ("2007", "2008", "2009")
    assert by_name["body_mass_g"].type == "numeric"
    assert np.isnan(dataset.x.values).sum() == 2 * 4 + 11
    assert dataset.notes == ()


def test_wide_series_stay_a_table():
    dataset = read(selector_datasets.path("GunPoint"))
    assert dataset.x.values.shape == (50, 151)
    assert dataset.x.values[0, 0] == -0.647885
    assert dataset.x.columns[-1].levels == ("1", "2")
    assert dataset.source["reader"] == "table"
    assert dataset.source["columns"][-1] == "target"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "    "])
def test_separators(tmp_path, separator):
    rows = [["a", "b", "y"], ["1", "-2.5", "x"], ["3", "4e1", "z"], ["0", ".5", "x"]]
    path = write(tmp_path, "\n".join(separator.join(r) for r in rows))
    dataset = read(path)
    assert names(dataset) == ["a", "b", "y"]
    expected = [[1, -2.5, 0], [3, 40, 1], [0, 0.5, 0]]
    np.testing.assert_array_equal(dataset.x.values, expected)


@pytest.mark.parametrize(
    ("encoding", "read_as", "noted"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8-sig", False),
        ("utf-16", "utf-16", False),
        ("cp1252", "cp1252", True),
    ],
)
def test_encodings(tmp_path, encoding, read_as, noted):
    path = write(tmp_path, "größe,art\n1,süß\n2,herb\n", encoding=encoding)
    dataset = read(path)
    assert names(dataset) == ["größe", "art"]
    assert dataset.x.columns[1].levels == ("herb", "süß")
    assert dataset.source["encoding"] == read_as
    assert bool(dataset.notes) is noted
    if noted:
        assert "not UTF-8: read as cp1252" in dataset.notes[0]


def test_latin1_where_cp1252_is_undefined(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,\x81\n2,z\n")
    assert read(path).source["encoding"] == "latin-1"


def test_gzip_and_line_ends(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\r\n1,2\r\n\r\n3,4\r\n"))
    dataset = read(path)
    assert dataset.name == "t"
    np.testing.assert_array_equal(dataset.x.values, [[1, 2], [3, 4]])


def test_quoted_fields(tmp_path):
    text = 'a,"b, c",y\n1,"x, ""y""","line\nbreak"\n2,"z",plain\n'
    dataset = read(write(tmp_path, text))
    assert names(dataset) == ["a", "b, c", "y"]
    assert dataset.x.columns[1].levels == ('x, "y"', "z")
    assert dataset.x.columns[2].levels == ("line\nbreak", "plain")


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("1,2,3\n4,5,6\n", False),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,2.2,virginica\n", False),
        ("a,b\nx,y\ny,x\nx,x\n", True),
        ("p,x\np,y\ne,x\np,x\n", False),
        ("size,kind\n1,a\n2,b\n", True),
        ("0,1,2,3,target\n.1,.2,.3,.4,a\n.3,.1,.2,.9,b\n", True),
        ("0,1,2,3,4\n.1,.2,.3,.4,1\n.3,.1,.2,.9,2\n", True),
        ("x,y\n1,\n2,\n", True),
        ("width,height\n3,4\n", True),
        ("1100,1102,1104,1106\n.1,.2,.3,.5\n.3,.1,.2,.9\n", True),
        ("400.5,400,399.5,399,kind\n.1,.2,.3,.5,a\n.3,.1,.2,.9,b\n", True),
        ("land,1990,1991,1992,1993,label\nx,5,6,2,9,a\ny,3,1,4,1,b\nz,7,7,1,2,b\n", True),
        ("1100,1103,1107,protein\n.1,.2,.3,9\n.3,.1,.2,8\n", True),
        ("1,2,3,4\n2,3,4,5\n6,1,2,2\n", False),
        ("5,5,5,5\n1,2,4,8\n6,1,2,2\n", False),
        ("1,2,n.a.\n4,5,6\n7,8,9\n", False),
        ("1,2,blue\n4,5,6\n7,8,red\n", False),
    ],
)
def test_header(tmp_path, text, header):
    dataset = read(write(tmp_path, text))
    assert dataset.source["header"] is header
    assert len(dataset) == len(text.splitlines()) - header
    if not header:
        assert names(dataset) == [f"c{i}" for i in range(dataset.x.values.shape[1])]


def test_comments_before_the_table(tmp_path):
    dataset = read(write(tmp_path, "# made by hand\n# a b\n1 2\n3 4\n", "t.txt"))
    assert names(dataset) == ["a", "b"]
    assert dataset.notes == ("skipped 2 comment lines at the beginning",)


@pytest.mark.parametrize("word", ["", "NA", "N/A", "NaN", "nan", "null", "None", "?", "-", " "])
def test_missing_words_in_numbers(tmp_path, word):
    dataset = read(write(tmp_path, f"a,b\n1,2\n{word},3\n2,{word}\n"))
    assert [c.type for c in dataset.x.columns] == ["numeric", "numeric"]
    assert np.isnan(dataset.x.values).tolist() == [[False, False], [True, False], [False, True]]
    assert dataset.x.columns[0].levels == ("1", "2")
    assert dataset.x.columns[0].dtype == "integer"


def test_none_is_a_category(tmp_path):
    column = read(write(tmp_path, "a,b\nNone,1\nbrick,2\n?,3\n")).x.columns[0]
    assert column.levels == ("None", "brick")


def test_leading_zeros_stay_in_levels(tmp_path):
    column = read(write(tmp_path, "a,y\n1,01\n2,10\n3,02\n")).x.columns[1]
    assert (column.type, column.dtype, column.levels) == ("numeric", "integer", ("01", "02", "10"))


def test_levels_match_sorted_values(tmp_path):
    dataset = read(write(tmp_path, "a,y\n1,10\n2,9\n3,1.0\n4,1\n5,-3\n"))
    column = dataset.x.columns[1]
    assert column.dtype == "float"
    assert [float(x) for x in column.levels] == np.unique(dataset.x.values[:, 1]).tolist()


def test_many_values_have_no_levels(tmp_path):
    text = "a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(1001))
    columns = read(write(tmp_path, text)).x.columns
    assert columns[0].levels == ()
    assert columns[1].levels == tuple("0123456")


def test_booleans(tmp_path):
    column = read(write(tmp_path, "a,y\n1,True\n2,False\n3,True\n")).x.columns[1]
    assert (column.type, column.dtype, column.levels) == (
        "categorical",
        "boolean",
        ("False", "True"),
    )


def test_decimal_comma(tmp_path):
    dataset = read(write(tmp_path, "a;b\n1,5;2\n3;4,25\n-1,0;\n"))
    np.testing.assert_array_equal(dataset.x.values, [[1.5, 2], [3, 4.25], [-1, math.nan]])
    assert dataset.notes[0] == "column 'a': the comma was taken for a decimal point"
    assert dataset.x.columns[0].levels == ("-1.0", "1.5", "3")


@pytest.mark.parametrize(
    ("cells", "values", "what"),
    [
        (("1,234", "12,500", "999", ""), (1234, 12500, 999, math.nan), "separator of thousands"),
        (("-1,234,567.5", ".5", "+2,000"), (-1234567.5, 0.5, 2000), "separator of thousands"),
        (("1,234", "12,5", "999", "-"), (1.234, 12.5, 999, math.nan), "decimal point"),
        (("0,123", "1,500", "2"), (0.123, 1.5, 2), "decimal point"),
    ],
)
def test_commas_between_thousands(tmp_path, cells, values, what):
    rows = [f'"{cell}",{i}' for i, cell in enumerate(cells)]
    dataset = read(write(tmp_path, "\n".join(["price,a", *rows])))
    np.testing.assert_array_equal(dataset.x.values[:, 0], values)
    assert dataset.notes == (f"column 'price': the comma was taken for a {what}",)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_where_no_comma_separates_it_is_a_decimal_one(tmp_path, separator):
    rows = [separator.join(row) for row in (("price", "a"), ("1,234", "1"), ("12,500", "2"))]
    assert read(write(tmp_path, "\n".join(rows))).x.values[:, 0].tolist() == [1.234, 12.5]


def column_of(folder, cells, separator=",", **options):
    """Return a column 'b' beside a counter, as read, its values and the notes."""
    rows = [f"{i}{separator}{cell}" for i, cell in enumerate(cells)]
    dataset = read(write(folder, "\n".join([f"a{separator}b", *rows])), ReadOptions(**options))
    return dataset.x.columns[1], dataset.x.values[:, 1], dataset.notes


def test_a_few_texts_in_a_column_of_numbers_are_missing(tmp_path):
    cells = [str(i % 25 + 1) for i in range(40)]
    cells[5] = "n.a."
    column, values, notes = column_of(tmp_path, cells)
    assert (column.type, column.dtype) == ("numeric", "integer")
    assert np.flatnonzero(np.isnan(values)).tolist() == [5]
    assert notes == ("column 'b': 1 cell not a number ('n.a.'), taken as missing",)
    commas = [f"{cell},5" for cell in cells[:5]] + cells[5:]
    column, values, notes = column_of(tmp_path, commas, separator=";")
    assert values[:5].tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert [note[12:] for note in notes] == [
        "the comma was taken for a decimal point",
        "1 cell not a number ('n.a.'), taken as missing",
    ]


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        (["x", *map(str, range(18))], {}),
        (["x", "y", "z", *map(str, range(37))], {}),
        (["other", *("01" * 30)], {}),
        (["5+", *map(str, range(40))], {}),
        (["V57", *map(str, range(400, 440))], {}),
        (["rotary", *("34568" * 12)], {}),
        (["x", *map(str, range(40))], {"aside": "b"}),
    ],
)
def test_text_that_may_mean_something_keeps_its_column(tmp_path, cells, options):
    column, values, notes = column_of(tmp_path, cells, **options)
    assert column.type == "categorical"
    assert not np.isnan(values).any()
    assert notes == ()


def test_text_is_missing_where_it_was_in_training(tmp_path):
    numbers = [f"{i},5" for i in range(1, 40)]
    trained = read(write(tmp_path, "a;b\n" + "".join(f"{i};{x}\n" for i, x in enumerate(numbers))))
    _, values, notes = column_of(tmp_path, ["1,5", "n.a."], ";", expect=trained.source)
    np.testing.assert_array_equal(values, [1.5, math.nan])
    assert "column 'b': 1 cell not a number ('n.a.'), taken as missing" in notes
    texts = ["x", "y", "z", *map(str, range(37))]
    trained = read(write(tmp_path, "a,b\n" + "".join(f"{i},{x}\n" for i, x in enumerate(texts))))
    column, *_ = column_of(tmp_path, texts[2:], expect=trained.source)
    assert column.type == "categorical"


def test_infinite_values(tmp_path):
    dataset = read(write(tmp_path, "a,b\n1,inf\n2,-inf\n3,1e400\n4,5\n"))
    assert np.isnan(dataset.x.values[:, 1]).tolist() == [True, True, True, False]
    assert dataset.notes == ("3 infinite values in 'b' taken as missing",)


def test_row_index_is_left_out(tmp_path):
    dataset = read(write(tmp_path, ",a,b\n0,5,x\n1,6,y\n2,5,x\n"))
    assert names(dataset) == ["a", "b"]
    assert "only counts the rows" in dataset.notes[0]


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_the_index_of_a_shuffled_table_is_left_out(tmp_path, name):
    trained = read(write(tmp_path, f"{name},a,b\n7,5,x\n3,6,y\n5,5,x\n"))
    assert names(trained) == ["a", "b"]
    assert trained.notes == ("the first column has no name and only counts the rows: left out",)
    expect = ReadOptions(expect=trained.source)
    assert names(read(write(tmp_path, f"{name},a\n9,5\n2,6\n"), expect)) == ["a"]


@pytest.mark.parametrize("first", ["7,3,7", "7,3,", "7,3,5.5", "7,3,x"])
def test_a_first_column_without_a_name_that_is_no_index_stays(tmp_path, first):
    cells = zip(first.split(","), "565", strict=True)
    text = "\n".join([",a", *(",".join(row) for row in cells)])
    assert names(read(write(tmp_path, text))) == ["c0", "a"]


def test_repeated_names(tmp_path):
    dataset = read(write(tmp_path, "a,a,b,a_2,\n1,2,3,4,5\n6,7,8,9,0\n"))
    assert names(dataset) == ["a", "a_3", "b", "a_2", "c4"]
    assert dataset.notes == ("repeated column names were numbered: 'a'",)
    assert unique_names(["a", "a", "a"])[0] == ["a", "a_2", "a_3"]


def test_prediction_may_lack_the_target(tmp_path):
    trained = read(write(tmp_path, "a,b\n1,x\n2,y\n"), ReadOptions(target="b"))
    options = ReadOptions(expect=trained.source)
    assert names(read(write(tmp_path, "a\n3\n", "new.csv"), options)) == ["a"]
    single = read(write(tmp_path, "3\n", "bare.csv"), options)
    assert names(single) == ["a"]


def test_prediction_without_header_and_target_in_front(tmp_path):
    trained = read(write(tmp_path, "1 0.5 0.6\n2 0.1 0.9\n", "t.txt"), ReadOptions(target="c0"))
    new = read(write(tmp_path, "0.5 0.6\n", "n.txt"), ReadOptions(expect=trained.source))
    assert names(new) == ["c1", "c2"]


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"))
    | st.sampled_from(",;|\t\"' "),
    min_size=1,
    max_size=8,
)
_CELLS = {
    "number": st.integers(-(10**6), 10**6).map(str)
    | st.floats(-1e6, 1e6, allow_nan=False).map(repr)
    | st.just(""),
    "text": _TEXT.map(lambda t: f"t{t.strip()}."),
}


@st.composite
def _tables(draw):
    kinds = draw(st.lists(st.sampled_from(list(_CELLS)), min_size=2, max_size=6))
    rows = draw(st.integers(2, 12))
    cells = [draw(st.lists(_CELLS[k], min_size=rows, max_size=rows)) for k in kinds]
    return kinds, [list(r) for r in zip(*cells, strict=True)]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    table=_tables(),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_table_comes_back(tmp_path, table, separator, quoting, newline, encoding):
    _, rows = table
    path = tmp_path / "random.csv"
    header = [f"column{i}" for i in range(len(rows[0]))]
    with path.open("w", newline="", encoding=encoding) as stream:
        writer = csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator=newline)
        writer.writerow(header)
        writer.writerows(rows)
    dataset = read(path, ReadOptions(expect={"reader": "table", "columns": header}))
    assert names(dataset) == header
    assert len(dataset) == len(rows)
    for j, column in enumerate(dataset.x.columns):
        for i, row in enumerate(rows):
            value, cell = dataset.x.values[i, j], row[j].strip()
            if cell in MISSING_TEXT:
                assert math.isnan(value)
            elif column.type == "categorical":
                assert column.levels[int(value)] == cell
            else:
                assert is_number(cell)
                assert value == float(cell)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"a,b,c\n", "only a header and no rows"),
        (b"a\n1\n2\n", "has a single column, 'a'"),
        (b"a,b\n1,2\n3,4,5\n6,7\n", "line 3 has 3 fields, 2 are expected"),
        (b"a,b\n1,2\n\n3\n6,7\n8,9\n", "line 4 has 1 fields, 2 are expected"),
        (b'a,b\n1,"x\ny"\n3\n6,7\n8,9\n', "line 4 has 1 fields, 2 are expected"),
        (b"# note\na,b\n1,2\n3,4,5\n6,7\n", "line 4 has 3 fields"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not a text table but a PNG image"),
        (b"PK\x03\x04" + bytes(50), "a zip archive"),
        (bytes(range(256)) * 4, "not a text table but binary data"),
        (b"a,b\n1,\x002\n" + b"3,4\n" * 200, "NUL characters"),
        (b"\x1f\x8bnot really", "a broken gzip file"),
    ],
)
def test_bad_tables(tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert "bad" in str(caught.value)


def test_unknown_target(tmp_path):
    path = write(tmp_path, "width,species\n1,a\n2,b\n")
    with pytest.raises(DataError, match=r"no column 'specie' .*Did you mean 'species'"):
        read(path, ReadOptions(target="specie"))


_FUZZ = st.text(st.sampled_from("ab01.,;|\t \n\"'#-?NAé\r\x00"), max_size=60)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=_FUZZ.map(str.encode) | st.binary(max_size=60))
@pytest.mark.parametrize("name", ["fuzz.csv", "fuzz.ts", "fuzz.npz", "fuzz.npy"])
def test_any_bytes_give_a_dataset_or_a_data_error(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    try:
        dataset = read(path)
    except DataError:
        return
    assert len(dataset) > 0
    assert not np.isinf(dataset.x.values).any()
    assert len({c.name for c in dataset.x.columns}) == dataset.x.values.shape[-1]


@pytest.mark.parametrize(
    ("trained", "new"),
    [
        ("PC 17599,5.1,3,a\nx,4.2,1,b\nx,4.3,2,a\n", "PC 17599,5.1,3\n113803,4.2,1\n"),
        ("12,27,33,41,0\n13,25,31,44,1\n", "10,20,30,40\n"),
    ],
)
def test_without_a_header_in_training_the_first_row_is_data(tmp_path, trained, new):
    source = read(write(tmp_path, trained)).source
    assert source["header"] is False
    found = read(write(tmp_path, new), ReadOptions(expect=source))
    assert len(found) == new.count("\n")


def test_a_decimal_comma_stays_one_in_a_new_file(tmp_path):
    lines = ["size,a", *(f'"{cell}",1' for cell in ("12,5", "3,14", "0,75"))]
    source = read(write(tmp_path, "\n".join(lines))).source
    found = read(write(tmp_path, 'size,a\n"1,250",1\n'), ReadOptions(expect=source))
    assert found.x.values[0, 0] == 1.25
