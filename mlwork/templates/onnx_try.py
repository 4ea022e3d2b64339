"""Asks the model in onnxruntime: its golden rows, or, with `python try.py rows.json`, a JSON list of rows, whose answers it prints.

Needs: pip install "mlwork[deploy]". Ends with 1 where a golden row differs, with 2 where the rows cannot be read.

model.onnx takes "cells", n rows of 64-bit floats (NaN where missing), and gives "scores" and "refused". What each column of "cells" is
stands in its metadata ("cells"); how it is read out of a raw row stands in model.json, and run_in_onnxruntime does it.
"""

import json
import sys
from pathlib import Path

from mlwork.core import BadInput
from mlwork.deploy.bundle import Bundle
from mlwork.deploy.golden import Golden, certify
from mlwork.deploy.onnx_graph import run_in_onnxruntime


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


here = Path(__file__).parent
model = Bundle(read(here / "model.json"))
run = run_in_onnxruntime(model, (here / "model.onnx").read_bytes())

if len(sys.argv) > 1:
    try:
        rows = read(sys.argv[1])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadInput("there must be a list of rows", type(rows).__name__)
        print(json.dumps(run(rows), ensure_ascii=False))
    except (OSError, ValueError) as error:  # one of them is `BadInput`
        print(f"{sys.argv[1]} must be a file with a JSON list of rows; got: {error}", file=sys.stderr)
        sys.exit(2)
else:
    held = Golden(**read(here / "golden.json"))
    found = certify(model, "onnx", "onnxruntime", run, held)
    wrong = found["labels_that_differ"] + found["refusals_that_differ"] + found["answers_too_far"]
    print(f"{len(held.rows)} golden rows: {wrong} differ from Python")
    sys.exit(0 if found["proved"] else 1)
