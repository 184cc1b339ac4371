# SPDX-License-Identifier: Apache-2.0
"""Runs one schedule: posts, starts, breaks, heals, and counts what came of it."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Timer

from faults.metadata.schedule import Life, Schedule
from faults.metadata.world import Place, Queue
from faults.nursery import INJECT, REPOSITORY, Child, Nursery
from faults.schedule import ZAQAR

KINDS = ("lost", "older", "left", "hung", "raised")

# Seconds after which a run hangs, and those for which a request waits for an answer.
PATIENCE = 60.0
REQUEST_PATIENCE = 3.0
# Runs after which, once all is well, everything must be done.
HEALING = 2


@dataclass
class Outcome:
    """What came of a schedule."""

    schedule: Schedule
    posted: int = 0
    runs: int = 0
    killed: int = 0
    """How many of the runs were ended by a signal."""
    applied: int = 0
    problems: list[str] = field(default_factory=list)
    """Which of :data:`KINDS`."""
    crashes: list[str] = field(default_factory=list)
    """The operations on files at which it was killed."""
    befell: Counter[str] = field(default_factory=Counter)
    """How many requests had which fate."""
    history: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """What was done, and which kinds of problem there are."""
        done = {name: getattr(self, name) for name in ("posted", "runs", "killed", "applied")}
        return Counter(done) + Counter(set(self.problems))

    def complaints(self) -> list[str]:
        """Which kinds of problem there are."""
        return [f"PROBLEMS: {', '.join(self.problems)}"] if self.problems else []


def run(schedule: Schedule, place: Place, nursery: Nursery, root: Path) -> Outcome:
    """Run a schedule in a place; its server is a folder that is gone afterwards."""
    place.journal.clear()
    drive = _Drive(schedule, place, nursery, root)
    try:
        return drive.play()
    finally:
        place.heal()
        drive.end()
        shutil.rmtree(root, ignore_errors=True)


class _Drive:
    def __init__(self, schedule: Schedule, place: Place, nursery: Nursery, root: Path) -> None:
        self._place = place
        self._nursery = nursery
        self._root = root
        self._queue = Queue(place)
        self._outcome = Outcome(schedule)
        self._running: list[Child] = []
        (root / "attic").mkdir(parents=True)
        (root / "command").write_text(COMMAND.format(root=root))
        place.wires[ZAQAR].post = self._queue.post

    def play(self) -> Outcome:
        """Everything that happens in it, in order."""
        for life in self._outcome.schedule.lives:
            self._live(life)
        self._queue.let_go()
        for _ in range(HEALING):
            if self._run([self._start(Life())], 0) != [0]:
                self._outcome.problems.append("raised")
        self._judge()
        return self._outcome

    def end(self) -> None:
        """Leave nothing that runs, and no queue."""
        self._kill(signal.SIGKILL)
        self._queue.remove()

    def _live(self, life: Life) -> None:
        self._place.journal.note(f"life: {life}")
        for _ in range(life.posts):
            self._queue.post()
        if life.rubbish:
            self._queue.post_rubbish()
        if life.claim == "take":
            self._queue.claim()
            self._queue.post()
        elif life.claim:
            self._queue.let_go()
        for name, wire in self._place.wires.items():
            steps = life.requests if name == ZAQAR else ()
            wire.arm(steps, REQUEST_PATIENCE, self._kill)
            if name == life.away:
                wire.close_port()
        (self._root / "mood").write_text(life.command)
        children = [self._start(life)]
        if life.twin:
            children.append(self._start(Life()))
        statuses = self._run(children, life.kill_after)
        self._outcome.killed += sum(status is None or status < 0 for status in statuses)
        (self._root / "mood").write_text("")
        self._place.heal()

    def _run(self, children: list[Child], kill_after: float) -> list[int | None]:
        """Wait until they have ended; return their statuses, None for one that hung."""
        timer = Timer(kill_after, self._kill, (signal.SIGKILL,))
        if kill_after:
            timer.start()
        statuses = [self._ended(child) for child in children]
        timer.cancel()
        self._outcome.runs += len(children)
        self._place.journal.note(f"ended: {statuses}", statuses=statuses)
        return statuses

    def _start(self, life: Life) -> Child:
        environment = {
            **{name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ},
            "PYTHONPATH": f"{INJECT}:{REPOSITORY}",
            "FAULTS_STATE": str(self._root / "cache"),
            "FAULTS_ATTIC": str(self._root / "attic"),
            "FAULTS_NOTES": str(self._root / "crashes"),
            "HEAT_CONFIG_SETTINGS": str(self._root / "settings"),
        }
        if life.crash:
            environment["FAULTS_CRASH_AT"] = str(life.crash.at)
            environment["FAULTS_POWER"] = str(life.crash.power)
        arguments = ["--config-file", str(self._configure(life))]
        child = self._nursery.start(
            arguments if life.service else [*arguments, "--one-time"],
            environment=environment,
            log=self._root / "log",
            patience=REQUEST_PATIENCE,
        )
        self._running.append(child)
        return child

    def _configure(self, life: Life) -> Path:
        values = self._place.access(self._queue.name)
        zaqar = "\n".join(f"{name} = {value.replace('$', '$$')}" for name, value in values.items())
        path = self._root / f"collect-{life.websocket}.conf"
        path.write_text(
            CONFIGURATION.format(root=self._root, zaqar=zaqar, use_websockets=life.websocket)
        )
        return path

    def _kill(self, number: int) -> None:
        for child in self._running:
            child.send_signal(number)

    def _ended(self, child: Child) -> int | None:
        try:
            return child.wait(PATIENCE)
        except TimeoutError:
            self._outcome.problems.append("hung")
            child.send_signal(signal.SIGKILL)
            return None

    def _judge(self) -> None:
        outcome, journal = self._outcome, self._place.journal
        applied = [int(line) for line in _lines(self._root / "applied")]
        outcome.posted, outcome.applied = self._queue.posted, len(applied)
        if outcome.posted and applied[-1:] != [outcome.posted]:
            outcome.problems.append("lost")
        if any(after < before for before, after in pairwise(applied)):
            outcome.problems.append("older")
        if self._queue.left():
            outcome.problems.append("left")
        said = _lines(self._root / "log")
        if any("Traceback" in line for line in said):
            outcome.problems.append("raised")
        outcome.crashes = _lines(self._root / "crashes")
        outcome.befell.update(line.step for line in journal.lines if line.wire)
        outcome.history = [
            *outcome.schedule.lines(),
            "what went over the wires, and what was done (seconds):",
            *(f"  {line}" for line in journal.lines),
            f"applied: {applied}",
            *(f"  killed {crash}" for crash in outcome.crashes),
            "what it said:",
            *(f"  {line[:600]}" for line in said),
        ]


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []


CONFIGURATION = """[DEFAULT]
cachedir = {root}/cache
backup_cachedir = {root}/backup
command = exec sh {root}/command
min_polling_interval = 0.05
polling_interval = 0.2
collectors = zaqar
[zaqar]
use_websockets = {use_websockets}
{zaqar}
"""

# Reads and notes under a lock, as os-refresh-config has one: a command outlives a process that
# was killed, and what it then reads may be newer than what it was started for.
COMMAND = """exec 9> {root}/lock
flock 9
sed -n 's/.*"n": \\([0-9]*\\).*/\\1/p' {root}/cache/zaqar.json >> {root}/applied
case $(cat {root}/mood) in
kills) kill -9 $PPID ;;
fails) exit 3 ;;
esac
"""
