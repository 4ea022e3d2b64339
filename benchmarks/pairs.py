"""Measure two programs against each other: in turn (A B A B …), each time in a fresh process, by CPU seconds and peak memory."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from peers import interpreter

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # waiting threads burn CPU seconds


@dataclass(frozen=True)
class Pair:
    "Two ways to one result, and the ratio that must hold between them."

    name: str  # short and unique, for --only
    what: str  # one line of the table
    module: str  # the file in this folder with both functions
    ours: str  # generator function: preparation, yield, measured part
    peer: str | None  # likewise; None where only the limits are to be checked, in one run
    bound: float = 0  # "at_most": ours / peer must not be more; "at_least": peer / ours must not be less
    kind: str = "at_most"
    environment: str | None = None  # the peer's environment, one of peers.PEERS; None for ours
    arguments: dict = field(default_factory=dict)  # given to both functions
    quick: dict = field(default_factory=dict)  # other arguments for --quick
    limits: dict = field(default_factory=dict)  # {fact of our side: the most it may be}


@dataclass(frozen=True)
class Outcome:
    "What a pair gave: one entry a run, in order."

    pair: Pair
    ours: list[dict]
    peer: list[dict]

    @property
    def ratios(self) -> list[float]:
        "The ratio of each run to its neighbour: a machine that slows down slows both."
        each = [(a["cpu"], b["cpu"]) for a, b in zip(self.ours, self.peer, strict=False)]
        return [a / b if self.pair.kind == "at_most" else b / a for a, b in each]

    @property
    def ratio(self) -> float | None:
        "The median of the ratios; None without a peer."
        return statistics.median(self.ratios) if self.peer else None

    @property
    def exceeded(self) -> list[str]:
        "The limits that did not hold, each with its value."
        facts = {f: statistics.median(run["facts"][f] for run in self.ours) for f in self.pair.limits}
        return [f"{f} {value:,.4g} > {self.pair.limits[f]:,}" for f, value in facts.items() if value > self.pair.limits[f]]

    @property
    def passed(self) -> bool:
        within = self.ratio is None or (self.ratio <= self.pair.bound if self.pair.kind == "at_most" else self.ratio >= self.pair.bound)
        return within and not self.exceeded


def once(module: str, function: str, arguments: dict, environment: str | None = None) -> dict:
    "Run one side in a fresh process: CPU seconds, extra bytes, facts."
    command = [interpreter(environment), str(HERE / "child.py"), module, function, json.dumps(arguments)]
    with tempfile.TemporaryDirectory() as ledger:
        settings = os.environ | ONE_THREAD | {"MLWORK_PROGRESS": "0", "MLWORK_LEDGER": ledger}
        settings.pop("PYTHONDONTWRITEBYTECODE", None)  # peers are compiled when installed, we on the run that is not counted
        done = subprocess.run(command, capture_output=True, text=True, env=settings)
    if done.returncode:
        raise RuntimeError(f"{module}.{function} failed:\n{done.stderr[-3000:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    limited = result["facts"].pop("frame_bytes", None)
    if limited:
        result["facts"]["memory"] = result["extra_bytes"] / limited
    return result


def compare(pair: Pair, runs: int = 5, quick: bool = False) -> Outcome:
    "Run both sides in turn; a first run of each is not counted (it fills the disk cache). Without a peer, run once."
    arguments, ours, peer = pair.arguments | (pair.quick if quick else {}), [], []
    for i in range(-1, runs) if pair.peer else [0]:
        both = [once(pair.module, pair.ours, arguments)]
        both += [once(pair.module, pair.peer, arguments, pair.environment)] if pair.peer else []
        seconds = " and ".join(f"{side['cpu']:.3f} s" for side in both)
        print(f"{pair.name} {i + 1}/{runs}: {seconds}", file=sys.stderr)
        if i >= 0:
            ours.append(both[0])
            peer.extend(both[1:])
    return Outcome(pair, ours, peer)


def row(outcome: Outcome) -> str:
    "One line of the table, in markdown."
    pair, sign = outcome.pair, "≤" if outcome.pair.kind == "at_most" else "≥"
    seconds = [f"{statistics.median(run['cpu'] for run in side):.3f}" if side else "" for side in (outcome.ours, outcome.peer)]
    ratio = f"{outcome.ratio:.3g} ({min(outcome.ratios):.3g}–{max(outcome.ratios):.3g})" if outcome.peer else ""
    facts = "; ".join(f"{f} {v:,.4g}" if isinstance(v, int | float) else f"{f} {v}" for f, v in outcome.ours[-1]["facts"].items())
    verdict = " ".join(["pass" if outcome.passed else "**FAIL**", "; ".join(outcome.exceeded)]).strip()
    memory = f"{max(run['extra_bytes'] for run in outcome.ours) / 1e6:.0f}"
    cells = [pair.what, *seconds, ratio, f"{sign} {pair.bound:g}" if pair.peer else "", verdict, memory, facts]
    return f"| {' | '.join(cells)} |"


HEADINGS = ["what", "ours, s", "peer, s", "ratio (lowest–highest)", "must be", "verdict", "extra MB, ours", "facts, ours"]
HEAD = f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}"
