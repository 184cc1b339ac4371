# SPDX-License-Identifier: Apache-2.0
"""Debian's packages on a booted, pristine server: installed, upgraded, removed, purged."""

from __future__ import annotations

import shlex

from lab.server import Server
from tests.support.packaged import DEPENDENCIES, MODES, paths
from tests.support.packages_on_servers import (
    apt,
    ask,
    everything,
    install,
    result,
    shell,
    states,
    wait_for,
    waiting,
)

PROGRAMS = (
    *("dib-run-parts", "heat-config", "heat-config-collect", "heat-config-notify"),
    *("heat-config-rebuild-deployed", "os-apply-config", "os-collect-config", "os-refresh-config"),
)


def test_a_life(server: Server) -> None:
    apt(server, "install", *DEPENDENCIES)
    before = everything(server)

    _installed(server)
    _runs_what_is_asked(server)
    _upgraded_while_a_config_runs(server)
    _not_removed_while_a_config_runs(server)
    _removed(server)

    apt(server, "purge", "heat-config", "heat-config-script")
    changed = everything(server) ^ before
    assert {path for path in changed if not path.startswith("/srv/")} == set()
    assert shell(server, "find /run -name '*heat*' -o -name '*os-*-config*'") == ""


def _installed(server: Server) -> None:
    install(server, "now")

    assert states(server, "is-enabled") == ["enabled"] * 3
    assert states(server, "is-active") == ["active"] * 3
    for name in PROGRAMS:
        assert server.run(["which", name]).stdout == f"/usr/bin/{name}\n"
    assert server.run(["stat", "-c", "%a %n", *paths()]).stdout == MODES
    # Nothing has come from Heat yet.
    assert server.run(["heat-config", "status"], check=False).returncode == 2
    # All is as the packages have it.
    assert server.run(["dpkg", "--verify", "heat-config", "heat-config-script"]).stdout == ""


def _runs_what_is_asked(server: Server) -> None:
    server.run(["touch", "/srv/go-first"])
    ask(server, [waiting("first")])
    wait_for(server, "heat-config status --wait --timeout 60")
    assert result(server, "first") == (0, "well\n")


def _upgraded_while_a_config_runs(server: Server) -> None:
    server.run(["sh", "-c", "echo HEAT_CONFIG_DEADLINE=25 >> /etc/heat-config.conf"])
    server.run(["systemctl", "disable", "--quiet", "heat-config-resume.path"])
    ask(server, [waiting("first"), waiting("second")])
    wait_for(server, "[ -e /srv/begun-second ]")

    install(server, "later")
    server.run(["touch", "/srv/go-second"])
    wait_for(server, "heat-config status --wait --timeout 60")

    version = server.run(["dpkg-query", "-Wf", "${Version}", "heat-config"]).stdout
    assert "-2+deb" in version
    assert result(server, "second") == (0, "well\n")
    assert server.read("/srv/begun-first") + server.read("/srv/begun-second") == "begun\n" * 2
    # What the operator has decided stays.
    assert "HEAT_CONFIG_DEADLINE=25\n" in server.read("/etc/heat-config.conf")
    assert states(server, "is-enabled") == ["enabled", "enabled", "disabled"]
    assert states(server, "is-active")[0] == "active"


def _not_removed_while_a_config_runs(server: Server) -> None:
    ask(server, [waiting("first"), waiting("second"), waiting("third")])
    wait_for(server, "[ -e /srv/begun-third ]")

    refused = apt(server, "remove", "heat-config", check=False)

    assert refused.returncode
    assert "a config is being run: wait for it" in refused.stdout + refused.stderr
    assert server.run(["test", "-e", "/usr/libexec/heat-config/hooks/script"]).returncode == 0
    assert states(server, "is-active")[:2] == ["active"] * 2
    server.run(["touch", "/srv/go-third"])
    wait_for(server, "heat-config status --wait --timeout 60")
    assert result(server, "third") == (0, "well\n")


def _removed(server: Server) -> None:
    state = shlex.quote("/var/lib/heat-config/deployed")
    kept = shell(server, f"cd {state} && ls")

    apt(server, "remove", "heat-config", "heat-config-script")

    units = "systemctl list-units --plain --no-legend 'heat-config*' 'os-collect-config*'"
    assert shell(server, units) == ""
    # grep's own exit status says, too, that a process has ended meanwhile.
    running = "grep -lsz '^/opt/heat-config' /proc/[0-9]*/cmdline"
    assert server.run(["sh", "-c", running], check=False).stdout == ""
    assert server.run(["test", "-e", "/opt/heat-config"], check=False).returncode == 1
    assert shell(server, f"cd {state} && ls") == kept
    assert "HEAT_CONFIG_DEADLINE=25\n" in server.read("/etc/heat-config.conf")
