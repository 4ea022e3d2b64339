"""Any source becomes the same frame, nothing lost; and what is no table is refused in one clear line, quickly."""

import csv
import gzip
import io
import json
import pickle
import shutil
import sqlite3
import threading
import time
import urllib.parse
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlwork import sources
from mlwork.core import BadInput, BadType, MlworkError, NotFound
from mlwork.frames import from_frame
from mlwork.sources import read_table
from mlwork.tables import find_delimiter, find_layout, read_text

FLATS = pd.DataFrame({"city": ["Ano", "Bex", "Ano"], "rooms": [2, 3, 1], "rent": [780.0, np.nan, 510.5]})


@pytest.fixture
def folder(tmp_path):
    FLATS.to_csv(tmp_path / "flats.csv", index=False)
    return tmp_path


def written(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def same_in_pandas(table, path):
    pd.testing.assert_frame_equal(table.frame, pd.read_csv(path, **table.reading), check_dtype=True)


# --- delimited text --------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^", " "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_encoding_delimiter_and_decimal_mark(tmp_path, encoding, delimiter, decimal):
    frame = pd.DataFrame({"straße": ["Köln", "Düren", "Trier"] * 9, "größe": [1.5, 22.25, 3.75] * 9, "n": range(27)})
    path = tmp_path / "t.csv"
    frame.to_csv(path, sep=delimiter, encoding=encoding, decimal=decimal, index=False)
    table = read_text(path)
    pd.testing.assert_frame_equal(table.frame, frame)
    same_in_pandas(table, path)


def test_what_was_assumed_is_said(folder):
    path = written(folder, "straße;größe\nKöln;1,5\nTrier;2,5\n".encode("cp1252"))
    assert read_text(path).assumed == ("the encoding is cp1252", "cells are separated by ';'", "the decimal mark is a comma")
    assert read_text(folder / "flats.csv").assumed == ()


CELLS = st.one_of(
    st.sampled_from(
        ["", "?", "NA", "-", "inf", "none", "unknown", "007", "9007199254740993", "99999999999999999999", "1e5", "+5", " 7 ", "0.1"]
    ),
    st.integers(-(10**6), 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12))
def test_reading_loses_nothing_and_is_repeated_by_pandas(tmp_path, rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("a", "b", "c"), *rows])
    path = written(tmp_path, text.getvalue())
    table = read_text(path)
    assert table.frame.shape == (len(rows), 3)
    same_in_pandas(table, path)
    for i, name in enumerate("abc"):
        gone = {**table.missing.get(name, {}), **table.infinite.get(name, {})}
        for row, value in zip(rows, table.frame[name], strict=True):
            if pd.isna(value):
                assert row[i] in gone
            else:
                assert value == row[i] if isinstance(value, str) else float(value) == float(row[i])


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        (["1", "2", "3"], "int64"),
        (["1", "?", "3"], "float64"),
        (["01067", "04103", "10115"], "str"),
        (["9007199254740993", "1", "2"], "int64"),
        (["9007199254740993", "", "2"], "str"),
        (["99999999999999999999", "1", "2"], "str"),
        (["0x1F", "0x2A", "1"], "str"),
        (["True", "False", "True"], "str"),
        (["2024-01-01", "2024-01-02", "-"], "str"),
        (["", "", ""], "float64"),
        (["x", "x", "x"], "str"),
        (["1.5", "none", "2"], "float64"),
        (["+", "-", "+"], "str"),
        (["1e400", "1", "2"], "float64"),
        (["1_000", "2", "3"], "str"),
    ],
)
def test_types(folder, cells, dtype):
    path = written(folder, "a,b\n" + "".join(f"{c},w\n" for c in cells))
    table = read_text(path)
    assert table.frame["a"].dtype == dtype
    same_in_pandas(table, path)


def test_missing_words_are_missing_only_among_numbers(folder):
    table = read_text(written(folder, "garage,rent\nnone,700\nsingle,none\n?,900\n"))
    assert table.missing == {"garage": {"?": 1}, "rent": {"none": 1}}
    assert table.frame["garage"].tolist()[:2] == ["none", "single"]


