# SPDX-License-Identifier: Apache-2.0
"""Two deployments of one name, while one replaces the other that has failed."""

from __future__ import annotations

import configparser
import os
import subprocess
from urllib.parse import urlsplit

from lab import Lab, databases
from lab.stack import Heat
from tests.support.answering import Begin
from tests.support.plugin import one

# PostgreSQL reads a stack's resources in the order in which their data were written.
LAST = """UPDATE resource_data SET key = key
WHERE resource_id IN (SELECT id FROM resource WHERE status = 'FAILED')"""


def test_a_signal_is_for_the_one_that_waits(lab: Lab, heat: Heat, begin: Begin) -> None:
    stack, server = begin(one("HEAT_SIGNAL"))
    server.new()
    heat.api.resources.signal(stack.id, "step_deployment", data={"deploy_status_code": 1})
    assert stack.wait("CREATE") == "FAILED"
    stack.update(one("HEAT_SIGNAL", value="second"))
    server.new()
    sql(lab, LAST)
    heat.api.resources.signal(stack.id, "step_deployment", data={"said": "of the new one"})
    assert stack.wait("UPDATE") == "COMPLETE", stack.reason
    assert stack.output("step.said") == "of the new one"


def sql(lab: Lab, statement: str) -> None:
    """Run it in Heat's database."""
    conf = configparser.ConfigParser(interpolation=None)
    conf.read(lab.directory / "etc/heat.conf")
    url = urlsplit(conf["database"]["connection"])
    # Not as an argument: it holds a password.
    environment = {
        "PGHOST": str(url.hostname),
        "PGPORT": str(url.port),
        "PGUSER": str(url.username),
        "PGPASSWORD": str(url.password),
        "PGDATABASE": url.path.strip("/"),
    }
    command = [databases.postgresql("psql"), "--quiet", "--command", statement]
    subprocess.run(command, env={**os.environ, **environment}, check=True)
