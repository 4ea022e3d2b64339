"""A report of a fitted classifier on its test rows, against skore's."""

from pairs import Pair

WHAT = "evaluation report (7 metrics with intervals, 4 figures) against skore's EstimatorReport with 3 plots"
PAIRS = [Pair("report", WHAT, "rows_report", "mlwork_report", "skore_report", 0.8, environment="skore", arguments={"rows": 50_000})]


def table(rows):
    from sklearn.datasets import make_classification

    return make_classification(rows, 20, n_informative=8, weights=[0.8], flip_y=0.05, random_state=0)


def mlwork_report(rows):
    import pandas as pd

    from mlwork.collect import load
    from mlwork.evaluate import evaluate
    from mlwork.split import holdout
    from mlwork.train import fit

    X, y = table(rows)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]).assign(target=y)
    split = holdout(load(frame, "target"))
    model = fit(split)
    chosen_by = evaluate(model, split).oof.predictions
    yield
    report = evaluate(model, split, open_test=True, oof=chosen_by)
    page = report._repr_html_()
    return {"metrics": len(report.test.scores), "figures": len(report.figures()), "page_bytes": len(page.encode())}


def skore_report(rows):
    import matplotlib

    matplotlib.use("agg")
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import train_test_split
    from skore import EstimatorReport

    X, X_test, y, y_test = train_test_split(*table(rows), test_size=0.2, random_state=0)
    model = HistGradientBoostingClassifier(learning_rate=0.05, max_iter=300, early_stopping=True, random_state=0).fit(X, y)
    yield
    report = EstimatorReport(model, X_test=X_test, y_test=y_test, pos_label=1)
    report.metrics.summarize().frame()
    for display in (report.metrics.roc(), report.metrics.precision_recall(), report.metrics.confusion_matrix()):
        display.plot()
