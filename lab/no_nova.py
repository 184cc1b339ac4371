# SPDX-License-Identifier: Apache-2.0
"""Stand where Nova would, and know no server but those that it was told of.

    python3 no_nova.py PORT

Before Heat deletes a deployment that has a DELETE action it asks Nova whether the server still
exists, even when it is an OS::Heat::DeployedServer, of which Nova knows nothing. Without a
compute service in the catalog such a stack becomes DELETE_FAILED; with one that says 404, as any
real Nova would, it is deleted, and Heat does not wait until the action has been run. For a server
that was PUT here it waits, as it does for Nova's own (SoftwareDeployment.check_delete_complete).
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Handler(BaseHTTPRequestHandler):
    """Answers with the version of the API, and with 404 to all else but what was PUT."""

    known: ClassVar[set[str]] = set()

    def do_PUT(self) -> None:
        """Know a server from now on."""
        self.known.add(self.path)
        self._answer(200, {})

    def do_DELETE(self) -> None:
        """Know it no more."""
        self.known.discard(self.path)
        self._answer(200, {})

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path.rstrip("/") in ("", "/v2.1"):
            self._answer(200, {"versions": [self._version()], "version": self._version()})
        elif self.path in self.known:
            server_id = self.path.rpartition("/")[2]
            self._answer(200, {"server": {"id": server_id, "status": "ACTIVE", "links": []}})
        else:
            self._answer(404, {"itemNotFound": {"code": 404, "message": "no such server"}})

    def _version(self) -> dict[str, object]:
        link = {"rel": "self", "href": f"http://{self.headers['Host']}/v2.1/"}
        numbers = {"version": "2.1", "min_version": "2.1"}
        return {"id": "v2.1", "status": "CURRENT", "links": [link], **numbers}

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
