# SPDX-License-Identifier: Apache-2.0
"""The group puppet with Puppet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.deployments import inputs
from tests.support.hook_server import HookServer

GROUP = "puppet"


def test_inputs_as_data_of_hiera(server: HookServer, tmp_path: Path) -> None:
    """A hierarchy of the group hiera finds them; only what has one of the tags is applied."""
    program = tmp_path / "puppet"
    hierarchy = f"--hiera_config={server.variables['HEAT_HIERA_CONFIG']}"
    program.write_text(f'#!/bin/sh\nexec puppet "$@" {hierarchy}\n')
    program.chmod(0o755)
    server.variables["HEAT_PUPPET_CMD"] = str(program)
    server.hook({"hierarchy": ["heat_config_%{facts.deploy_config_name}"]}, group="hiera")

    options = {"enable_hiera": True, "enable_facter": False, "tags": ["hiera", "none"]}
    code = "$said = lookup('colour')\nnotify { \"a ${said}\": tag => hiera }\nnotify { 'b': }"
    given = inputs(deploy_password="hunter22", colour="rot\nü")
    answer, log = server.hook(code, inputs=given, options=options)
    assert answer["deploy_status_code"] == 0, answer
    assert "a rot\nü" in answer["deploy_stdout"]
    assert "Notify[b]" not in answer["deploy_stdout"]
    path = server.root / "etc/puppet/hieradata/heat_config_n1.json"
    assert json.loads(path.read_text())["colour"] == "rot\nü"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "hunter22" not in log


def test_modules_and_an_input_that_is_a_map(server: HookServer, tmp_path: Path) -> None:
    for name in ("one", "two"):
        manifest = tmp_path / f"{name}/{name}/manifests/init.pp"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(f"class {name} {{ notify {{ '{name} is there': }} }}\n")
    options = {"modulepath": [f"{tmp_path}/one", f"{tmp_path}/two"]}
    code = "include one\ninclude two\nnotify { $facts['map']: }"
    answer, _ = server.hook(code, inputs=inputs(map={"a": 1}), options=options)
    assert answer["deploy_status_code"] == 0, answer
    for text in ("one is there", "two is there", '{"a": 1}'):
        assert text in answer["deploy_stdout"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ("notice('nothing to change')", 0),
        ("exec { '/bin/false': }", 4),
        ("notify { 'a': }\nexec { '/bin/false': }", 6),
    ],
)
def test_exit_codes(server: HookServer, config: str, code: int) -> None:
    answer, _ = server.hook(config)
    assert answer["deploy_status_code"] == code, answer


def test_why_it_has_failed_comes_before_any_warning(server: HookServer) -> None:
    code = "warning('before')\nexec { '/bin/false': }\nfail(\"one\\ntwo\")"
    answer, _ = server.hook(code)
    first, second, *rest = answer["deploy_stderr"].splitlines()
    assert first.startswith("Error: ")
    assert first.endswith("one")
    assert second.startswith("two")
    assert any(line.startswith("Warning: ") and "before" in line for line in rest)


def test_a_manifest_that_cannot_be_read(server: HookServer) -> None:
    answer, _ = server.hook("file {")
    assert answer["deploy_status_code"] == 1
    assert "Syntax error" in answer["deploy_stderr"]