def test_header_or_not(folder):
    assert find_layout(written(folder, "5.1,3.5,setosa\n4.9,3.0,setosa\n")).header is False
    assert find_layout(written(folder, "name,2019,2020,2021\nx,1,2,3\n")).header is True
    assert read_text(written(folder, "5.1,3.5,a\n4.9,3.0,b\n")).frame.shape == (2, 3)
    same_in_pandas(read_text(written(folder, "5.1,3.5,a\n4.9,3.0,b\n")), folder / "table.csv")


@pytest.mark.parametrize(
    "text", ["a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "\n\na,b\n1,2\n\n3,4", 'a,b\n"1","2"\n3,4\n', "a, b\n1, 2\n3, 4\n"]
)
def test_ends_of_lines_quotes_and_blanks(folder, text):
    path = written(folder, text)
    assert read_text(path).frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    same_in_pandas(read_text(path), path)


def test_cells_with_line_breaks_and_delimiters(folder):
    frame = pd.DataFrame({"note": ['say "hi"', "two\nlines", "a,b;c"], "n": [1, 2, 3]})
    frame.to_csv(folder / "q.csv", index=False)
    pd.testing.assert_frame_equal(read_text(folder / "q.csv").frame, frame)


def test_aligned_columns(folder):
    path = written(folder, "a    b     c\n1    x    20\n222  yy    3\n")
    table = read_text(path)
    assert table.frame.to_dict("list") == {"a": [1, 222], "b": ["x", "yy"], "c": [20, 3]}
    same_in_pandas(table, path)


def test_delimiters_inside_cells_do_not_mislead():
    assert find_delimiter("name;remark\nMeyer, A.;a, b, c\nRoy, B.;x, y, z\n") == ";"
    assert find_delimiter("when,where\n12:30:01,Ano\n12:31:09,Bex\n") == ","
    assert find_delimiter("one column\nof words\n") == " "


def test_a_line_may_be_longer_than_a_cell():
    frame = pd.DataFrame([[1.5] * 30_000], columns=[f"gene_{i}" for i in range(30_000)])
    assert find_delimiter(frame.to_csv(index=False)) == ","


def test_a_wide_table_is_read_quickly(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 10_000)).round(3)).add_prefix("c")
    frame.to_csv(tmp_path / "wide.csv", index=False)
    start = time.process_time()
    assert read_text(tmp_path / "wide.csv").frame.equals(frame)
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "an empty file"),
        ("\n  \n\n", "an empty file"),
        ("a,b\n", "a header alone"),
        ("a,b,a\n1,2,3\n", "'a' as columns 1, 3"),
        ("a,b\n1,2\n3\n", "1 in line 3: '3'"),
        ("a,b\n1,2\n3,4,5\n", "3 in line 3: '3,4,5'"),
        ('a,b\n1,2\n"3,4\n', "line 3"),
        (b"\x00\x01\x02\x03" * 100, "zero bytes"),
        (pickle.dumps({"a": [1, 2]}), "zero bytes"),
        ("<!DOCTYPE html><html></html>", "a web page"),
        (b"PK\x03\x04garbage", "xlsx"),
        (b"PAR1garbage", "Parquet"),
        (b"\x1f\x8bgarbage", "packed table must be whole"),
        (b"SQLite format 3\x00", "a database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old workbook"),
        ('{"a": 1}\n{"a":\n', "in line 2"),
        ("[1, 2]", "int in entry 1"),
        ('{"a": [1, 2]}\n{"a": []}\n', "a list in column 'a', row 0"),
        ('[{"a": {"b": 1}}]', "a dict in column 'a'"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(folder, content, says):
    with pytest.raises(BadInput) as error:
        read_table(written(folder, content))
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("start", [b"", b"a,b\n", b"a,b\n1,2\n3,4\n", b'a,b\n1,"', b"a,b\n" * 100_000])
def test_a_line_of_200_megabytes_is_refused_quickly(tmp_path, start):
    path = tmp_path / "line.csv"
    with open(path, "wb") as f:
        f.write(start)
        for _ in range(200):
            f.write(b"x" * 1_000_000)
    begin = time.process_time()
    with pytest.raises(BadInput, match="line"):
        read_table(path)
    assert time.process_time() - begin < 10


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_are_refused_or_read(tmp_path, seed):
    rng = np.random.default_rng(seed)
    content = rng.bytes(3000).replace(b"\0", b"") if seed % 2 else bytes(rng.choice(list(b'a1,;"\n\r\t '), 500))
    try:
        assert len(read_table(written(tmp_path, content)).frame)
    except MlworkError as e:
        assert "\n" not in str(e)


# --- files --------------------------------------------------------------------


def test_a_missing_file_names_its_neighbour(folder):
    with pytest.raises(NotFound, match="did you mean 'flats.csv'"):
        read_table(folder / "flat.csv")
    with pytest.raises(NotFound, match="folder .* is not there"):
        read_table(folder / "no" / "flats.csv")
    with pytest.raises(BadInput, match="a folder .* with flats.csv"):
        read_table(folder)
    with pytest.raises(NotFound, match="sample:rentals"):
        read_table("rentals")
    with pytest.raises(NotFound):
        read_table("a,b\n1,2\n" * 1000)


def test_the_first_bytes_decide(folder):
    FLATS.to_parquet(folder / "parquet.csv")
    FLATS.to_excel(folder / "book.xlsx", index=False)
    (folder / "book.xlsx").rename(folder / "excel.csv")
    FLATS.to_json(folder / "json.csv", orient="records", lines=True)
    FLATS.to_json(folder / "list.json", orient="records")
    written(folder, gzip.compress((folder / "flats.csv").read_bytes()), "packed.csv")
    for name in ("parquet.csv", "excel.csv", "json.csv", "list.json", "packed.csv", "flats.csv"):
        table = read_table(folder / name)
        pd.testing.assert_frame_equal(table.frame, FLATS)
        assert table.source == str(folder / name) and len(table.sha256) == 64


@pytest.mark.parametrize(
    "content",
    [gzip.compress(bytes(50_000_000)), gzip.compress(gzip.compress(b"a,b\n1,2\n")), gzip.compress(b"a,b\n1,2\n" * 999)[:-9]],
    ids=["bomb", "twice", "cut"],
)
def test_packed_files_are_bounded_and_checked(folder, content):
    with pytest.raises(BadInput, match="packed"):
        read_table(written(folder, content, "t.csv.gz"))


def test_large_integers_with_gaps_keep_their_digits(folder):
    big = [2**53 + 1, None, 2**60 + 1]
    pd.DataFrame({"n": pd.array(big, "Int64"), "x": 1}).to_parquet(folder / "n.parquet")
    (folder / "n.jsonl").write_text("".join(json.dumps({"n": n, "x": 1}) + "\n" for n in big))
    with closing(sqlite3.connect(folder / "n.db")) as database:
        database.execute("create table n (n integer, x integer)")
        database.executemany("insert into n values (?, 1)", [(n,) for n in big])
        database.commit()
    for table in (
        read_table(folder / "n.parquet"),
        read_table(folder / "n.jsonl"),
        read_table(f"sqlite:///{folder / 'n.db'}", "select * from n"),
    ):
        assert table.frame["n"].tolist()[::2] == [str(2**53 + 1), str(2**60 + 1)] and pd.isna(table.frame["n"][1])


def test_workbooks_with_empty_rows_and_several_sheets(folder):
    with pd.ExcelWriter(folder / "b.xlsx") as book:
        FLATS.to_excel(book, sheet_name="one", index=False, startrow=3)
        FLATS.to_excel(book, sheet_name="two")
    table = read_table(folder / "b.xlsx")
    pd.testing.assert_frame_equal(table.frame, FLATS)
    assert table.assumed == ("the table is on sheet 'one'; not read: two",)


# --- databases ----------------------------------------------------------------


def test_databases(folder):
    with closing(sqlite3.connect(folder / "flats.db")) as database:
        FLATS.to_sql("flats", database, index=False)
    address = f"sqlite:///{folder / 'flats.db'}"
    table = read_table(address, "select * from flats")
    pd.testing.assert_frame_equal(table.frame, FLATS)
    assert table.source == f"{address} · select * from flats"
    for query, says in ((None, "it has: flats"), ("select * from houses", "no such table"), ("delete from flats", "must give rows")):
        with pytest.raises(BadInput, match=says):
            read_table(address, query)
    assert len(read_table(address, "select * from flats").frame) == 3, "a query that gives no rows is rolled back"
    with pytest.raises(NotFound, match="did you mean 'flats.db'"):
        read_table(f"sqlite:///{folder / 'flat.db'}", "select 1")
    assert not (folder / "flat.db").exists()
    for address in ("nosuch://x", "postgresql+nosuch://u:p@h/d"):
        with pytest.raises(BadInput):
            read_table(address, "select 1")


# --- addresses ------------------------------------------------------------------


class Portal(BaseHTTPRequestHandler):
    "A server with good and bad manners."

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/moved":
            self.answer(302, b"", {"Location": "/flats.csv"})
        elif path == "/short":
            self.answer(200, b"a,b\n1,2\n", {"Content-Length": "500"})
        elif path == "/large":
            self.answer(200, b"a,b\n" + b"1,2\n" * 100_000)
        elif path == "/slow":
            self.answer(200, b"")
            self.trickle()
        else:
            pages = {"/flats.csv": FLATS.to_csv(index=False).encode(), "/page": b"<html>please log in</html>", "/empty": b""}
            pages["/flats.csv.gz"] = gzip.compress(pages["/flats.csv"])
            self.answer(200 if path in pages else 404, pages.get(path, b"no"))

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def trickle(self):
        try:
            for _ in range(100):
                self.wfile.write(b"1")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            self.close_connection = True

    def log_message(self, *args):
        "Stay silent."


@pytest.fixture(scope="module")
def portal():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("page", ["flats.csv", "flats.csv.gz", "moved", "flats.csv?key=1"])
def test_an_address_is_read_like_a_file(portal, page):
    table = read_table(f"{portal}/{page}")
    pd.testing.assert_frame_equal(table.frame, FLATS)
    assert table.source == f"{portal}/{page}"


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("houses.csv", "404"),
        ("short", "bytes too few|IncompleteRead"),
        ("large", "at most 100,000 bytes"),
        ("slow", "at most 1 s"),
        ("page", "web page"),
        ("empty", "empty file"),
    ],
)
def test_a_bad_address_is_refused(portal, page, says, monkeypatch):
    monkeypatch.setattr(sources, "URL_BYTES", 100_000)
    monkeypatch.setattr(sources, "URL_SECONDS", 1)
    with pytest.raises(BadInput, match=says):
        read_table(f"{portal}/{page}")


