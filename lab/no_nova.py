# SPDX-License-Identifier: Apache-2.0
"""Stand where Nova would, and know no server.

    python3 no_nova.py PORT

Before Heat deletes a deployment that has a DELETE action it asks Nova whether the server still
exists, even when it is an OS::Heat::DeployedServer, of which Nova knows nothing. Without a
compute service in the catalog such a stack becomes DELETE_FAILED; with one that says 404, as any
real Nova would, it is deleted.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers with the version of the API, and with 404 to all else."""

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path.rstrip("/") in ("", "/v2.1"):
            self._answer(200, {"versions": [self._version()], "version": self._version()})
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
