"""Splits: every row in one part, nothing torn apart, the seal and its ledger, and one clear line for what cannot be."""

import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlwork.advice import advise, giveaways, propose, quick_model
from mlwork.collect import load
from mlwork.core import BadInput, BadType, MlworkError, NotFound, Sealed
from mlwork.cuts import spread_groups
from mlwork.seal import ledger_path, read_ledger, record
from mlwork.split import holdout, plain_split
from mlwork.structure import drop_near_duplicates, find_groups, find_times, near_duplicates

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    "Each test has a ledger of its own."
    monkeypatch.setenv("MLWORK_LEDGER", str(tmp_path / "ledger"))
    return tmp_path / "ledger" / "ledger.jsonl"


def table(n=200, classes=2, groups=40, seed=0, numeric=False):
    "Rows with an id-like group, a day, two features and a target."
    rng = np.random.default_rng(seed)
    target = (
        rng.normal(size=n) if numeric else np.array([f"c{i}" for i in np.r_[np.arange(classes).repeat(5), rng.integers(0, classes, n)][:n]])
    )
    columns = {
        "house": [f"H{i}" for i in rng.integers(0, groups, n)],
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
        "x": rng.normal(size=n),
        "z": rng.choice(list("abc"), n),
        "y": target,
    }
    return load(pd.DataFrame(columns), "y", "regression" if numeric else None)


def rows_of(split, data):
    "Training and test labels, and the check that they are a partition."
    train, test = set(split.train.frame.index), set(split.open_test("test").frame.index)
    assert not train & test and train | test == set(data.frame.index)
    assert len(test) == split.test_rows
    return train, test


def partition(folds, n):
    "Whether the validation parts hold each of n rows once, and training is the rest."
    valid = np.concatenate([v for _, v in folds])
    assert sorted(valid) == list(range(n))
    assert all(sorted(np.r_[t, v]) == list(range(n)) for t, v in folds)


# ------------------------------------------------------------------------------------------------ properties
sizes = st.integers(60, 400)
seeds = st.integers(0, 1000)


@QUICK
@given(n=sizes, classes=st.integers(2, 4), share=st.floats(0.1, 0.5), seed=seeds)
def test_stratified_parts_keep_the_shares(n, classes, share, seed):
    data = table(n, classes, seed=seed)
    split = holdout(data, test=share, seed=seed)
    _, test = rows_of(split, data)
    assert split.kind == "stratified" and len(test) == round(share * n)
    counts = data.y.value_counts()
    for c in data.classes:
        assert abs((data.y.loc[list(test)] == c).sum() - share * counts[c]) <= classes
    partition(split.first_folds, len(split.train))
    assert len(split.folds) >= 10


@QUICK
@given(n=sizes, seed=seeds)
def test_regression_goes_at_random(n, seed):
    data = table(n, seed=seed, numeric=True)
    split = holdout(data, seed=seed)
    rows_of(split, data)
    assert split.kind == "random" and len(split.folds) == 10
    partition(split.first_folds, len(split.train))


@QUICK
@given(n=sizes, groups=st.integers(12, 60), share=st.floats(0.15, 0.4), seed=seeds, numeric=st.booleans())
def test_no_group_is_on_both_sides(n, groups, share, seed, numeric):
    data = table(n, 2, groups, seed, numeric)
    split = holdout(data, test=share, seed=seed, group="house")
    train, test = rows_of(split, data)
    house = data.frame["house"]
    assert split.kind == ("group" if numeric else "stratified-group")
    assert not set(house[list(train)]) & set(house[list(test)])
    assert abs(len(test) - share * n) <= house.value_counts().max() + 1
    partition(split.first_folds, len(split.train))
    for fit, valid in split.folds:
        assert not set(split.groups.iloc[fit]) & set(split.groups.iloc[valid])


@QUICK
@given(n=sizes, share=st.floats(0.1, 0.4), seed=seeds, numeric=st.booleans())
def test_time_order_holds(n, share, seed, numeric):
    data = table(n, 2, 40, seed, numeric)
    split = holdout(data, test=share, time="day")
    train, test = rows_of(split, data)
    day = data.frame["day"]
    assert day[list(train)].max() < day[list(test)].min()
    assert split.kind == "time" and split.folds is split.first_folds
    for fit, valid in split.folds:
        assert split.train.frame["day"].iloc[fit].max() < split.train.frame["day"].iloc[valid].min()