def test_nobody_there_and_nothing_secret():
    with pytest.raises(BadInput, match="refused") as error:
        read_table("http://user:secret@127.0.0.1:9/flats.csv")
    assert "secret" not in str(error.value)
    with pytest.raises(BadInput):
        read_table("http://")


# --- names --------------------------------------------------------------------


def test_samples_carry_their_card():
    table = read_table("sample:wine")
    assert table.card["target"] == "cultivar" and table.licence == "CC BY 4.0" and table.source == "sample:wine"
    with pytest.raises(NotFound, match="did you mean 'wine'"):
        read_table("sample:wines")


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_scikit_learn_sets(name):
    table = read_table(f"sklearn:{name}")
    assert table.card["target"] in table.frame and not table.missing


@pytest.fixture
def openml(tmp_path, monkeypatch):
    "OpenML's answers on iris, as scikit-learn ships them for its own tests, in its cache."
    shipped = files("sklearn.datasets.tests.data.openml.id_61")
    answers = {
        "api/v1/json/data/list/data_name/iris/limit/2/status/active/": "api-v1-jdl-dn-iris-l-2-s-act-",
        "api/v1/json/data/list/data_name/iris/limit/2/data_version/1": "api-v1-jdl-dn-iris-l-2-dv-1",
        "api/v1/json/data/61": "api-v1-jd-61",
        "api/v1/json/data/features/61": "api-v1-jdf-61",
        "api/v1/json/data/qualities/61": "api-v1-jdq-61",
    }
    cache = tmp_path / "openml" / "openml.org"
    for address, name in answers.items():
        (cache / f"{address}.gz").parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(shipped / f"{name}.json.gz"), cache / f"{address}.gz")
    data = cache / "data/v1/download/61/iris.arff.gz"
    data.parent.mkdir(parents=True)
    shutil.copy(str(shipped / "data-v1-dl-61.arff.gz"), data)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))


