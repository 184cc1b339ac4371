# SPDX-License-Identifier: Apache-2.0
"""All that the schedules know of heat_config's insides: where what stands, and in which format.

Everything else sees the programs from outside, as an operator does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Each program's module, and what else a run of it imports.
MODULES = {
    "heat-config": (
        "heat_config.cli",
        "heat_config.run.loop",
        "heat_config.run.answering",
        "heat_config.signals.zaqar",
    ),
    "heat-config-collect": ("heat_config.collect.loop", "heat_config.collect.push"),
}

# The programs: what new metadata starts, what an operator starts, and what units of the agent's
# own start again and again without new metadata.
RUN, FORCE, DELIVER, STATUS = "run", "run --force {id}", "deliver", "status"
TIMER, RESUME = "deliver --due", "run"
# The exit status of "status" while something is unfinished.
UNFINISHED = 2

# The setting for how long the queue may be away before Heat itself is asked.
FALLBACK_AFTER = "HEAT_CONFIG_FALLBACK_AFTER"

# Where a server keeps its state, and the folders in it that may be file systems of their own.
STATE = "/var/lib/heat-config"
SEPARATE = DEPLOYED, OUTBOX = "deployed", "outbox"

# What a crash at a bad moment leaves in the state: files that nobody has finished.
TORN = {
    "entry-temporary": "outbox/.{}.json.4711.tmp",
    "deployed-temporary": "deployed/.{}.json.4711.tmp",
    "result-temporary": "deployed/.{}.notify.json.4711.tmp",
    "ballast": "outbox/.ballast",
    "log": "logs/{}.log",
}

# An entry of the outbox as heat-config 0.1.0 wrote it before it sent a result.
_PREVIOUS: dict[str, Any] = {
    "doubt": True,
    "heat_doubt": False,
    "tries": 0,
    "refusals": 0,
    "bad_content": False,
    "due": 0.0,
    "problem": "",
    "told_heat": False,
    "forced": False,
}
# What a newer agent's entry has that today's knows nothing of.
_NEWER = {"version": 1_000, "a_key_of_tomorrow": {"kept": ["as", "it", "is"]}}


def limit_requests(patience: float) -> None:
    """Let requests wait so many seconds for an answer: fewer than in life, where it is 15."""
    from heat_config.cloud import http

    http.TIMEOUT = patience


def settings(state: Path, run: Path) -> dict[str, str]:
    """The agent's variables for a server with these folders; what it renders is in ``run``."""
    return {
        "HEAT_SHELL_CONFIG": str(run / "heat-config"),
        "HEAT_CONFIG_DEPLOYED": str(state / DEPLOYED),
        "HEAT_CONFIG_DEPLOYED_OLD": str(run / DEPLOYED),
        "HEAT_CONFIG_OUTBOX": str(state / OUTBOX),
        "HEAT_CONFIG_LOGS": str(state / "logs"),
        "HEAT_CONFIG_SETTINGS": str(run / "settings"),
        "HEAT_SCRIPT_WORKING": str(state / "heat-config-script"),
        "HEAT_SCRIPT_OUTPUTS": str(run / "heat-config-script"),
    }


def result(state: Path, config_id: str) -> Path:
    """Where the result stands that the server keeps for people."""
    return state / DEPLOYED / f"{config_id}.notify.json"


def deployed(state: Path) -> list[str]:
    """The configs that were begun."""
    names = [path.stem for path in (state / DEPLOYED).glob("*.json")]
    return [name for name in names if "." not in name]


def pending(state: Path) -> list[Path]:
    """The entries of results that are pending."""
    return _entries(state / OUTBOX)


def abandoned(state: Path) -> list[Path]:
    """The entries of results that were abandoned; each has a ``problem``."""
    return _entries(state / OUTBOX / "abandoned")


def as_previous(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as heat-config 0.1.0 would have written it in this one's place."""
    same = {"id": entry["id"], "values": entry["address"]}
    same |= {name: entry[name] for name in ("message", "since")}
    stage = entry["stage"]
    flags = {
        "doubt": stage != "new",
        "heat_doubt": stage in ("maybe notified", "last look", "last resort"),
        "told_heat": stage in ("cleaning", "cleaning again", "watching", "untaken"),
        "forced": stage == "forced",
    }
    return {**same, **_PREVIOUS, **flags}


def as_newer(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as a newer agent would have written it."""
    return {**entry, **_NEWER}


def set_back(newer: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """A newer entry with the version that it had before; what else it has is kept."""
    rest = {name: value for name, value in newer.items() if name != "version"}
    return {**rest, **({"version": entry["version"]} if "version" in entry else {})}


def _entries(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.json") if not path.name.startswith(".")]
