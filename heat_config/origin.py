# SPDX-License-Identifier: Apache-2.0
"""Whose word the rendered deployments are: Heat's, or what the server was booted with.

os-apply-config merges all sources, and what is rendered does not say where it is from. A server is
booted with an empty list, which says where to ask and nothing of what Heat asks for.

Source: ``os_apply_config.collect_config``, ``os_apply_config.apply_config``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from heat_config import readable

if TYPE_CHECKING:
    from collections.abc import Mapping

# os-collect-config's collectors whose answers are Heat's; each has a file of its name.
HEATS = ("cfn", "heat", "request", "zaqar")
BOOT = "heat_local"
"""The collector of what the server was booted with."""
# What os-apply-config merges before all sources: what cloud-init has written of the user data.
FALLBACKS = (
    "/var/cache/heat-cfntools/last_metadata",
    "/var/lib/heat-cfntools/cfn-init-data",
    "/var/lib/cloud/data/cfn-init-data",
)
LIST = "/var/lib/os-collect-config/os_config_files.json"


def of_deployments(environ: Mapping[str, str] = os.environ) -> str | None:
    """The source whose list of deployments is the one that was rendered; None where none has one.

    Of lists os-apply-config takes the last one.
    """
    for path in reversed(_sources(environ)):
        if _has_list(path):
            return path.stem
    return BOOT if any(_has_list(Path(path)) for path in FALLBACKS) else None


def _has_list(path: Path) -> bool:
    with suppress(OSError, ValueError):
        content = readable.own(path.read_bytes())
        return isinstance(content, dict) and isinstance(content.get("deployments"), list)
    return False


def _sources(environ: Mapping[str, str]) -> list[Path]:
    """The files that os-apply-config merges, in their order."""
    given = environ.get("OS_CONFIG_FILES")
    if given is not None:
        return [Path(each) for each in given.split(":") if each]
    with suppress(OSError, ValueError):
        listed = readable.own(Path(environ.get("OS_CONFIG_FILES_PATH") or LIST).read_bytes())
        return [Path(each) for each in listed] if isinstance(listed, list) else []
    return []