@QUICK
@given(seed=seeds, by=st.sampled_from(["random", "stratified", "group", "stratified-group"]))
def test_seeds_repeat_and_differ(seed, by):
    data = table(300, seed=1)
    one, same, other = (holdout(data, by=by, group="house", seed=s) for s in (seed, seed, seed + 1))
    assert one.identity == same.identity and one.train.frame.index.equals(same.train.frame.index)
    assert all((a == b).all() for f, g in zip(one.folds, same.folds, strict=True) for a, b in zip(f, g, strict=True))
    assert one.identity != other.identity


@QUICK
@given(sizes=st.lists(st.integers(1, 30), min_size=8, max_size=60), share=st.floats(0.1, 0.5), seed=seeds)
def test_groups_come_near_their_share(sizes, share, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    part = spread_groups(groups, np.zeros(len(groups)), [1 - share, share], seed)
    assert abs((part == 1).sum() - share * len(groups)) <= max(sizes)


@QUICK
@given(n=sizes, seed=seeds, kind=st.sampled_from(["stratified", "random", "group", "time"]))
def test_plain_code_marks_the_same_rows(n, seed, kind):
    data = table(n, seed=seed, numeric=kind in ("random", "group"))
    named = {"group": {"group": "house"}, "time": {"time": "day"}}.get(kind, {})
    split = holdout(data, seed=seed, **named)
    text, helpers = plain_split(split)
    names = {"np": np, "pd": pd} | {f.__name__: f for f in helpers}
    exec("from sklearn.model_selection import train_test_split\n" + text, names)
    marked = names["test_rows"](data.frame)
    assert set(data.frame.index[marked]) == set(split.open_test("test").frame.index)


# ------------------------------------------------------------------------------------------------ rentals and the real sets
@pytest.fixture(scope="module")
def rentals():
    return load("sample:rentals").drop_duplicates()


def test_rentals_by_time_and_building(rentals):
    split = holdout(rentals, test="3 months", time="listed_on", group="building")
    assert split.cut.startswith("2025-04-01") and split.settings["folds_by"] == "stratified-group"
    test = split.open_test("test")
    seen = split.test_seen_groups
    assert seen.equals(test.frame["building"].isin(set(split.train.frame["building"]))) and 0 < seen.mean() < 1
    assert {"MLW-S01", "MLW-S02"} <= {f.code for f in split.findings}
    assert [f.severity for f in split.findings if f.code == "MLW-S02"] == ["info"]


def test_windows_when_asked_for(rentals):
    split = holdout(rentals, test="3 months", time="listed_on", group="building", folds_by="time")
    assert len(split.folds) == 10 and split.groups is not None


def test_a_naive_split_of_rentals_is_told_so(rentals):
    found = {f.code: f for f in holdout(rentals).findings}
    assert found["MLW-S02"].columns == ("building",) and found["MLW-S03"].columns == ("listed_on",)
    assert found["MLW-S01"].severity == "warning"


def test_copies_stay_together(rentals):
    split = holdout(rentals)
    copies = near_duplicates(rentals)
    train = rentals.frame.index.isin(split.train.frame.index)
    assert (train[copies["row"]] == train[copies["first"]]).all() and split.moved
    fold = np.empty(len(split.train), int)
    for i, (_, valid) in enumerate(split.first_folds):
        fold[valid] = i
    place = pd.Series(fold, split.train.frame.index).reindex(rentals.frame.index).to_numpy()
    both = copies[train[copies["row"]]]
    assert (place[both["row"]] == place[both["first"]]).all()


def test_plain_code_of_rentals(rentals):
    for named in ({}, {"time": "listed_on", "test": "3 months"}, {"group": "building"}):
        split = holdout(rentals, **named)
        text, helpers = plain_split(split)
        names = {"np": np, "pd": pd} | {f.__name__: f for f in helpers}
        exec("from sklearn.model_selection import train_test_split\n" + text, names)
        assert set(rentals.frame.index[names["test_rows"](rentals.frame)]) == set(split.open_test("test").frame.index)


@pytest.mark.parametrize("name", ["tumours", "wine", "diabetes"])
def test_nothing_false_is_found(name):
    data = load(f"sample:{name}")
    assert not len(find_groups(data)) and not len(find_times(data)) and not len(near_duplicates(data)) and not giveaways(data)
    assert not holdout(data).findings.at_least("warning")


def test_advice_tells_the_price(rentals):
    advice = advise(rentals)
    assert (advice.by, advice.group, advice.time) == ("time", "building", "listed_on")
    scores = advice.table().set_index("folds")["score"]
    assert scores["rows at random"] > scores["each building in one fold"] + 0.03
    names = {"data": rentals, "holdout": holdout}
    exec(advice.code, names)
    assert names["split"].kind == "time"
    for text in (repr(advice), advice._repr_html_(), names["split"]._repr_html_()):
        assert "building" in text


def test_advice_on_a_regression_with_groups():
    rng = np.random.default_rng(0)
    house = rng.integers(0, 60, 600)
    effect, year = rng.normal(0, 3, 60)[house], rng.integers(1900, 2020, 60)[house]
    frame = pd.DataFrame({"house": [f"H{i}" for i in house], "year": year, "height": year * 2 + 1, "x": rng.normal(size=600)})
    advice = advise(load(frame.assign(y=effect + frame.x + rng.normal(0, 0.3, 600)), "y"))
    naive, right = advice.table()["score"]
    assert advice.group == "house" and advice.by == "group" and right > naive + 0.5


# ------------------------------------------------------------------------------------------------ structure
@QUICK
@given(n=st.integers(300, 1500), copies=st.integers(3, 30), edits=st.integers(0, 2), seed=seeds)
def test_planted_copies_are_found(n, copies, edits, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {f"x{i}": rng.normal(size=n).round(4) for i in range(6)} | {f"c{i}": rng.choice(list("abcdefgh"), n) for i in range(6)}
    )
    again = frame.sample(copies, random_state=seed).copy()
    again.iloc[:, 0] += 1e-4
    for c in rng.choice(again.columns[1:], edits, replace=False):
        again[c] = again[c].sample(frac=1, random_state=seed).to_numpy()
    data = load(pd.concat([frame, again], ignore_index=True).assign(y=rng.integers(0, 2, n + copies)), "y")
    found = near_duplicates(data)
    assert found["row"].ge(n).all() and len(found) >= 0.9 * copies
    assert len(drop_near_duplicates(data)) == n + copies - len(found)


@QUICK
@given(n=st.integers(200, 1500), levels=st.lists(st.integers(2, 400), min_size=2, max_size=8), seed=seeds)
def test_strangers_are_left_alone(n, levels, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {f"c{i}": [f"v{v}" for v in rng.integers(0, k, n)] for i, k in enumerate(levels)} | {"k": rng.integers(0, n // 3, n)}
    )
    frame["x"], frame["when"] = rng.normal(size=n), pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D")
    data = load(frame.assign(y=rng.choice(["a", "b"], n)), "y")
    assert not len(find_groups(data)) and not len(near_duplicates(data))
    assert not any(find_times(data)["drifting"].str.len())


@pytest.mark.parametrize("name", ["patient", "customer_id", "k"])
def test_things_in_several_rows_are_found(name):
    rng = np.random.default_rng(0)
    who = rng.integers(0, 80, 600)
    person = pd.DataFrame({"age": rng.integers(20, 90, 80), "height": rng.normal(170, 9, 80), "sex": rng.choice(list("mf"), 80)})
    frame = person.iloc[who].reset_index(drop=True).assign(**{name: rng.permutation(5000)[:80][who]}, pulse=rng.normal(70, 8, 600))
    assert find_groups(load(frame.assign(y=rng.integers(0, 2, 600)), "y"))["column"][0] == name


def test_a_date_of_birth_is_no_order():
    frame = pd.DataFrame({"birth_date": pd.date_range("1950-01-01", periods=300, freq="40D"), "x": range(300), "y": [0, 1] * 150})
    assert not len(find_times(load(frame, "y")))


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_tiny_tables_have_no_structure(n):
    data = load(pd.DataFrame({"x": range(30), "c": list("abc") * 10, "y": [0, 1] * 15}), "y").take(range(n))
    assert not len(find_groups(data)) and not len(find_times(data)) and not len(near_duplicates(data))


# ------------------------------------------------------------------------------------------------ bad input
BAD = {
    "share of nothing": (dict(test=0), BadInput, "test"),
    "negative": (dict(test=-0.2), BadInput, "test"),
    "more than all": (dict(test=1.5), BadInput, "1.5"),
    "all rows": (dict(test=200), BadInput, "both sides of 200; got 200"),
    "too many rows": (dict(test=500), BadInput, "got 500"),
    "a boolean": (dict(test=True), BadInput, "True"),
    "not a number": (dict(test=float("nan")), BadInput, "nan"),
    "words": (dict(test="a lot", time="day"), BadInput, "such as '3 months'"),
    "a span without dates": (dict(test="3 months"), BadInput, "name a date column"),
    "a span of rows by group": (dict(test="3 months", group="house"), BadInput, "dates to count from"),
    "a span longer than the data": (dict(test="2 years", time="day"), BadInput, "shorter than the time"),
    "no such group": (dict(group="hause"), NotFound, "did you mean 'house'?"),
    "no such time": (dict(time="dat"), NotFound, "did you mean 'day'?"),
    "no such kind": (dict(by="stratify"), NotFound, "did you mean 'stratified'?"),
    "no such folds": (dict(folds_by="groups"), NotFound, "did you mean 'group'?"),
    "group without a column": (dict(by="group"), BadInput, 'group="COLUMN"'),
    "time without a column": (dict(by="time"), BadInput, 'time="COLUMN"'),
    "time that is none": (dict(time="z"), BadInput, "'z' must hold a date"),
    "one moment": (dict(time="once"), BadInput, "two moments"),
    "one group": (dict(group="same"), BadInput, "at least 3 groups"),
    "a class in one group": (dict(group="y"), BadInput, "groups"),
    "a test row for each class": (dict(test=1), BadInput, "every class"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings_get_one_clear_line(case):
    arguments, error, words = BAD[case]
    frame = table().frame.assign(once=pd.Timestamp("2024-01-01"), same="s")
    with pytest.raises(error) as caught:
        holdout(load(frame, "y", roles={"once": "datetime"}), **arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_bad_tables_get_one_clear_line():
    data = table()
    with pytest.raises(BadType, match="must be a Dataset"):
        holdout(data.frame)
    with pytest.raises(BadInput, match="target"):
        holdout(load(data.frame))
    with pytest.raises(BadInput, match="classes to stratify by"):
        holdout(table(numeric=True), by="stratified")
    rare = data.frame.assign(y=["rare"] * 2 + ["often"] * 198)
    with pytest.raises(BadInput, match="'rare' with 2 rows"):
        holdout(load(rare, "y"))


def test_few_members_reduce_the_folds():
    frame = table(300).frame
    frame["y"] = ["rare"] * 4 + ["often"] * 296
    split = holdout(load(frame, "y"))
    folds = len(split.first_folds)
    assert 2 <= folds < 5 and len(split.folds) >= 10
    found = [f for f in split.findings if f.code == "MLW-S04"]
    assert found and f"{folds} folds instead of 5: class 'rare'" in found[0].seen
    assert all((split.train.y.iloc[fit] == "rare").any() and (split.train.y.iloc[valid] == "rare").any() for fit, valid in split.folds)


def test_few_groups_reduce_the_folds():
    data = table(100, groups=4, numeric=True)
    split = holdout(data, group="house", test=0.25)
    assert len(split.first_folds) == 3 and any("3 values of 'house'" in f.seen for f in split.findings)


def test_rows_without_group_or_time_stand_alone():
    frame = table(300).frame
    frame.loc[[3, 70], "house"] = None
    frame.loc[[5, 9], "day"] = pd.NaT
    data = load(frame, "y")
    split = holdout(data, time="day", group="house")
    train, _ = rows_of(split, data)
    assert {5, 9} <= train
    assert {f.columns for f in split.findings if f.code == "MLW-S07"} == {("house",), ("day",)}
    assert split.groups.notna().all()


def test_numbers_can_put_rows_in_order():
    frame = table(300).frame.assign(step=np.random.default_rng(0).permutation(300))
    split = holdout(load(frame, "y"), time="step", test=50)
    assert split.cut == 250 and split.train.frame["step"].max() == 249


def test_large_tables_have_ten_folds():
    split = holdout(table(7000, groups=900))
    assert len(split.folds) == len(split.first_folds) == 10


# ------------------------------------------------------------------------------------------------ seal and ledger
def test_the_seal(ledger):
    split = holdout(table())
    with pytest.raises(Sealed, match="open_test"):
        split.test  # noqa: B018
    for reason in ("", "  ", None):
        with pytest.raises(BadInput, match="reason"):
            split.open_test(reason)
    assert split.times_opened == 0 and not ledger.exists()
    test = split.open_test("confirm", "roc_auc")
    assert split.test.frame.equals(test.frame) and split.times_opened == 1
    entry = json.loads(ledger.read_text())
    assert entry["reason"] == "confirm" and entry["metric"] == "roc_auc" and entry["identity"] == split.identity
    assert "test_split.py" in entry["caller"] and "test_the_seal" in entry["caller"] and entry["time"].startswith("20")


def test_the_same_test_set_is_recognised():
    data = table()
    holdout(data).open_test("once")
    again = holdout(table())
    assert again.times_opened == 1 and holdout(data, seed=1).times_opened == 0
    assert holdout(data, folds_by="random").times_opened == 1, "other folds, the same test rows"
    assert holdout(load(data.frame.assign(w=1.0, y=data.frame["z"]), "y")).times_opened == 0


@pytest.mark.parametrize("copy", [pickle.loads, joblib.load])
def test_copies_are_sealed_and_show_nothing(copy, tmp_path):
    data = table()
    frame = data.frame.assign(z=[f"secret{i}" for i in range(200)])
    split = holdout(load(frame, "y"))
    hidden = set(frame["z"]) - set(split.train.frame["z"])
    if copy is joblib.load:
        joblib.dump(split, tmp_path / "split.joblib")
        saved, again = (tmp_path / "split.joblib").read_bytes(), joblib.load(tmp_path / "split.joblib")
    else:
        saved = pickle.dumps(split)
        again = pickle.loads(saved)
    for text in (saved, repr(split).encode(), split._repr_html_().encode(), repr(vars(split)).encode()):
        assert not any(h.encode() + b'"' in text or h.encode() + b"'" in text or h.encode() + b"\\" in text for h in hidden)
    with pytest.raises(Sealed):
        again.test  # noqa: B018
    assert set(again.open_test("copy").frame["z"]) == hidden


def test_ledger_lies_beside_the_data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLWORK_LEDGER")
    table().frame.to_csv(tmp_path / "flats.csv", index=False)
    split = holdout(load(str(tmp_path / "flats.csv"), "y"))
    split.open_test("test")
    assert len(read_ledger(tmp_path / ".mlwork" / "ledger.jsonl")) == 1


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_ledger_without_a_file_lies_with_the_user(tmp_path, monkeypatch, platform):
    monkeypatch.delenv("MLWORK_LEDGER")
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    path = ledger_path("https://example.org/flats.csv")
    assert tmp_path in path.parents and "mlwork" in path.parts


def test_a_ledger_that_cannot_be_written_keeps_the_seal(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MLWORK_LEDGER", str(tmp_path / "file"))
    split = holdout(table())
    with pytest.raises(Sealed, match="stay closed"):
        split.open_test("test")
    with pytest.raises(Sealed, match="must stay sealed"):
        split.test  # noqa: B018


def test_damaged_lines_are_named_and_kept(ledger):
    split = holdout(table())
    split.open_test("one")
    before = ledger.read_bytes() + b"\xff\xfe not json\n"
    ledger.write_bytes(before)
    for ask in (lambda: split.times_opened, lambda: split.open_test("two")):
        with pytest.raises(MlworkError, match="line 2"):
            ask()
    assert ledger.read_bytes() == before


def test_a_half_written_line_opened_nothing(ledger):
    split = holdout(table())
    split.open_test("one")
    with open(ledger, "ab") as f:
        f.write(b'{"time": "2026-01-01", "identity": "')
    assert split.times_opened == 1
    split.open_test("two")
    assert split.times_opened == 2 and len(ledger.read_text().splitlines()) == 2


def test_a_line_without_its_end_counts(ledger):
    ledger.parent.mkdir()
    ledger.write_text('{"time": "2026-01-01", "identity": "a"}')
    assert record(ledger, {"identity": "a"}) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_keeps_the_ledger_whole(ledger):
    record(ledger, {"identity": "a", "reason": "x" * 100})
    before = ledger.read_bytes()
    code = (
        "import resource, signal, sys; from pathlib import Path; from mlwork.seal import record; from mlwork.core import Sealed\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 20}, {len(before) + 20}))\n"
        "try: record(Path(sys.argv[1]), {'identity': 'a', 'reason': 'too much'})\n"
        "except Sealed as e: print('sealed', e)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ledger)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("sealed") and ledger.read_bytes() == before


def test_parallel_writers_lose_nothing(ledger):
    code = "import sys; from pathlib import Path; from mlwork.seal import record\n"
    code += "for _ in range(20): record(Path(sys.argv[1]), {'identity': 'a'})"
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: subprocess.run([sys.executable, "-c", code, str(ledger)], check=True), range(3)))
    assert len(done) == 3 and len(read_ledger(ledger)) == 60


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_writer_blocks_nobody(ledger):
    code = (
        "import os, sys; from pathlib import Path; from mlwork import seal\n"
        "real = os.fsync\n"
        "def die(n): os.kill(os.getpid(), 9)\n"
        "seal.record(Path(sys.argv[1]), {'identity': 'a'}); os.fsync = die; seal.record(Path(sys.argv[1]), {'identity': 'a'})"
    )
    assert subprocess.run([sys.executable, "-c", code, str(ledger)]).returncode == -9
    assert record(ledger, {"identity": "a"}) in (2, 3)
    assert os.path.exists(ledger)


@pytest.mark.parametrize("seed", [None, "a", -3, 1.5, True, 2**32])
def test_a_seed_that_is_none_is_refused(rentals, seed):
    with pytest.raises(BadInput, match="seed must be a whole number"):
        holdout(rentals, seed=seed)


def test_a_group_is_one_column(rentals):
    with pytest.raises(BadType, match="group must be the name of one column"):
        holdout(rentals, group=["building"])


@pytest.mark.parametrize("ask", [advise, quick_model])
def test_advice_is_about_a_dataset_with_a_target(rentals, ask):
    with pytest.raises(BadType, match="must be a Dataset; got DataFrame"):
        ask(rentals.frame)
    with pytest.raises(BadType, match="must be a Dataset; got Split"):
        ask(holdout(load("sample:wine")))
    with pytest.raises(BadInput, match="must have a target"):
        ask(load(rentals.frame))


def visits(rows=900):
    "Stays of patients who come back; no time along which anything shifts."
    rng = np.random.default_rng(0)
    patient = rng.integers(0, 250, rows)
    frame = {
        "patient_id": [f"P{p:04d}" for p in patient],
        "age": rng.integers(18, 95, 250)[patient],
        "sex": rng.choice([0, 1], 250)[patient],
    }
    frame["admitted"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 600, rows), unit="D")
    return pd.DataFrame(frame | {"crp": rng.gamma(2, 3, rows), "back": np.where(rng.normal(size=250)[patient] > 0.3, "yes", "no")})


def test_what_is_proposed_is_what_the_table_shows(rentals):
    assert (propose(rentals).group, propose(rentals).time) == ("building", "listed_on")
    found = propose(load(visits(), target="back"))
    assert (found.group, found.time) == ("patient_id", None)


@pytest.mark.parametrize("name", ["sample:tumours", "sample:wine", "sample:diabetes", "sklearn:iris"])
def test_nothing_is_proposed_for_tables_of_strangers(name):
    found = propose(load(name))
    assert (found.group, found.time, found.test) == (None, None, 0.2)


def test_advice_carries_the_split_that_its_code_makes():
    rng = np.random.default_rng(0)
    who, day = rng.integers(0, 60, 600), np.sort(rng.integers(0, 500, 600))
    frame = pd.DataFrame({"client": [f"c{w}" for w in who], "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D")})
    frame = frame.assign(age=rng.integers(20, 80, 60)[who], spent=rng.normal(day / 100, 1), y=rng.choice(["no", "yes"], 600))
    data = load(frame, "y")
    advice = advise(data)
    exec(advice.code, made := {"holdout": holdout, "data": data})
    assert advice.time == "day" and advice.split.identity == made["split"].identity
