#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The group ``kubelet``: a pod's manifest, which ``podman kube play`` runs.

With ``--remove-vanished``: the pods of configs that are in the metadata no more are
taken down.
"""

import os
import sys
from pathlib import Path

import yaml

from heat_config import deployment, files, hookkit, log, process
from heat_config.hookkit import containers
from heat_config.hookkit.containers import pods
from heat_config.hookkit.tool import not_used
from heat_config.result import Result, failure

TOOL = hookkit.Tool("HEAT_PODMAN_CMD", ("podman",), "podman")


def run(config: hookkit.Config) -> Result:
    """Wait for the images, play the manifest, wait for its containers."""
    not_used("DOCKER_HOST", "podman runs the pods, and says what becomes of them")
    podman = TOOL.find()
    documents = pods.read(config)
    path = manifests() / f"{config.id}.yaml"
    files.write_private(path, yaml.safe_dump_all(documents, allow_unicode=True))
    if config.is_deletion:
        return hookkit.result(take_down(podman, path))
    for_images = pods.Waiting.of(config, "images_timeout", 600)
    for_containers = pods.Waiting.of(config, "containers_timeout", 120)
    pods.wait_for_images(podman, documents, for_images)
    done = hookkit.run([podman, "kube", "play", "--replace", path], env=os.environ)
    if done.status:
        return hookkit.result(done)
    ids = pods.started(done.stdout.decode("utf-8", "replace"))
    broken = pods.wait_for_containers(podman, ids, for_containers)
    return failure(broken) if broken else hookkit.result(done)


def manifests() -> Path:
    """The folder of the manifests that have been played."""
    default = "/var/lib/heat-config/heat-config-kubelet/kubelet-manifests"
    return hookkit.folder("HEAT_KUBELET_MANIFESTS", default)


def take_down(podman: str, path: Path) -> process.Completed:
    """Take down what a manifest describes, and forget it; what is not there is fine."""
    done = hookkit.run([podman, "kube", "play", "--down", path], env=os.environ)
    if done.status and b"no such pod" in done.stderr:
        done = done._replace(returncode=0)
    if done.status == 0:
        path.unlink()
    return done


def remove_vanished(present: list[deployment.Deployment]) -> None:
    """Take down the manifests whose config is not present."""
    ids = {each.id for each in present}
    for path in sorted(manifests().glob("*.yaml")):
        if path.stem not in ids:
            log.plain(f"taking down the pods of {path.stem}: it is in the metadata no more")
            take_down(TOOL.find(), path)


if __name__ == "__main__":
    sys.exit(containers.main(run, remove_vanished))
