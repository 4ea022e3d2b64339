"""What an import costs."""

from pairs import Pair

PAIRS = [
    Pair("import", "`import mlwork` against `import sklearn, pandas`", "rows_import", "mlwork_alone", "libraries", 0.10),
    Pair(
        "import-all",
        "`from mlwork.all import *` against scikit-learn's working set and pandas",
        "rows_import",
        "mlwork_all",
        "working_set",
        1.15,
    ),
]


def mlwork_alone():
    yield
    import mlwork  # noqa: F401


def libraries():
    yield
    import pandas  # noqa: F401
    import sklearn  # noqa: F401


def mlwork_all():
    yield
    exec("from mlwork.all import *", {})


def working_set():
    yield
    import pandas  # noqa: F401
    import sklearn.compose
    import sklearn.ensemble
    import sklearn.impute
    import sklearn.linear_model
    import sklearn.metrics
    import sklearn.model_selection
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401
