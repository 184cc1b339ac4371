# SPDX-License-Identifier: Apache-2.0
"""The table of all cases: the plug-in, and Heat alone.

    python3 -m compare [PART…]

On two control planes of its own, which differ in the plug-in alone. Where nothing is timed both go
through the cases side by side; what is timed is done on one after the other. The exit status is 0
when the plug-in has passed all that was run.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from compare import chain, load, losses, outages
from compare.side import Side, judged
from compare.verdict import Verdict, summary, table
from lab import Lab
from lab.stack import Heat

NAMES = ("plug-in", "Heat alone")
PARTS = ("load", "chain", "content", "forgotten", "outages", "later")


class Run:
    """Both sides, and what was found on each."""

    def __init__(self, sides: list[Side], threads: ThreadPoolExecutor) -> None:
        self._sides = sides
        self._threads = threads
        self.verdicts: list[dict[str, Verdict]] = [{} for _ in sides]
        self.figures: list[dict[str, str]] = [{} for _ in sides]
        self.ratio: float | None = None

    def all(self, parts: Iterable[str], folder: Path) -> None:
        """Run the parts that are asked for; the longest wait goes on beside what is timed."""
        forgotten = [losses.MetadataForgotten(side) for side in self._sides if "forgotten" in parts]
        steps: dict[str, Callable[[], None]] = {
            "load": self._load,
            "chain": lambda: self._chain(folder),
            "content": lambda: self._both(losses.cases),
            "forgotten": lambda: self._await(forgotten),
            "outages": lambda: self._both(outages.cases),
            "later": lambda: self._both(losses.cases_of_later),
        }
        for part, step in steps.items():
            if part in parts:
                step()

    def _await(self, forgotten: list[losses.MetadataForgotten]) -> None:
        """Side by side, too."""
        for number, found in enumerate(self._threads.map(lambda one: one.verdict(), forgotten)):
            self._note(number, losses.METADATA_FORGOTTEN, found)

    def _both(self, cases: Callable[[Side], Iterator[tuple[str, Verdict]]]) -> None:
        """Side by side."""

        def run(number: int) -> None:
            for name, verdict in cases(self._sides[number]):
                self._note(number, name, verdict)

        list(self._threads.map(run, range(len(self._sides))))

    def _load(self) -> None:
        """One after the other."""
        for number, side in enumerate(self._sides):
            self._note(number, load.CASE, judged(self._loaded, side, self.figures[number]))

    def _loaded(self, side: Side, figures: dict[str, str]) -> Verdict:
        stack = load.Load(side)
        verdict = stack.another()
        figures.update(stack.figures().lines())
        return verdict

    def _chain(self, folder: Path) -> None:
        times = chain.measure(self._sides[0], folder)
        self.ratio = times.agent / times.floor
        self.figures[0].update(times.lines())

    def _note(self, number: int, case: str, verdict: Verdict) -> None:
        """Keep it, and say so: all of it takes minutes."""
        self.verdicts[number][case] = verdict
        print(f"{NAMES[number]}: {case}: {verdict.said}", file=sys.stderr, flush=True)


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(prog="compare", description="The plug-in and Heat alone.")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; without any, all")
    parts = parser.parse_args().parts or PARTS
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="compare-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with both_sides(folder) as run:
            run.all(parts, folder)
    show(run, time.monotonic() - began)
    return 0 if all(each.passed for each in run.verdicts[0].values()) else 1


@contextmanager
def both_sides(folder: Path) -> Iterator[Run]:
    """Both control planes, up, and a thread for each.

    A service that is started again ends with the thread that has started it: they last as long.
    """
    with (
        ThreadPoolExecutor(2) as threads,
        Lab(folder / "plug-in", plugin=True, say=_nothing) as plugin,
        Lab(folder / "alone", say=_nothing) as alone,
    ):
        sides = [
            Side(plugin, Heat(plugin.environment()), "AUTO", "AUTO"),
            Side(alone, Heat(alone.environment()), "ZAQAR_MESSAGE", "ZAQAR_SIGNAL"),
        ]
        yield Run(sides, threads)


def _nothing(_: str) -> None:
    """Neither lab's start is shown."""


def show(run: Run, seconds: float) -> None:
    """Print the table; the last line counts."""
    print("case | plug-in | Heat alone")
    plugin, alone = run.verdicts
    for line in table(plugin, alone):
        print(line)
    ours, others = run.figures
    for name, value in ours.items():
        print(f"{name} | {value} | {others.get(name, 'not measured')}")
    print(f"in {seconds:.0f} s")
    print(summary(plugin, alone, run.ratio), flush=True)


if __name__ == "__main__":
    sys.exit(main())
