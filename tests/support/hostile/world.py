# SPDX-License-Identifier: Apache-2.0
"""A server of processes between a queue and a place for its results, both in this process.

The queue is opened by a signed address, so that nothing but the server's own
programs and os-apply-config takes part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from heat_config.collect.loop import NOT_ASKED
from tests.support.deployments import script, to
from tests.support.server import HostServer
from tests.support.serving import serving
from tests.support.signed_zaqar import QUEUE, SignedZaqar

# No line of a log may tell of an error that nobody has foreseen.
UNFORESEEN = ("Traceback", "RecursionError", "MemoryError", "AssertionError")


class Results(ThreadingHTTPServer):
    """Takes what is put to its URLs, as Swift takes a result."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.found: dict[str, Any] = {}

    def of(self, config_id: str) -> Any:
        """The result of a config; None where there is none."""
        return self.found.get(config_id)


class _Handler(BaseHTTPRequestHandler):
    server: Results
    protocol_version = "HTTP/1.1"

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.found[self.path.rpartition("/")[2]] = json.loads(body)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST = _take  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass


class World:
    """The server, its queue and its results; ``good`` deployments are what others ask for."""

    def __init__(self, root: Path, queue: SignedZaqar, results: Results) -> None:
        self.server = HostServer(root)
        self.queue = queue
        self.results = results
        self.section = {
            "collectors": ["zaqar", "local"],
            "zaqar": {"queue_id": QUEUE, "signed_address": queue.text},
        }
        self.is_healthy = True
        """Whether the last test has found it well."""
        self._count = 0
        self.server.boot(self.section)

    def good(self) -> dict[str, Any]:
        """One more deployment that can be run."""
        self._count += 1
        config_id = f"good-{self._count}"
        return script("#!/bin/sh\necho ran\n", config_id=config_id, inputs=self.to(config_id))

    def to(self, config_id: str) -> list[dict[str, Any]]:
        """The inputs of a deployment that answers here."""
        return to(f"http://127.0.0.1:{self.results.server_port}/{config_id}")

    def metadata(self, *deployments: Any, **more: Any) -> dict[str, Any]:
        """A server's metadata as Heat posts it."""
        return {"os-collect-config": self.section, "deployments": list(deployments), **more}

    def poll(self) -> str:
        """Let the server look once; return the lines that it has written meanwhile."""
        before = self.server.log.stat().st_size if self.server.log.exists() else 0
        status = self.server.look()
        assert status in (0, NOT_ASKED), status
        with self.server.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(before)
            return log.read()

    def post(self, *bodies: Any) -> str:
        """Post messages and let the server look."""
        self.queue.put(*bodies)
        return self.poll()

    def post_text(self, text: str) -> str:
        """The same with one message whose body is this JSON."""
        body = f"text-{len(self.queue.texts)}"
        self.queue.texts[body] = text
        return self.post(body)

    def post_deployments(self, *texts: str) -> str:
        """The same with metadata whose deployments are these JSON texts."""
        metadata = json.dumps(self.metadata("the-deployments"))
        return self.post_text(metadata.replace(json.dumps("the-deployments"), ", ".join(texts)))

    def change_another_source(self) -> None:
        """Let a source that is not the queue have something new."""
        self._count += 1
        (self.server.root / "local-data/another").write_text(json.dumps({"n": self._count}))

    def assert_well(self, *ids: str) -> None:
        """The next good metadata are applied, run and answered, and the status can be read."""
        good = self.good()
        assert_foreseen(self.post(self.metadata(good)))
        for each in (*ids, good["id"]):
            assert self.has_succeeded(each), each
        assert self.asked() == [good["id"]]
        status = self.status()
        assert status.returncode == 0, status
        (row,) = json.loads(status.stdout)
        assert (row["id"], row["signal"]) == (good["id"], "delivered")
        self.is_healthy = True

    def status(self) -> CompletedProcess[str]:
        """``heat-config status``."""
        return self.server.run("heat-config", "status", "--format", "json")

    def asked(self) -> list[str]:
        """The ids of what the server holds that Heat asks for."""
        path = self.server.root / "var/run/heat-config/heat-config"
        found = json.loads(path.read_text())
        return [each.get("id", "") for each in found if isinstance(each, dict)]

    def has_succeeded(self, config_id: str) -> bool:
        """Whether a config's result has come, once and well."""
        found = self.results.of(config_id)
        return bool(found) and str(found["deploy_status_code"]) == "0"


def assert_foreseen(log: str) -> None:
    """No line tells of an error that nobody has thought of."""
    found = [line for line in log.splitlines() if any(each in line for each in UNFORESEEN)]
    assert not found, log[-3000:]


@contextmanager
def world(root: Path) -> Iterator[World]:
    """A server that has been booted, and nothing was asked of it yet."""
    queue, results = SignedZaqar("GET", "DELETE"), Results()
    with serving(queue), serving(results):
        yield World(root, queue, results)
