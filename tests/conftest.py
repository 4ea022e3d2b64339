"""Every test writes its ledger into a folder of its own and shows no progress bars."""

from pathlib import Path

import pytest
import skops.io  # noqa: F401  what it trusts is listed on import: before a test enables an experimental estimator

pytest_plugins = ["browser_page"]


@pytest.fixture(autouse=True)
def own_ledger(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MLWORK_LEDGER", str(tmp_path_factory.mktemp("ledger")))
    monkeypatch.setenv("MLWORK_PROGRESS", "0")


@pytest.fixture
def repository():
    return Path(__file__).resolve().parent.parent
