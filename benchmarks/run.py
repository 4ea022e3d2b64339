"""Measure mlwork against its peers and print the table of ratios: `python benchmarks/run.py [--only NAME …] [--quick] [--list]`."""

import argparse
import importlib
import sys
from pathlib import Path

from pairs import HEAD, HERE, Pair, compare, row

RESULTS = HERE / "results" / "latest.md"


def all_pairs() -> list[Pair]:
    "The pairs of every rows_*.py in this folder."
    modules = sorted(path.stem for path in HERE.glob("rows_*.py"))
    return [pair for module in modules for pair in importlib.import_module(module).PAIRS]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="pairs whose name starts so")
    parser.add_argument("--quick", action="store_true", help="one counted run and smaller tables: does it work, not how fast is it")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each side (default: 5)")
    parser.add_argument("--list", action="store_true", help="list the names and leave")
    return parser.parse_args()


def write(path: Path, lines: list[str]):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    asked = options()
    chosen = [pair for pair in all_pairs() if pair.name.startswith(tuple(asked.only))]
    if asked.list or not chosen:
        print("\n".join(pair.name for pair in chosen or all_pairs()))
        return 0 if chosen else 2
    print(HEAD, flush=True)
    lines, failed = [HEAD], 0
    for pair in chosen:
        try:
            outcome = compare(pair, 1 if asked.quick else asked.runs, asked.quick)
            lines.append(row(outcome))
            failed += not outcome.passed
        except RuntimeError as error:
            print(error, file=sys.stderr)
            lines.append(f"| {pair.what} | | | | | **FAIL** did not run | | |")
            failed += 1
        print(lines[-1], flush=True)
    if not asked.quick:
        write(RESULTS, lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
