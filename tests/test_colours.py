"""Colours that colour-blind people can tell apart, too: each kind of colour blindness is simulated, and distances measured as the eye sees them."""

import itertools
import re

import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE

from mlwork.show import PALETTE

KINDS = (None, "deuteranomaly", "protanomaly", "tritanomaly")
SHEETS = ("lab.css", "page.css")
APART = 10  # in CAM02-UCS; about 1 is the least that can be seen side by side


def seen(colour, kind):
    "Give a colour as it is seen with a colour blindness in full."
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    if kind is None:
        return rgb
    return np.clip(cspace_convert(rgb, {"name": "sRGB1+CVD", "cvd_type": kind, "severity": 100}, "sRGB1"), 0, 1)


def themes(repository, sheet):
    "Give each set of colours of a style sheet: light, then dark."
    found = re.findall(r"--([\w-]+): (#[0-9a-f]{6})", (repository / "mlwork" / "static" / sheet).read_text(encoding="utf-8"))
    starts = [i for i, (name, _) in enumerate(found) if name == "mlw-0"]
    return [dict(found[i : i + 8]) for i in starts], found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sheet", SHEETS)
def test_every_two_colours_of_a_theme_can_be_told_apart(repository, sheet, kind):
    sets, _ = themes(repository, sheet)
    assert len(sets) >= 2 and list(sets[0].values()) == list(PALETTE)
    for colours in sets:
        assert len(colours) == len(PALETTE)
        for a, b in itertools.combinations(colours.values(), 2):
            apart = deltaE(seen(a, kind), seen(b, kind), input_space="sRGB1")
            assert apart >= APART, f"{a} and {b}, {kind}: {apart:.1f}"


@pytest.mark.parametrize("kind", KINDS)
def test_good_and_bad_can_be_told_apart(repository, kind):
    _, found = themes(repository, "lab.css")
    pairs = list(zip([c for n, c in found if n == "good"], [c for n, c in found if n == "bad"], strict=True))
    assert len(pairs) == 2
    for good, bad in pairs:
        assert deltaE(seen(good, kind), seen(bad, kind), input_space="sRGB1") >= APART
