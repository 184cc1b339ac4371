# SPDX-License-Identifier: Apache-2.0
"""One cell through a stack's life: each of Heat's actions, once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from heatclient import exc

from heat_plugin import paths
from lab.stack import Heat, Stack, wait_for
from matrix.cells import Cell, Side, heats_own
from tests.support.server import HostServer
from tests.support.template import template

# Seconds that one action may take on a machine that does many at once.
PATIENCE = 180.0
BROKEN = "broken"
SCRIPT = f"""#!/bin/sh
echo "$deploy_action $who" >> "$runs"
echo "$who"
[ "$who" != {BROKEN} ] || exit 7
"""
ACTIONS = ["CREATE", "UPDATE", "DELETE", "SUSPEND", "RESUME"]


class Step(NamedTuple):
    """One action, and the input that its config has."""

    action: str
    who: str

    def __str__(self) -> str:
        return f"{self.action} {self.who}"


# Heat suspends no stack whose last update has failed. What has failed it makes anew.
MENDED = Step("UPDATE", "third")
STEPS = (
    Step("CREATE", "first"),
    Step("UPDATE", "second"),
    Step("UPDATE", BROKEN),
    MENDED,
    Step("SUSPEND", "third"),
    Step("RESUME", "third"),
    Step("DELETE", "third"),
)


class Outcome(NamedTuple):
    """What came of one cell."""

    seconds: dict[Step, float]
    """How long each step took, of those that went well."""
    problem: str = ""
    """What was wrong, and in which step; empty if nothing was."""


class WrongError(Exception):
    """Something is not as it is to be."""


class Life:
    """One cell's stack and its server."""

    def __init__(self, cell: Cell, heat: Heat, folder: Path) -> None:
        self._cell = cell
        self._heat = heat
        self._server = HostServer(folder)
        self._runs = folder / "runs"
        self._stack: Stack | None = None
        self._step, *_ = STEPS

    def play(self) -> Outcome:
        """Play all steps, or those before the first that goes wrong."""
        seconds: dict[Step, float] = {}
        try:
            self._play(seconds)
        except (WrongError, TimeoutError, exc.HTTPException) as error:
            return Outcome(seconds, f"{self._step}: {error}")
        return Outcome(seconds)

    def _play(self, seconds: dict[Step, float]) -> None:
        create, *others = STEPS
        began = time.monotonic()
        self._create(create)
        with self._server.in_service():
            self._settle(create)
            seconds[create] = time.monotonic() - began
            for step in others:
                if self._is_impossible(step):
                    continue
                self._step, began = step, time.monotonic()
                self._begin(step)
                self._settle(step)
                seconds[step] = time.monotonic() - began

    def _create(self, step: Step) -> None:
        name = f"matrix-{uuid.uuid4().hex[:8]}"
        self._stack = self._heat.create(name, self._template(step.who), **self._options)
        self._server.boot(self._stack.wait_for_server())

    @property
    def _options(self) -> dict[str, Any]:
        if self._cell.side is Side.HEAT:
            return {}
        (mapped,) = paths.PATHS["environment_dir"].glob("*.yaml")
        return {"environment": yaml.safe_load(mapped.read_text())}

    def _template(self, who: str) -> dict[str, Any]:
        wanted = {"config": SCRIPT, "values": {"who": who, "runs": str(self._runs)}}
        made = template(
            server_transport=self._cell.way_in,
            signal_transport=self._cell.way_out,
            deployments={"step": wanted},
        )
        made["resources"]["step_deployment"]["properties"]["actions"] = ACTIONS
        return made

    @property
    def stack(self) -> Stack:
        """The cell's stack, once there is one."""
        assert self._stack is not None  # noqa: S101 - made by the first step
        return self._stack

    def _begin(self, step: Step) -> None:
        """Have Heat begin an action."""
        begin: dict[str, Callable[[], None]] = {
            "UPDATE": lambda: self.stack.update(self._template(step.who), **self._options),
            "SUSPEND": self.stack.suspend,
            "RESUME": self.stack.resume,
            "DELETE": self.stack.begin_to_delete,
        }
        begin[step.action]()

    def _settle(self, step: Step) -> None:
        """Wait until Heat and the server have done it, and see that they say the same."""
        if step.action == "DELETE":
            self.stack.wait_until_gone()
        else:
            self._judge_end(step, self.stack.wait(step.action, patience=PATIENCE))
        if run := self._run_of(step):
            wait_for(f"its run; there were {self.runs}", lambda: run in self.runs, PATIENCE)
        self._judge_runs(step)

    def _is_impossible(self, step: Step) -> bool:
        """Whether Heat has failed before: what it has not suspended it cannot resume."""
        return step.action == "RESUME" and heats_own(self._cell, "SUSPEND") is not None

    def _judge_end(self, step: Step, status: str) -> None:
        own = heats_own(self._cell, step.action)
        if own and status == "FAILED" and own.reason in self.stack.reason:
            return
        wanted = "FAILED" if self._signals and step.who == BROKEN else "COMPLETE"
        if status != wanted or own:
            raise WrongError(f"{status}: {self.stack.reason}")
        if self._signals and (said := self.stack.output("step.deploy_stdout")) != f"{step.who}\n":
            raise WrongError(f"Heat has the output {said!r}")

    def _judge_runs(self, step: Step) -> None:
        """Each action is run once, in Heat's order, and nothing else is run."""
        due = [each for each in STEPS[: STEPS.index(step) + 1] if not self._is_impossible(each)]
        wanted = [run for each in due if (run := self._run_of(each))]
        found = [run for run in self.runs if not self._may_be_unseen(run)]
        if found != wanted:
            raise WrongError(f"the server has run {found}")

    @property
    def _signals(self) -> bool:
        return self._cell.way_out != "NO_SIGNAL"

    def _run_of(self, step: Step) -> str:
        """What the script notes of a step; nothing where the server need not see it."""
        if self._may_be_unseen(str(step)):
            return ""
        return f"CREATE {step.who}" if self._signals and step == MENDED else str(step)

    def _may_be_unseen(self, run: str) -> bool:
        """Whether Heat goes on before the server has looked.

        It waits for no DELETE on a server that Nova does not know; without a signal for nothing:
        at SUSPEND it has disabled the server's user by then.
        """
        return run.startswith("DELETE") or (not self._signals and run.startswith("SUSPEND"))

    @property
    def runs(self) -> list[str]:
        """What the script has noted."""
        return self._runs.read_text().splitlines() if self._runs.exists() else []
