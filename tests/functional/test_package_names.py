# SPDX-License-Identifier: Apache-2.0
"""The elements' packages by diskimage-builder's own pkg-map, against names of distributions."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.image import dib
from tests.support import package_names
from tests.support.checkout import ELEMENTS, REPOSITORY
from tests.support.package_names import Target

LISTS = package_names.read()


@pytest.fixture(scope="module")
def pkg_map() -> Path:
    """diskimage-builder's program that says what a package is called in a distribution."""
    dib.install(print)
    (found,) = dib.VENV.glob("lib/python3*/site-packages/*/elements/pkg-map/bin/pkg-map")
    return found


def called(pkg_map: Path, element: Path, target: Target) -> Iterator[str]:
    """What an element's packages are called there."""
    asked = yaml.safe_load((element / "package-installs.yaml").read_text())
    at = ("--distro", target.distro, "--release", target.release, "--missing-ok")
    place = element / "pkg-map"
    chosen = ("--pkg-map", place) if place.exists() else ("--element", element.name)
    said = subprocess.check_output([pkg_map, *at, *chosen, *asked], text=True)
    yield from said.split()


@pytest.mark.parametrize("target", LISTS, ids="-".join)
def test_each_name_is_the_distributions_and_no_other_is_listed(
    pkg_map: Path, target: Target
) -> None:
    asking = [path.parent for path in ELEMENTS.glob("*/package-installs.yaml")]
    found = {name for element in asking for name in called(pkg_map, element, target)}
    assert found == set(LISTS[target])


def test_the_readme_names_what_is_not_confirmed() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    for target, names in LISTS.items():
        wanted = sorted(name for name, seen in names.items() if seen == package_names.UNCONFIRMED)
        row = re.search(rf"^\| {' '.join(target)} \| (.*) \|$", readme, re.MULTILINE)
        assert row, target
        named = [] if row[1].startswith("none") else re.findall(r"`([^`]+)`", row[1])
        assert named == wanted
