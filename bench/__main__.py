# SPDX-License-Identifier: Apache-2.0
"""All that is measured, in one table.

    python3 -m bench [--quick] [ROW…]

A whole run writes bench/results.json, and docs/performance.md and its chart from it; a quick
one, and one of some rows alone, writes them into .cache/bench/. The exit status is 0 when each row
could be measured; a goal that was missed is no failure: the table says by how much.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from bench import page, results, table
from bench.figure import Figure
from bench.given import Given
from bench.peer import CACHE, say
from bench.results import Results
from bench.rows import ROWS, Row


def main() -> int:
    """Measure, write, print."""
    options = _parser().parse_args()
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    chosen = [row for row in ROWS if not options.rows or row.name in options.rows]
    is_whole = not options.quick and len(chosen) == len(ROWS)
    found = measured(chosen, is_quick=options.quick)
    source = page.RESULTS if is_whole else CACHE / "results.json"
    results.write(source, found)
    page.make(source, page.PAGE if is_whole else CACHE / "performance.md")
    print(table.text(found.figures))
    for each in found.failed:
        print(f"could not be measured: {each}")
    return 1 if found.failed else 0


def measured(rows: Iterable[Row], *, is_quick: bool) -> Results:
    """Measure these rows."""
    begun, date, machine = time.monotonic(), results.today(), results.machine()
    CACHE.mkdir(parents=True, exist_ok=True)
    figures, failed = list[Figure](), list[str]()
    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name,
        ExitStack() as stack,
    ):
        given = Given(Path(name), stack, is_quick=is_quick)
        for row in rows:
            _measure(row, given, figures, failed)
    seconds = round(time.monotonic() - begun, 1)
    return Results(
        date, machine, results.commit(), is_quick, seconds, tuple(figures), tuple(failed)
    )


def _measure(row: Row, given: Given, figures: list[Figure], failed: list[str]) -> None:
    """One row; a row that cannot be measured does not keep the others from it."""
    begun = time.monotonic()
    try:
        figures += row.measure(given)
    except Exception as error:
        failed.append(f"{row.name}: {error!r}")
        say(failed[-1])
    say(f"{row.name}: {time.monotonic() - begun:.0f} s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m bench", description="All that is measured.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    names = [row.name for row in ROWS]
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(names)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