@pytest.mark.parametrize("name", ["iris", "iris@1", "61"])
def test_openml(openml, name):
    table = read_table(f"openml:{name}")
    assert table.frame.shape == (150, 5) and table.card == {"target": "class"} and table.licence == "Public"
    assert table.frame["class"].dtype == "str" and table.name == "iris"


# --- frames -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype", "first"),
    [
        (pd.array([1, 2, None], "Int64"), "float64", 1.0),
        (pd.array([1, 2, 3], "Int64"), "int64", 1),
        (pd.array([True, None, False], "boolean"), "str", "True"),
        (pd.array([True, True, False], "boolean"), "bool", True),
        (pd.Categorical(["a", "b", None]), "str", "a"),
        (pd.Categorical([3, 1, 2]), "int64", 3),
        (pd.to_datetime(["2024-01-01", None, "2024-01-02"]), "datetime64[us]", pd.Timestamp("2024-01-01")),
        (pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin"), "datetime64[us]", pd.Timestamp("2023-12-31 23:00")),
        (pd.period_range("2024-01", periods=3, freq="M"), "datetime64[us]", pd.Timestamp("2024-01-01")),
        (pd.to_timedelta([1, 2, 3], "min"), "float64", 60.0),
        ([__import__("decimal").Decimal("1.5"), None, 2], "float64", 1.5),
        ([b"a", b"b", None], "str", "a"),
        ([1, "two", None], "str", "1"),
        (np.array([1, 2, 3], "uint8"), "int64", 1),
        (np.array([2**64 - 1, 2, 3], "uint64"), "str", str(2**64 - 1)),
        (np.array([1, 2, 3], "float32"), "float64", 1.0),
        ([None, None, None], "float64", None),
    ],
)
def test_a_frame_comes_down_to_plain_types(values, dtype, first):
    column = from_frame(pd.DataFrame({"x": values, "y": 1})).frame["x"]
    assert column.dtype == dtype or (dtype.startswith("datetime") and column.dtype.kind == "M")
    assert pd.isna(column[0]) if first is None else column[0] == first


@pytest.mark.parametrize("value", [[1], (1,), {"a": 1}, {1}, np.array([1])])
def test_nested_cells_are_refused_unless_set_aside(value):
    frame = pd.DataFrame({"x": pd.Series([value, None], dtype=object), "y": [1, 2]})
    with pytest.raises(BadInput, match="in column 'x', row 0"):
        from_frame(frame)
    assert from_frame(frame, ("x",)).frame["x"].dtype == "str"


def test_labels_and_names():
    frame = pd.DataFrame({"a": [1, 2], 5: [3, 4]}, index=[7, 9])
    assert from_frame(frame).frame.index.tolist() == [7, 9] and list(from_frame(frame).frame) == ["a", "5"]
    assert from_frame(frame.set_axis(["x", "x"])).frame.index.tolist() == [0, 1]
    assert list(from_frame(frame.rename_axis("key")).frame) == ["key", "a", "5"]
    with pytest.raises(BadInput, match="'a' as columns 1, 2"):
        from_frame(frame.set_axis(["a", "a"], axis=1))
    with pytest.raises(BadInput, match="complex"):
        from_frame(pd.DataFrame({"a": [1j]}))
    with pytest.raises(BadType, match="ndarray"):
        read_table(np.zeros((3, 3)))
