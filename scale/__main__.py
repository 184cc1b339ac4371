# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m scale``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from lab import Lab
from scale import curve, report, users
from scale.heat import Heat
from scale.rounds import KEYSTONE_AWAY, ZAQAR_AWAY, Figures, Play, Way

# Where nothing is flushed to a disk: each server has a disk of its own.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there


def main() -> int:
    """Play all rounds; 0 when nothing was lost and nothing was run twice."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="scale-", dir=MEMORY) as name:
        folder = Path(name)
        with Lab(folder / "lab", say=lambda _: None) as lab:
            say("the lab is up")
            heat = Heat(partial(users.connection, lab), options.engines, options.threads)
            try:
                figures = _play(Play(lab, heat, say), folder / "servers", options)
            finally:
                heat.close()
    print(f"{options.folder}/results.json, {options.folder}/arrivals.svg")
    lost = sum(map(report.lost, figures))
    again = sum(map(report.repeated, figures))
    taken = time.monotonic() - began
    print(
        f"servers: {options.number} ({options.way.value}), rounds: {len(figures)}, lost: {lost}, "
        f"run twice: {again}, in {taken:.0f} s",
        flush=True,
    )
    return 1 if lost or again else 0


def _play(play: Play, folder: Path, options: argparse.Namespace) -> list[Figures]:
    with play.servers(folder, options.number, options.processes, options.way) as figures:
        _tell(figures, options)
        for name, hold, service, seconds in _rounds(options):
            away = partial(play.without, service, seconds) if service else None
            figures.append(play.update(name, hold=hold, meanwhile=away))
            _tell(figures, options)
    return figures


def _rounds(options: argparse.Namespace) -> list[tuple[str, float, str, float]]:
    """The rounds after the first: their names, when runs end, what is away and for how long."""
    return [
        ("an update of all", 0, "", 0),
        ("all results at once", options.hold, "", 0),
        (f"Zaqar away for {ZAQAR_AWAY:.0f} s", 0, "zaqar", ZAQAR_AWAY),
        (f"Keystone away for {KEYSTONE_AWAY:.0f} s", 0, "keystone", KEYSTONE_AWAY),
    ]


def _tell(figures: list[Figures], options: argparse.Namespace) -> None:
    """Show the last round, and keep all of them so far: who breaks off has those."""
    print("\n".join(report.lines(figures[-1])), flush=True)
    _keep(options.folder, figures, f"{options.number} servers, {options.way.value}")


def _keep(folder: Path, figures: list[Figures], title: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report.results(figures), indent=1)
    (folder / "results.json").write_text(text + "\n")
    panels = [report.panel(each) for each in figures]
    (folder / "arrivals.svg").write_text(curve.drawn(f"Arrivals, {title}", panels))


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m scale", description="Many servers at once.")
    add = made.add_argument
    add("--number", type=int, default=200, help="servers (%(default)s)")
    add("--way", type=Way, choices=Way, default=Way.SIGNED, help="(signed, users, websocket)")
    add("--processes", type=int, default=2, help="processes for them (%(default)s)")
    add("--engines", type=int, default=4, help="of Heat (%(default)s)")
    add("--threads", type=int, default=6, help="of each engine (%(default)s)")
    add("--hold", type=float, default=60, help="seconds until all results at once (%(default)s)")
    add("--folder", type=Path, default=Path(".cache/scale"), help="for results (%(default)s)")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
