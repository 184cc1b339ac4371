# SPDX-License-Identifier: Apache-2.0
"""Pods of the group ``kubelet``: what a manifest asks for, and whether podman has it running."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple

import yaml

from heat_config import hookkit, log, process
from heat_config.hookkit import containers

Documents = list[dict[str, Any]]

# Lines of each stream of a container that has failed.
LAST_LINES = 20
# Seconds between the two looks at a container that is up: many a one ends as soon as it
# has read its configuration, and is started again.
SETTLED = 1.0


class Waiting(NamedTuple):
    """How long something may take, and how often it is looked at, in seconds."""

    option: str
    """The option that says so, for who reads that it took too long."""
    limit: float
    period: float

    @classmethod
    def of(cls, config: hookkit.Config, option: str, default: float) -> Waiting:
        """Read the option, and ``poll_period``.

        :raises hookkit.HookError: one of them is no number.
        """
        return cls(option, config.number(option, default), config.number("poll_period", 5))

    def __str__(self) -> str:
        return f"{self.limit:g} s ({self.option})"


def read(config: hookkit.Config) -> Documents:
    """The config's documents; one of the kubelet's own first format becomes a Pod.

    :raises hookkit.HookError: it is no manifest.
    """
    given, text = [config.config], config.config
    if isinstance(text, str):
        try:
            given = list(yaml.safe_load_all(text))
        except yaml.YAMLError as error:
            raise hookkit.HookError(f"the config is not valid YAML: {error}") from None
    documents = [hookkit.map_of(each, "the config") for each in given if each]
    name = re.sub(r"[^a-z0-9-]+", "-", config.name.lower()).strip("-") or "pod"
    found = [_as_pod(each, name) if "containers" in each else each for each in documents]
    if not any(images(each) for each in found):
        raise hookkit.HookError("the config is no pod's manifest: it has no containers")
    return found


def _as_pod(old: dict[str, Any], name: str) -> dict[str, Any]:
    """A Pod from ``{version, volumes, containers}``."""
    spec = {key: value for key, value in old.items() if key not in ("version", "id")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def images(document: dict[str, Any]) -> list[str]:
    """The images of a Pod, or of what has a template of one.

    :raises hookkit.HookError: its containers are not usable.
    """
    spec = document.get("spec") or {}
    try:
        spec = spec.get("template", {}).get("spec") or spec
        parts = [*spec.get("initContainers", []), *spec.get("containers", [])]
        return [part["image"] for part in parts]
    except (AttributeError, KeyError, TypeError):
        raise hookkit.HookError(
            "the manifest's containers are no list of maps with an image"
        ) from None


def wait_for_images(podman: str, documents: Documents, waiting: Waiting) -> None:
    """Pull what is not there, again and again: somebody else may bring it, too.

    :raises hookkit.HookError: one is not there in time.
    """
    deadline = time.monotonic() + waiting.limit
    for image in sorted({image for each in documents for image in images(each)}):
        while containers.ask(podman, "image", "exists", image).returncode:
            left = max(deadline - time.monotonic(), 0.1)
            done = process.run([podman, "pull", image], on_stderr=log.plain_lines, time_limit=left)
            if done.status and time.monotonic() + waiting.period > deadline:
                said = done.stderr.decode("utf-8", "replace").strip()
                raise hookkit.HookError(f"the image {image} is not there after {waiting}: {said}")
            time.sleep(waiting.period if done.status else 0)


def started(said: str) -> list[str]:
    """The containers that ``kube play`` has named, each in a line after their heading."""
    found, heading = [], ""
    for line in said.splitlines():
        if line.endswith(":"):
            heading = line
        elif heading.startswith("Container") and line.strip():
            found.append(line.strip())
    return found


def wait_for_containers(podman: str, ids: list[str], waiting: Waiting) -> str:
    """Wait until all stay up, or have ended well; return what is wrong, or nothing."""
    deadline = time.monotonic() + max(waiting.limit, SETTLED)
    before: dict[str, int] = {}
    while True:
        found = containers.inspect(podman, ids)
        missing = [each for each in found if not _is_well(each, before)]
        if not missing:
            return ""
        if time.monotonic() >= deadline or any(_has_failed(each) for each in missing):
            return "".join(_complaint(podman, each, waiting) for each in missing)
        before = {each.id: each.state["Pid"] for each in found if each.state["Running"]}
        pause = SETTLED if all(each.id in before for each in missing) else waiting.period
        time.sleep(min(pause, max(deadline - time.monotonic(), 0)))


def _is_well(container: containers.Container, before: dict[str, int]) -> bool:
    """Whether it runs as it did at the last look, or has done what it had to do."""
    if _has_ended(container):
        return bool(container.state["ExitCode"] == 0)
    return bool(container.state["Running"]) and before.get(container.id) == container.state["Pid"]


def _has_failed(container: containers.Container) -> bool:
    """Whether it has ended badly and nobody will start it again."""
    policy = container.facts["HostConfig"]["RestartPolicy"]["Name"]
    bad = _has_ended(container) and container.state["ExitCode"] != 0
    return bad and policy in ("", "no", "never")


def _has_ended(container: containers.Container) -> bool:
    return container.state["Status"] in ("exited", "stopped")


def _complaint(podman: str, container: containers.Container, waiting: Waiting) -> str:
    """What is wrong with a container, with the last that it has said.

    ``podman logs --tail`` would do for one stream: the two are in its file in the order in
    which they were read, so that after much on stdout an error stands far before the end.
    """
    state = container.state
    logs = process.run([podman, "logs", container.id])
    why = (
        f"the container {container.name} is {state['Status']}, its last exit status is "
        f"{state['ExitCode']}, and it was started again {container.facts['RestartCount']} times; "
        f"it was waited for up to {waiting}\n"
    )
    return hookkit.led_by(why, _last_lines(logs.stdout) + _last_lines(logs.stderr))


def _last_lines(written: bytes) -> str:
    return "".join(written.decode("utf-8", "replace").splitlines(keepends=True)[-LAST_LINES:])
