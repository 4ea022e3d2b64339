"""Five metrics with their intervals, against five metrics without."""

import numpy as np
from pairs import Pair

NAMES = ("accuracy", "precision", "recall", "f1", "roc_auc")
WHAT = "intervals of accuracy, precision, recall, F1 and AUC on 100k predictions against scikit-learn's five numbers"
PAIRS = [
    Pair("intervals", WHAT, "rows_metrics", "with_intervals", "plain", 1.5, arguments={"rows": 100_000}),
    Pair("intervals-ends", "each end of these intervals against 20,000 draws, as a share of the width", "rows_metrics", "ends", None,
         arguments={"rows": 100_000, "draws": 20_000}, quick={"draws": 2000}, limits={f"{m}_off": 0.05 for m in NAMES}),
]  # fmt: skip
TIMES = 5  # a single run is too short to time well


def predictions(rows: int):
    "A fair binary model: 20 % positives, AUC about 0.84; truth, label and probability."
    rng = np.random.default_rng(0)
    truth = (rng.random(rows) < 0.2).astype(int)
    probability = 1 / (1 + np.exp(-(rng.normal(0, 1, rows) + 1.4 * truth - 1)))
    return truth, (probability > 0.5).astype(int), probability


def with_intervals(rows):
    from mlwork.metrics import score

    truth, label, probability = predictions(rows)
    score(truth[:500], label[:500], probability[:500], NAMES, positive=1)
    yield
    for _ in range(TIMES):
        score(truth, label, probability, NAMES, positive=1)


def plain(rows):
    from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

    truth, label, probability = predictions(rows)
    measures = (accuracy_score, precision_score, recall_score, f1_score)
    roc_auc_score(truth[:500], probability[:500])
    yield
    for _ in range(TIMES):
        [measure(truth, label) for measure in measures]
        roc_auc_score(truth, probability)


def drawn(truth, label, probability, draws):
    "Bootstrap draws of the five metrics, one column a metric: rows drawn with replacement, as counts in the order of the probability."
    order = np.argsort(probability)
    truth, label, n = truth[order], label[order], len(truth)
    rng, out = np.random.default_rng(1), np.empty((draws, 5))
    for i in range(draws):
        count = np.bincount(rng.integers(0, n, n, dtype=np.uint32), minlength=n)
        yes = count * truth
        below = np.cumsum(count - yes)
        true_yes, said, real, right = yes @ label, count @ label, yes.sum(), count @ (truth == label)
        out[i] = right / n, true_yes / said, true_yes / real, 2 * true_yes / (said + real), yes @ below / (real * (n - real))
    return out


def ends(rows, draws):
    from mlwork.metrics import score

    truth, label, probability = predictions(rows)
    yield
    found = score(truth, label, probability, NAMES, positive=1)
    yield
    reference = np.quantile(drawn(truth, label, probability, draws), [0.025, 0.975], axis=0)
    width = reference[1] - reference[0]
    off = {m: max(abs(found[m].low - low), abs(found[m].high - high)) for m, (low, high) in zip(NAMES, reference.T, strict=True)}
    return {f"{m}_off": float(off[m] / w) for m, w in zip(NAMES, width, strict=True)}
