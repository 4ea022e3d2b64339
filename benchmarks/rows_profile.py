"""The profile page of a table of mixed columns, from the frame in memory to the HTML text."""

from made_tables import mixed
from pairs import Pair

LIMITS = {"memory": 0.5, "page_bytes": 300_000}  # extra memory as a share of the frame
SIZES = {"100k": (100_000, 50, 15), "1M": (1_000_000, 20, 4)}


def pair(size: str, peer: str, bound: float) -> Pair:
    names = {"ydata": "ydata-profiling, minimal", "skrub": "skrub's TableReport"}
    arguments, what = {"rows": SIZES[size][0]}, f"profile of {size} × 30 mixed columns against {names[peer]}"
    return Pair(
        f"profile-{size}-{peer}", what, "rows_profile", "mlwork_page", peer, bound, "at_least", peer, arguments, {"rows": 5000}, LIMITS
    )


PAIRS = [pair(size, peer, bound) for size, (_, *bounds) in SIZES.items() for peer, bound in zip(("ydata", "skrub"), bounds, strict=True)]


def mlwork_page(rows):
    from mlwork.explore import profile

    frame = mixed(rows)
    profile(mixed(100)).page()
    yield
    html = profile(frame).page()
    return {"page_bytes": len(html.encode()), "frame_bytes": int(frame.memory_usage(deep=True).sum())}


def ydata(rows):
    import warnings

    warnings.simplefilter("ignore")
    from ydata_profiling import ProfileReport

    frame = mixed(rows)
    yield
    html = ProfileReport(frame, minimal=True, progress_bar=False).to_html()
    return {"page_bytes": len(html.encode())}


def skrub(rows):
    from skrub import TableReport

    frame = mixed(rows)
    TableReport(mixed(100), verbose=0).html()
    yield
    html = TableReport(frame, verbose=0).html()
    return {"page_bytes": len(html.encode())}
