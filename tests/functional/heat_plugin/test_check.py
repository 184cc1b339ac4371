# SPDX-License-Identifier: Apache-2.0
"""heat-config-heat-check on the lab's heat.conf: all well, and one thing after another missing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from heat_plugin import paths
from lab import Lab
from tests.support.checkout import REPOSITORY

ASK = "import sys; from heat_plugin.check import main; sys.exit(main())"


def check(lab: Lab, config: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(lab.python), "-c", ASK, "--config-file", str(config), *more]
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def conf(lab: Lab) -> Path:
    return lab.directory / "etc/heat.conf"


def changed(lab: Lab, to: Path, before: str, after: str) -> Path:
    """A heat.conf in which one line that begins so is another."""
    lines = conf(lab).read_text().splitlines()
    assert any(line.startswith(before) for line in lines)
    to.write_text("\n".join(after if line.startswith(before) else line for line in lines))
    return to


def test_a_cloud_that_has_all_is_said_to(lab: Lab) -> None:
    done = check(lab, conf(lab))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MISSING" not in done.stdout
    looked = {line[9:].partition(":")[0] for line in done.stdout.splitlines()}
    assert looked == {
        *("openstack-heat", "plugin_dirs", "environment_dir", "executor_thread_pool_size"),
        *("[heat_config]", "heat.conf", "Keystone", "stack domain", "role", "stack project"),
        *("catalog", "Zaqar", "[signed_url]"),
    }


def test_it_leaves_no_project(lab: Lab) -> None:
    check(lab, conf(lab))
    listed = subprocess.run(
        [str(lab.bin("openstack")), "project", "list", "--domain", "heat", "-f", "value"],
        env=lab.environment("admin"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "heat-config-heat-check" not in listed.stdout


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("plugin_dirs", "plugin_dirs = ", f"plugin_dirs = {paths.PATHS['plugin_dirs']} in"),
        ("executor_thread_pool_size", "", "set executor_thread_pool_size = 565"),
        ("stack_domain_admin =", "", "names no stack_domain_admin\n"),
        ("stack_domain_admin_password", "stack_domain_admin_password = x", "MISSING  stack domain"),
        ("heat_stack_user_role", "heat_stack_user_role = other", "openstack role create other"),
        ("region_name_for_services", "region_name_for_services = B", "MISSING  catalog"),
        ("auth_uri", "auth_uri = http://127.0.0.1:1", "MISSING  Keystone"),
    ],
)
def test_what_is_missing_is_named_with_its_remedy(
    lab: Lab, tmp_path: Path, before: str, after: str, said: str
) -> None:
    done = check(lab, changed(lab, tmp_path / "heat.conf", before, after))
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout


def test_zaqar_that_does_not_sign_is_named(lab: Lab) -> None:
    zaqar_conf = lab.directory / "etc/zaqar.conf"
    before = zaqar_conf.read_text()
    lines = [line for line in before.splitlines() if not line.startswith("secret_key")]
    zaqar_conf.write_text("\n".join(lines))
    try:
        lab.stop("zaqar")
        lab.start("zaqar")
        done = check(lab, conf(lab))
    finally:
        zaqar_conf.write_text(before)
        lab.stop("zaqar")
        lab.start("zaqar")
    assert (done.returncode, "MISSING  [signed_url]" in done.stdout) == (1, True), done.stdout


def test_zaqar_that_is_away_is_named(lab: Lab) -> None:
    lab.stop("zaqar")
    try:
        done = check(lab, conf(lab))
    finally:
        lab.start("zaqar")
    assert (done.returncode, "MISSING  Zaqar" in done.stdout) == (1, True), done.stdout
