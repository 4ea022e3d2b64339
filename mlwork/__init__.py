"""A Jupyter-first kit to learn the machine-learning workflow and to do it for real"""

__version__ = "0.1.0"


def __getattr__(name):
    "Load a stage, or a public name of any stage, on first use, so that `import mlwork` stays light."
    from importlib import import_module
    from importlib.util import find_spec

    if name.startswith("_"):
        raise AttributeError(f"module 'mlwork' has no attribute {name!r}")
    return import_module(f"mlwork.{name}") if find_spec(f"mlwork.{name}") else getattr(import_module("mlwork.all"), name)
