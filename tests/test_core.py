"""Errors, findings, atomic files and JSON at their edges."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlwork.core import BadInput, Findings, Kind, NotFound, atomic_write, doing, nearest, plain, sha256_frame, to_json, track, unknown

SEEN = Kind("MLW-X99", "something", "warning", "core", "It matters.")


def test_an_error_is_one_line_whatever_it_carries():
    error = BadInput("rows must\nbe many", "1\n2", "add\nrows")
    assert str(error) == "rows must be many; got 1 2; add rows"
    assert isinstance(error, ValueError)


def test_not_found_reads_like_a_sentence_although_it_is_a_key_error():
    assert str(unknown("column", "x", ["y"])).startswith("column must be one of: y; got 'x'")


@given(st.text(), st.lists(st.text(), max_size=5))
def test_nearest_is_one_of_the_options_or_none(name, options):
    assert nearest(name, options) in [*options, None]


def test_unknown_shortens_long_lists():
    assert "(500 in all)" in str(unknown("column", "c", [f"c{i}" for i in range(500)]))


def test_findings_escape_what_they_show():
    assert "<script>" not in Findings([SEEN("<script>alert(1)</script>", "<b>")])._repr_html_()


def test_findings_about_one_column():
    found = Findings([SEEN("a", "x"), SEEN("b", ["y", "z"])])
    assert [f.seen for f in found.about("z")] == ["b"]
    with pytest.raises(NotFound, match="warning"):
        found.at_least("warn")


def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", lambda f: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        with atomic_write(path) as f:
            f.write("new")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_writer_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    code = f"""
        import os, signal
        from mlwork.core import atomic_write
        with atomic_write({str(path)!r}) as f:
            f.write("new" * 100_000)
            f.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)])
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_json_is_strict_whatever_goes_in(value):
    text = to_json(value)
    assert json.loads(text, parse_constant=lambda c: pytest.fail(c)) == plain(value)


def test_plain_takes_what_pandas_gives():
    value = {"a": np.int64(3), "b": np.array([1.5, np.nan]), "c": pd.Timestamp("2025-01-02"), "d": pd.NaT, 1: {2}}
    assert plain(value) == {"a": 3, "b": [1.5, None], "c": "2025-01-02T00:00:00", "d": None, "1": [2]}


def test_a_table_of_lists_has_a_fingerprint():
    lists = pd.DataFrame({"a": [[1], [2]]})
    assert sha256_frame(lists) == sha256_frame(lists.copy()) != sha256_frame(pd.DataFrame({"a": [[1], [3]]}))


def test_the_fingerprint_sees_names_values_and_order():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
    others = [frame.rename(columns={"a": "c"}), frame[::-1], frame.fillna("y"), frame[["b", "a"]]]
    assert len({sha256_frame(f) for f in [frame, *others]}) == 5


def test_what_is_being_done_is_shown_to_a_terminal_and_wiped_at_the_end_also_on_errors(monkeypatch):
    for asked, shown in (("1", "\r\x1b[Kcompiling …\r\x1b[K"), ("0", "")):
        monkeypatch.setenv("MLWORK_PROGRESS", asked)
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr("sys.stderr", terminal)
        with pytest.raises(ZeroDivisionError), doing("compiling"):
            raise ZeroDivisionError
        assert terminal.getvalue() == shown


def test_track_passes_everything_through_and_ends_on_errors():
    assert list(track(iter("abc"), "letters", total=3, after=0)) == ["a", "b", "c"]
    with pytest.raises(ZeroDivisionError):
        for i in track(range(3), "dividing", after=0):
            1 / (1 - i)
