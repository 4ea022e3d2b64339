"""Peers live in environments of their own, made on demand under benchmarks/.envs: they are never dependencies of mlwork."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / ".envs"
PEERS = {
    "ydata": ["ydata-profiling==4.18.*", "setuptools<81"],  # needs pandas < 3, and pkg_resources
    "skrub": ["skrub"],
    "skore": ["skore"],
    "mlflow": ["mlflow==3.*", "scikit-learn==1.9.*", "pandas==3.*", "pyarrow"],
    "bentoml": ["bentoml==1.4.*", "scikit-learn==1.9.*", "pandas==3.*", "pyarrow"],
    "c_models": ["m2cgen", "emlearn", "tl2cgen", "treelite==4.1.*", "scikit-learn==1.9.*"],
}


def interpreter(name: str | None) -> str:
    "The Python of a peer's environment, made if it is not there; None stands for this one."
    if name is None:
        return sys.executable
    folder, wanted = FOLDER / name, "\n".join(PEERS[name])
    python, stamp = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"), folder / "installed.txt"
    if not (stamp.exists() and stamp.read_text() == wanted):
        print(f"making the environment of {name} ({', '.join(PEERS[name])})", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)
        stamp.write_text(wanted)
    return str(python)
