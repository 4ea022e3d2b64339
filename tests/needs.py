"""What a test needs of the machine: skipped, with the reason, where it is missing; but in CI nothing may be missing, so there the test fails."""

import os
import shutil
import sys
from pathlib import Path

import pytest

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # programs that came with pip, such as linters


def needs(*programs):
    "A mark for tests that start programs."
    missing = [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing) and not os.environ.get("MLWORK_CI"), reason=f"not on this machine: {', '.join(missing)}")
