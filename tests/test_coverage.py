"""The promise of every interval: at a nominal 95 % it holds the truth 93 to 97 times in a hundred.

Test sets are drawn from worlds with a known truth (benchmarks/interval_coverage.py, which also runs 10,000 draws a cell and harder worlds):
200 and 2,000 rows, 8 to 50 % positives, rows alone and eight to a group, single scores and paired differences.
A coverage counted in k draws is itself uncertain, by sqrt(0.94 * 0.06 / k). So each cell may leave 93 to 97 % by three such standard errors
(k = 400: 3.6 points; there are some 500 cells), and the mean of a metric over all its cells, k = 3,200 to 4,800 draws, by none at the
bottom and by two at the top.
"""

import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest
from houses import ROOT

from mlwork.metrics import METRICS, compare, score

spec = importlib.util.spec_from_file_location("coverage_worlds", ROOT / "benchmarks" / "interval_coverage.py")
worlds = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = worlds
spec.loader.exec_module(worlds)

TIMES = 400
EXPECTED_METRICS = {"binary": 12, "multiclass": 8, "regression": 5}


@pytest.fixture(scope="module")
def coverage():
    "One row for each metric, cell and kind (alone or difference)."
    rows, known = [], {}
    for c in worlds.cells():
        about = {k: v for k, v in c.items() if k != "rows"}
        if c["world"] != "regression":
            about["size"] = 1  # groups do not change the truth
        key = str(about)
        known[key] = known.get(key) or worlds.truths(**about)
        rows += worlds.cell(**c, times=TIMES, true=known[key])
    return pd.DataFrame(rows)


def test_every_interval_is_tried(coverage):
    for world, count in EXPECTED_METRICS.items():
        part = coverage[coverage.world == world]
        assert part.groupby("metric").what.nunique().eq(2).sum() == count
    assert coverage.groupby(["rows", "groups"]).ngroups == 4
    assert set(coverage.metric) == set(METRICS)


def test_each_cell_covers(coverage):
    slack = 3 * np.sqrt(0.06 * 0.94 / TIMES)
    off = coverage[(coverage.covered < 0.93 - slack) | (coverage.covered > 0.97 + slack)]
    assert off.empty, off.to_string()


def test_each_metric_covers(coverage):
    mean = coverage.groupby(["world", "metric", "what"]).covered.agg(["mean", "size"])
    slack = 2 * np.sqrt(0.03 * 0.97 / (TIMES * mean["size"]))
    off = mean[(mean["mean"] < 0.93) | (mean["mean"] > 0.97 + slack)]
    assert off.empty, off.to_string()


def test_counting_rows_for_groups_breaks_the_promise():
    "The same 25 groups of 8, scored as if rows stood alone: why `groups` exists."
    true = worlds.truths("regression", "normal", size=8, tie=0.4)[0]["mae"]
    rng, inside = np.random.default_rng(0), np.zeros(2)
    for _ in range(300):
        y, ((_, mean), _), groups = worlds.regression(rng, 200, "normal", size=8, tie=0.4)
        inside += [true in score(y, mean, metrics="mae", groups=g)["mae"] for g in (None, groups)]
    assert inside[0] / 300 < 0.88 < 0.92 < inside[1] / 300


def test_the_simulation_uses_what_users_call():
    y, models, groups = worlds.binary(np.random.default_rng(0), 200, 0.2, size=8)
    a, b = worlds.read("binary", y, models, groups)
    (p, said), (q, other) = models
    assert score(y, said, p, "f1", groups, 1)["f1"] == worlds.metrics._INTERVALS["f1"]("f1", a, 0.95)
    assert compare("roc_auc", y, p, q, groups, 1) == worlds.metrics._difference("roc_auc", a, b, 0.95)
