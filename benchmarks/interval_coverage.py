"""How often do the intervals of mlwork.metrics hold the truth? Test sets are drawn from worlds whose truth is known.

python benchmarks/interval_coverage.py [--times 10000] [--only binary] [--out FILE.csv]

Nominal is 95 %; 93 to 97 % is asked for. With 10,000 draws a coverage of 95 % is known to within 0.4 points (two standard errors),
with 1,000 draws to within 1.4. tests/test_coverage.py runs the same cells with fewer draws.
"""

import argparse
import sys
import time
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from mlwork import metrics
from mlwork.metrics import METRICS
from mlwork.predictions import read_predictions

SIZE = 8  # rows a group, where there are groups
NAMES = {task: [m.name for m in METRICS.values() if task in m.tasks] for task in ("binary", "multiclass", "regression")}


def members(rng, rows, size, uneven):
    "Number the group of each row: all of one size, or sizes that differ widely."
    if size == 1:
        return np.arange(rows)
    if not uneven:
        return np.arange(rows) // size
    return np.sort(rng.choice(rows // size, rows, p=rng.dirichlet(np.full(rows // size, 2.0))))


def mixed(rng, unit, tie, shape=(), draw=None):
    "Draw noise of variance 1 of which a share `tie` is common to the rows of a group."
    draw = draw or (lambda *size: rng.normal(size=size))
    return np.sqrt(tie) * draw(unit.max() + 1, *shape)[unit] + np.sqrt(1 - tie) * draw(len(unit), *shape)


def binary(rng, rows, share, size=1, tie=0.2, strength=(1.5, 1.2), alarms=1.5, uneven=False):
    "Two models of a yes-no target: scores N(0, 1) and N(strength, 1), errors of the models correlated by 0.7."
    unit = members(rng, rows, size, uneven)
    tie = tie if size > 1 else 0.0
    y = (mixed(rng, unit, tie) > ndtri(1 - share)).astype(int)
    first, other = mixed(rng, unit, tie), mixed(rng, unit, tie)
    models = []
    for d, noise in zip(strength, (first, 0.7 * first + np.sqrt(0.51) * other), strict=True):
        p = expit(d * (d * y + noise) - d * d / 2 + np.log(share / (1 - share)))
        models.append((p, (d * y + noise > cut(d, share, alarms)).astype(int)))
    return y, models, unit if size > 1 else None


def cut(d, share, alarms, known={}):  # noqa: B006 (a cache)
    "Score above which `alarms` times as many rows lie as are positive (at most half of the rows)."
    if (d, share, alarms) not in known:
        rng = np.random.default_rng(0)
        scores = rng.normal(size=2_000_000) + d * (rng.random(2_000_000) < share)
        known[d, share, alarms] = np.quantile(scores, 1 - min(alarms * share, 0.5))
    return known[d, share, alarms]


def multiclass(rng, rows, share, size=1, tie=0.2, strength=(1.8, 1.5), uneven=False):
    "Two models of three classes, of which the rarest has `share` and the others the rest, 2 : 1."
    unit = members(rng, rows, size, uneven)
    tie = tie if size > 1 else 0.0
    prior = np.array([2 * (1 - share) / 3, (1 - share) / 3, share])
    bounds = ndtri(np.cumsum(prior)[:2])
    y = np.searchsorted(bounds, mixed(rng, unit, tie))
    first, other = mixed(rng, unit, tie, (3,)), mixed(rng, unit, tie, (3,))
    models = []
    for d, noise in zip(strength, (first, 0.7 * first + np.sqrt(0.51) * other), strict=True):
        weight = prior * np.exp(d * (d * np.eye(3)[y] + noise))
        p = weight / weight.sum(axis=1, keepdims=True)
        models.append((p, (np.eye(3)[y] * d + noise).argmax(axis=1)))
    return y, models, unit if size > 1 else None


def regression(rng, rows, tail, size=1, tie=0.2, uneven=False):
    "Two models of a number around 10: errors of the given tail; the second has more of them."
    unit = members(rng, rows, size, uneven)
    tie = tie if size > 1 else 0.0
    draws = {
        "normal": lambda *s: rng.normal(size=s),
        "laplace": lambda *s: rng.laplace(size=s) / np.sqrt(2),
        "t5": lambda *s: rng.standard_t(5, s) / np.sqrt(5 / 3),
        "uneven": lambda *s: rng.normal(size=s) * np.exp(0.4 * rng.normal(size=s) - 0.16),
    }
    mean = 20 + 2 * mixed(rng, unit, tie)
    error, other = mixed(rng, unit, tie, draw=draws[tail]), mixed(rng, unit, tie, draw=draws[tail])
    return mean + error, [(None, mean), (None, mean + 0.5 * other)], unit if size > 1 else None


WORLDS = {"binary": binary, "multiclass": multiclass, "regression": regression}
QUANTILE = 0.8


def read(world, y, models, groups):
    "Check the predictions of all models once, for all metrics."
    classes = {"binary": [0, 1], "multiclass": [0, 1, 2], "regression": None}[world]
    about = {"groups": groups, "positive": 1 if world == "binary" else None, "task": world, "classes": classes, "quantile": QUANTILE}
    return [read_predictions(y, said, p, **about) for p, said in models]


def truths(world, kind, size, **settings):
    "The metrics of both models on two million rows; groups change only what is mixed in, so one row a group is enough to know."
    if world == "regression":
        settings["size"] = size
    settings.pop("uneven", None)
    y, models, _ = WORLDS[world](np.random.default_rng(99), 2_000_000, kind, **settings)
    return [{n: metrics._INTERVALS[n](n, rows, 0.95).value for n in NAMES[world]} for rows in read(world, y, models, None)]


def cell(world, kind, rows, size, times, seed=0, paired=True, true=None, **settings):
    "Count in how many of `times` draws each interval holds the truth, and how many draws carry no note."
    true = true or truths(world, kind, size, **settings)
    rng, held = np.random.default_rng(seed), {}
    for _ in range(times):
        a, b = read(world, *WORLDS[world](rng, rows, kind, size=size, **settings))
        for name in NAMES[world]:
            alone = metrics._INTERVALS[name](name, a, 0.95)
            held.setdefault((name, "alone"), []).append((true[0][name] in alone, not alone.note))
            if paired:
                gap = metrics._difference(name, a, b, 0.95)
                held.setdefault((name, "difference"), []).append((true[0][name] - true[1][name] in gap, not gap.note))
    about = {"world": world, "kind": kind, "rows": rows, "groups": size > 1, **settings}
    return [
        about | {"metric": m, "what": w, "covered": np.mean(v, axis=0)[0], "clear": np.mean(v, axis=0)[1]} for (m, w), v in held.items()
    ]


def cells():
    "The cells asked for: 200 and 2,000 rows, 8 to 50 % positives, rows alone and in groups; then some harder ones."
    for rows, size in product((200, 2000), (1, SIZE)):
        for share in (0.08, 0.2, 0.5):
            yield {"world": "binary", "kind": share, "rows": rows, "size": size}
        for share in (0.08, 0.2):
            yield {"world": "multiclass", "kind": share, "rows": rows, "size": size}
        for tail in ("normal", "laplace", "t5"):
            yield {"world": "regression", "kind": tail, "rows": rows, "size": size}


def harder():
    "Stronger ties, groups of uneven size, stronger models, and errors whose size differs from row to row."
    for share in (0.08, 0.2, 0.5):
        yield {"world": "binary", "kind": share, "rows": 200, "size": SIZE, "tie": 0.4}
        yield {"world": "binary", "kind": share, "rows": 400, "size": SIZE, "uneven": True}
        yield {"world": "binary", "kind": share, "rows": 200, "size": 1, "strength": (2.5, 2.2), "alarms": 1.0}
        yield {"world": "binary", "kind": share, "rows": 200, "size": SIZE, "strength": (2.5, 2.2), "alarms": 1.0}
    for tail in ("normal", "laplace"):
        yield {"world": "regression", "kind": tail, "rows": 400, "size": SIZE, "uneven": True}
        yield {"world": "regression", "kind": tail, "rows": 200, "size": SIZE, "tie": 0.4}
    yield {"world": "regression", "kind": "uneven", "rows": 200, "size": 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=10_000, help="draws a cell (default 10000)")
    parser.add_argument("--only", choices=WORLDS, help="one world")
    parser.add_argument("--cells", choices=("asked", "harder", "all"), default="all", help="which cells (default all)")
    parser.add_argument("--out", help="write all rows to this CSV file")
    args = parser.parse_args()
    chosen = [*(cells() if args.cells != "harder" else ()), *(harder() if args.cells != "asked" else ())]
    found, known = [], {}
    for c in (c for c in chosen if args.only in (None, c["world"])):
        start, key = time.monotonic(), str({k: v for k, v in c.items() if k != "rows"})
        known[key] = known.get(key) or truths(**{k: v for k, v in c.items() if k != "rows"})
        found += cell(**c, times=args.times, true=known[key])
        print(f"{c} {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    table = pd.DataFrame(found)
    if args.out:
        table.to_csv(args.out, index=False)
    table["cell"] = table.kind.astype(str) + " " + table.rows.astype(str) + table.groups.map({True: " grouped", False: ""})
    extra = [c for c in ("tie", "uneven", "strength") if c in table]
    table["cell"] += table[extra].apply(lambda r: "".join(f" {k}={v}" for k, v in r.dropna().items()), axis=1) if extra else ""
    pd.set_option("display.width", 250, "display.max_columns", 40, "display.max_rows", 500)
    for (world, what), part in table.groupby(["world", "what"], sort=False):
        wide = part.pivot(index="cell", columns="metric", values="covered").loc[part.cell.unique(), part.metric.unique()]
        print(f"\n{world}, {what}: coverage in %\n{(100 * wide).round(1).to_string()}")


if __name__ == "__main__":
    main()
