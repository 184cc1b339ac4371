# SPDX-License-Identifier: Apache-2.0
"""The command line: ``python -m faults.cloud``."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from faults.cloud import schedule
from faults.cloud.injuries import Breaker
from faults.cloud.judge import HUNG, Ended, Outcome, Total
from faults.cloud.life import Life, Phase
from faults.cloud.schedule import PHASES, Injury, Wave
from faults.cloud.side import SIDES, Side
from lab import Lab
from lab.ha import HA

# Seconds for which what is left on queues may still go: Heat deletes the last of them after
# it has said that the stack is gone.
SETTLES = 20.0


def main() -> int:
    """Run the waves; 0 when nothing is wrong with any schedule."""
    options = _options()
    waves = list(schedule.waves(options.seed, options.number, options.width))
    if options.only is not None:
        waves = [waves[options.only]]
    if options.show:
        for wave in waves:
            print("\n".join(wave.lines()))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    print(f"seed {options.seed}, {options.number} schedules, {options.width} at a time")
    began = time.monotonic()
    total = Total()
    side = SIDES[options.side]
    with (
        tempfile.TemporaryDirectory(prefix="cloud-", ignore_cleanup_errors=True) as name,
        Lab(Path(name) / "lab", plugin=side.plugin, profile=HA, say=_nothing) as lab,
    ):
        for wave in waves:
            print(wave.lines()[0], flush=True)
            outcomes = play(wave, side, lab, Path(name))
            total.add(outcomes)
            _tell(outcomes, f"python -m faults.cloud --seed {options.seed}", wave)
            print(f"{time.monotonic() - began:7.1f} s  {total.line()}", flush=True)
    for line in total.apart():
        print(line)
    print(total.line(), flush=True)
    return 0 if total.clean else 1


def play(wave: Wave, side: Side, lab: Lab, folder: Path) -> list[Outcome]:
    """Play one wave."""
    breaker = Breaker(lab)
    lives = [
        Life(wave, index, side, lab, folder / f"schedule-{each.number}")
        for index, each in enumerate(wave.schedules)
    ]
    phases = [Phase(name) for name in PHASES]
    together = Barrier(len(lives) + 1)
    with ThreadPoolExecutor(len(lives)) as threads:
        played = [threads.submit(_live, life, phases, together) for life in lives]
        try:
            for phase, injury in zip(phases, wave.injuries, strict=True):
                _injure(phase, injury, breaker, together)
        except BaseException:
            together.abort()  # else all of them wait for ever
            raise
        for each in played:
            each.result()
    _count_what_is_left(breaker, lives)
    return [life.outcome for life in lives]


def _injure(phase: Phase, injury: Injury, breaker: Breaker, together: Barrier) -> None:
    """One phase, as whoever breaks the cloud sees it."""
    print(f"  {phase.name}: {injury}", flush=True)
    together.wait()
    began = time.monotonic()
    time.sleep(injury.after)
    breaker.befall(injury)
    phase.heal()
    healed = time.monotonic()
    together.wait()
    ended = time.monotonic()
    print(f"    healed after {healed - began:.0f} s, ended after {ended - began:.0f} s", flush=True)


def _live(life: Life, phases: list[Phase], together: Barrier) -> None:
    """All phases of a life, each together with the others'."""
    try:
        for phase in phases:
            together.wait()
            _play(life, phase)
            together.wait()
    finally:
        life.end()


def _play(life: Life, phase: Phase) -> None:
    try:
        life.play(phase)
        again = Phase(phase.name)
        phase.wait()
        again.heal()
        life.play_again(again)
    except Exception as error:  # the others wait at the barrier
        life.outcome.ended.append(Ended(phase.name, HUNG, f"{type(error).__name__}: {error}"))


def _count_what_is_left(breaker: Breaker, lives: list[Life]) -> None:
    """Which schedule a queue belonged to is not known any more: the first has them all."""
    deadline = time.monotonic() + SETTLES
    while (left := breaker.messages()) and time.monotonic() < deadline:
        time.sleep(1)
    lives[0].outcome.left = left
    breaker.forget_messages()


def _tell(outcomes: list[Outcome], command: str, wave: Wave) -> None:
    for outcome in outcomes:
        for line in (*outcome.complaints(), *outcome.apart()):
            print(f"  schedule {outcome.schedule.number}: {line}")
    if any(outcome.complaints() for outcome in outcomes):
        print(f"to repeat it: {command} --only {wave.number}", flush=True)


def _nothing(_: str) -> None:
    """The lab's start is not shown."""


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m faults.cloud", description=schedule.__doc__)
    add = made.add_argument
    add("--seed", type=int, default=int(time.time()), help="which schedules (the clock)")
    add("--number", type=int, default=200, help="how many (%(default)s)")
    add("--width", type=int, default=schedule.WIDTH, help="how many at a time (%(default)s)")
    add("--only", type=int, metavar="K", help="this wave alone")
    add("--side", choices=SIDES, default="plugin", help="whose software answers (%(default)s)")
    add("--show", action="store_true", help="print the waves, run none")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
