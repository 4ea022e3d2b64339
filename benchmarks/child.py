"""One side of a pair, in a fresh interpreter: `python child.py MODULE FUNCTION ARGUMENTS_AS_JSON`; the last line printed is the result.

The function is a generator. What it does before its first `yield` is preparation, what it does after is measured, up to its end or to a
second `yield`, from where it only checks. What it returns are facts (sizes, scores) to be reported beside the times.
"""

import ctypes
import gc
import importlib
import json
import resource
import sys
import time
from pathlib import Path


def cpu() -> float:
    "CPU seconds so far: this process with all its threads, and its finished children."
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def memory(which: str) -> int:
    "Bytes of memory held now (VmRSS) or at most (VmHWM); 0 where the system does not tell."
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(which)), 0)


def forget_peak():
    "Give unused memory back and let the peak start again from here, where Linux allows it."
    gc.collect()
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except OSError as error:
        print(f"the peak includes the preparation: {error}", file=sys.stderr)


def run(function, arguments) -> dict:
    "Prepare, then measure the rest."
    steps = function(**arguments)
    next(steps)
    forget_peak()
    before, start = memory("VmRSS"), cpu()
    facts, more = following(steps)
    measured = {"cpu": cpu() - start, "extra_bytes": max(0, memory("VmHWM") - before)}
    return measured | {"facts": following(steps)[0] if more else facts}


def following(steps) -> tuple[dict, bool]:
    "Run to the next `yield` or to the end: what was returned, and whether there is more."
    try:
        next(steps)
        return {}, True
    except StopIteration as end:
        return end.value or {}, False


if __name__ == "__main__":
    module, name, arguments = sys.argv[1:]
    print(json.dumps(run(getattr(importlib.import_module(module), name), json.loads(arguments))))
