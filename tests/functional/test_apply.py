# SPDX-License-Identifier: Apache-2.0
"""What os-apply-config applies on a booted server, over a shutdown and a failure of a phase."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.image import build_tar, unpack
from lab.server import BOOT_CONFIG, File, Server
from tests.support.deployments import script, to
from tests.support.inbox import Inbox
from tests.support.serving import serving

SLEEPS = "#!/bin/sh\necho so far\nexec sleep 600"
FAILS = "printf '#!/bin/sh\\nexit 1\\n' > $1 && chmod 0755 $1 && os-refresh-config"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    server = Inbox()
    with serving(server):
        yield server


def data(config_id: str, name: str, config: object, inbox: Inbox) -> dict[str, Any]:
    url = f"{inbox.url}&id={config_id}"
    return script(
        "", config_id=config_id, name=name, group=None, config=config, inputs=to(url, "POST")
    )


def answers(inbox: Inbox) -> dict[str, dict[str, Any]]:
    return {path.rpartition("=")[2]: message for _, path, _, message in inbox.received}


def test_it_is_answered_with_what_os_refresh_config_came_to(inbox: Inbox, tmp_path: Path) -> None:
    asked = [
        data("first", "a:b", {"motd": "hello", "said": {"by": "first"}}, inbox),
        data("second", "a:b", {"said": {"to": "you"}}, inbox),
        data("text", "heat", "#!/bin/sh\necho hello", inbox),
        data("own", "own", {"deployments": []}, inbox),
        script(SLEEPS, config_id="cut", inputs=to(f"{inbox.url}&id=cut", "POST")),
    ]
    metadata = {"deployments": asked, "completion-handle": f"{inbox.url}&id=completion"}
    found = File("/var/lib/heat-cfntools/cfn-init-data", json.dumps(metadata))
    disks = {"/var/lib/heat-config": tmp_path / "state", "/var/log/heat-config": tmp_path / "log"}
    for folder in disks.values():
        folder.mkdir(mode=0o700)
    server = Server(unpack(build_tar()), files=[BOOT_CONFIG, found], disks=disks)
    try:
        server.boot()
        server.wait_for(lambda it: "cut: so far" in it.journal(), what="the hook's line")
        assert inbox.received == []
        server.stop(timeout=60)
        server.boot()
        server.wait_for(lambda _: "completion" in answers(inbox), what="the end")
        said = answers(inbox)
        assert list(said) == ["cut", "first", "second", "text", "own", "completion"]
        assert (
            "so far\nthe run was interrupted: the server was shut down"
            in (said["cut"]["deploy_stderr"])
        )
        codes = {name: said[name]["deploy_status_code"] for name in list(said)[:-1]}
        assert codes == {"cut": 1, "first": 0, "second": 0, "text": 1, "own": 1}
        assert set(said["completion"]) == {"Status", "Reason", "UniqueId", "Data"}
        query = ["os-apply-config", "--type", "raw", "--key"]
        assert server.run([*query, "said"]).stdout == '{"by": "first", "to": "you"}\n'
        assert len(json.loads(server.run([*query, "deployments"]).stdout)) == len(asked)
        assert server.run(["heat-config", "status"], check=False).returncode == 1

        next_one = {"deployments": [data("next", "next", {"k": 1}, inbox)]}
        server.run(["sh", "-c", "cat > /run/next"], text_input=json.dumps(next_one))
        phase = "/usr/libexec/os-refresh-config/post-configure.d/60-own"
        run = ["env", "OS_CONFIG_FILES=/run/next", "sh", "-c", FAILS, "sh", phase]
        assert server.run(run, check=False).returncode == 1
        reason = answers(inbox)["next"]["deploy_stderr"]
        assert "has failed in its phase post-configure, at 60-own: " in reason
        assert server.run(["find", "/tmp", "-name", "profiledir.*"]).stdout == ""
    finally:
        server.stop()
