"""A Jupyter-first kit to learn the machine-learning workflow and to do it for real."""

__version__ = "0.1.0"


def __getattr__(name):
    "Load a public name of any stage on first use, so that `import mlwork` stays light."
    if name.startswith("_"):
        raise AttributeError(f"module 'mlwork' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("mlwork.all"), name)
