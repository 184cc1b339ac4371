# SPDX-License-Identifier: Apache-2.0
"""The page and its chart, from the results' file.

    python3 -m bench.page [RESULTS [PAGE]]

Without arguments: docs/performance.md and docs/performance.svg, from bench/results.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench import chart, results, table
from bench.peer import CHECKOUT
from bench.results import Results

RESULTS = CHECKOUT / "bench/results.json"
PAGE = CHECKOUT / "docs/performance.md"


def main() -> int:
    """Write both."""
    paths = [Path(each) for each in sys.argv[1:]]
    source, page = [*paths, *(RESULTS, PAGE)[len(paths) :]][:2]
    make(source, page)
    return 0


def make(source: Path, page: Path) -> None:
    """Write the page, and the chart beside it."""
    found = results.read(source)
    drawing = page.with_suffix(".svg")
    drawing.write_text(chart.svg(found.figures, _title(found)))
    page.write_text(text(found, drawing.name))


def text(found: Results, drawing: str) -> str:
    """The page."""
    verdicts = [each for figure in found.figures for each in figure.verdicts]
    met = sum(each.is_met for each in verdicts)
    quick = " A quick run: fewer and shorter measurements." if found.is_quick else ""
    notes = [f"- {each.name}: {each.note}" for each in found.figures if each.note]
    failed = [f"- {each}" for each in found.failed]
    parts = [
        "# Performance",
        "Made from `bench/results.json` by `python3 -m bench.page`; `make bench` measures it anew.",
        f"Measured {found.date}, version {found.commit}, in {found.seconds / 60:.0f} minutes, on"
        f" {found.machine}.{quick}",
        _WHAT,
        f"Goals met: {met} of {len(verdicts)}.",
        f"![The same figures as bars]({drawing})",
        table.markdown(found.figures).rstrip(),
        *(["\n".join(notes)] if notes else []),
        *(["Could not be measured:", "\n".join(failed)] if failed else []),
    ]
    return "\n\n".join(parts) + "\n"


_WHAT = """\
*Ours* is this version, installed as into an image. The *peer* is heat-agents 13.0.0, with
os-collect-config 14.1.0 where it waits for metadata, from the package index, in the same run. The
*floor* is the least that somebody could do in our place; each module in `bench/rows/` says what
that is. A figure is the median, with the least and the most of all runs in parentheses. Less is
better in all of them. CPU is that of the program and of all that it starts. Ratios are those of
the medians."""


def _title(found: Results) -> str:
    return f"heat-config, {found.date}, version {found.commit}"


if __name__ == "__main__":
    sys.exit(main())
