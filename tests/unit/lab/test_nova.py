# SPDX-License-Identifier: Apache-2.0
"""The profile with a real Nova, as far as it goes without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import LabError, config, identity
from lab.nova import bridge, contents, profile, space
from lab.services import STAND_IN, services


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    return config.Settings.new(tmp_path, profile=profile.NOVA)


def test_the_stand_in_is_not_beside_the_real_one(settings: config.Settings) -> None:
    assert "compute" in identity.catalog(config.Settings.new(settings.directory))
    assert "compute" not in identity.catalog(settings)
    assert STAND_IN not in [service.name for service in services(profile.NOVA)]


def test_all_templates_are_rendered_for_the_owner_alone(settings: config.Settings) -> None:
    settings.render()
    profile.render_files(settings)
    files = {path.name: path for path in (settings.directory / "etc").iterdir() if path.is_file()}
    assert set(files) >= {path.name for path in profile.TEMPLATES.iterdir()}
    assert not [name for name, path in files.items() if "$" in path.read_text()]
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}


def test_servers_reach_the_services_at_the_network_s_address(settings: config.Settings) -> None:
    urls = [url for url, _ in identity.catalog(settings).values()]
    assert urls
    assert {url.partition("://")[2].partition(":")[0] for url in urls} == {profile.ADDRESS}


def test_a_tap_on_no_bridge_is_found(tmp_path: Path) -> None:
    for device in ("lab", "lo", "tap-new", "tap-plugged/master"):
        (tmp_path / device).mkdir(parents=True)
    assert list(bridge.loose_taps(tmp_path)) == ["tap-new"]


# As `debugfs -R 'ls -p /boot'` prints it.
LISTING = """
/12/040755/0/0/.//
/2/040755/0/0/..//
/13/100644/0/0/initrd.img-6.1.0-9-cloud-amd64/29000000/
/14/100644/0/0/vmlinuz-6.1.0-9-cloud-amd64/7000000/
/15/100644/0/0/initrd.img-6.1.0-41-cloud-amd64/29000000/
/16/100644/0/0/vmlinuz-6.1.0-41-cloud-amd64/7000000/
/17/100644/0/0/config-6.1.0-41-cloud-amd64/200000/
"""


@pytest.mark.parametrize("kind", ["vmlinuz", "initrd.img"])
def test_the_newest_kernel_is_taken(kind: str) -> None:
    assert contents.newest(kind, LISTING) == f"{kind}-6.1.0-41-cloud-amd64"


def test_an_image_without_a_kernel_is_an_error_that_says_so() -> None:
    with pytest.raises(LabError, match="vmlinuz"):
        contents.newest("vmlinuz", "/12/040755/0/0/.//\n")


def test_the_machine_s_own_network_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="own network"):
        space.furnish(tmp_path / "libvirt")
