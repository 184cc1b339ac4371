# SPDX-License-Identifier: Apache-2.0
"""The specification of RPMs for the RHEL family 9, from what Debian's packages and layout say.

python3 -m packages.spec VERSION RELEASE PACKAGER > heat-config.spec
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

from heat_config.install import server, tools
from heat_config.install.tools import System

from . import layout
from .layout import ELEMENTS

RHEL = System("rhel", "9", "redhat")
FOLDER = Path(__file__).with_name("redhat")
CONTROL = Path(__file__).with_name("debian") / "control"


class Described(NamedTuple):
    """What Debian's control file says of a package."""

    summary: str
    text: str


def described() -> dict[str, Described]:
    """The packages' descriptions, by name."""
    found = re.findall(
        r"(?ms)^Package: (\S+)$.*?^Description: ([^\n]*)\n((?: [^\n]*\n)+)", CONTROL.read_text()
    )
    return {name: Described(summary, _plain(text)) for name, summary, text in found}


def _plain(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "\n".join("" if line == "." else line for line in lines)


def spec(version: str, release: str, by: str) -> str:
    """Write the specification: the agent's package by hand, and one for each hook like another."""
    agent = described()[layout.AGENT]
    hooks = "\n".join(_hook(group) for group in layout.groups(ELEMENTS))
    given = {
        "VERSION": version,
        "RELEASE": release,
        "PACKAGER": by,
        "SUMMARY": agent.summary,
        "DESCRIPTION": agent.text,
        "HOOKS": hooks,
    }
    text = (FOLDER / "heat-config.spec").read_text()
    return re.sub(r"#([A-Z]+)#", lambda found: given[found[1]], text)


def _hook(group: str) -> str:
    element = server.element_of(ELEMENTS, group)
    asked = sorted({*tools.packages(element, RHEL)} - {"python3"})
    known = described()[element.name]
    fields = {
        "NAME": element.name,
        "SUMMARY": known.summary,
        "DESCRIPTION": known.text,
        "NEEDS": "".join(f"Recommends: {name}\n" for name in asked),
    }
    text = (FOLDER / "hook.spec").read_text()
    return re.sub(r"#([A-Z]+)#", lambda found: fields[found[1]], text)


if __name__ == "__main__":
    sys.stdout.write(spec(*sys.argv[1:]))
