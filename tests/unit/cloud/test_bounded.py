# SPDX-License-Identifier: Apache-2.0
"""Requests that end. Each of them with each fault: tests/functional/test_hostile_server.py."""

from __future__ import annotations

import gzip
import os
import re
import socket
import ssl
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3.connection import HTTPConnection

from heat_config.cloud import bounded, http, limits
from heat_config.cloud.errors import AnswerTooLargeError, CloudError, Outcome
from heat_config.cloud.trust import Trust
from heat_config.delivery.entry import Stage
from tests.support.authority import Authority
from tests.support.checkout import REPOSITORY
from tests.support.hostile_server import HostileServer
from tests.support.office import Office
from tests.support.serving import serving

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
}


class _Server(ThreadingHTTPServer):
    """Answers with its body, packed as it is told."""

    def __init__(self, body: bytes, packed_as: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body, self.packed_as = body, packed_as
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.asked: list[dict[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append({**dict(self.headers), "from": str(self.client_address[1])})
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        if self.server.packed_as:
            self.send_header("Content-Encoding", self.server.packed_as)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileServer]:
    monkeypatch.setenv("HEAT_CONFIG_DEADLINE", "1")
    with HostileServer() as server:
        yield server


def ask(url: str, **options: Any) -> requests.Response:
    return bounded.session().get(url, **options)


def error_of(url: str, **options: Any) -> CloudError:
    with pytest.raises(requests.RequestException) as raised:
        ask(url, **options)
    return http.from_silence("it", raised.value)


@pytest.mark.parametrize("packed_as", PACKED)
def test_an_answer_is_unpacked(packed_as: str) -> None:
    with serving(server := _Server(PACKED[packed_as](b'{"a": 1}'), packed_as)):
        response = ask(server.url)
    assert response.json() == {"a": 1}
    assert server.asked[0]["Accept-Encoding"] == "gzip, deflate"


def test_a_connection_is_kept() -> None:
    session = bounded.session()
    with serving(server := _Server(b"{}")):
        for _ in range(3):
            assert session.get(server.url).content == b"{}"
        session.close()
    assert len({each["from"] for each in server.asked}) == 1


@pytest.mark.parametrize("packed_as", ["br", "gzip, gzip", "zstd"])
def test_what_could_not_be_unpacked_within_bounds_is_not(packed_as: str) -> None:
    with serving(server := _Server(b"x", packed_as)):
        assert error_of(server.url).outcome is Outcome.UNKNOWN


def test_what_is_no_gzip_is_no_answer() -> None:
    with serving(server := _Server(b"x", "gzip")):
        assert error_of(server.url).outcome is Outcome.UNKNOWN


def test_an_answer_may_be_as_large_as_the_bound() -> None:
    body = b"x" * (bounded.LARGEST - 1000)  # its headers count, too
    with serving(server := _Server(body)):
        assert ask(server.url).content == body


@pytest.mark.parametrize("fault", ["drips-headers", "drips-chunks", "huge-body", "tls-drips"])
def test_what_does_not_end_is_left(hostile: HostileServer, fault: str) -> None:
    """The server would go on for a minute, and would then have ended it."""
    url = hostile.address("collector-request", fault, "plain")
    with pytest.raises((requests.ReadTimeout, requests.ConnectionError)) as raised:
        ask(f"{url}/object", verify=False)
    too_large = isinstance(http.from_silence("it", raised.value), AnswerTooLargeError)
    assert isinstance(raised.value, requests.ReadTimeout) or too_large


@pytest.mark.parametrize("packed_as", ["", "gzip"])
def test_an_answer_that_is_too_large_is_left_and_that_is_said(packed_as: str) -> None:
    body = b" " * (bounded.LARGEST + 1)
    with serving(server := _Server(gzip.compress(body) if packed_as else body, packed_as)):
        error = error_of(server.url)
    assert isinstance(error, AnswerTooLargeError)
    assert str(bounded.LARGEST) in str(error)


def test_all_requests_of_a_block_share_its_time_and_its_size() -> None:
    with serving(server := _Server(b"x" * 1000)):
        with limits.within(60, 5000):
            assert ask(server.url).ok
            with pytest.raises(requests.ConnectionError):
                for _ in range(10):
                    ask(server.url)
        with limits.within(0), pytest.raises(requests.ConnectTimeout):
            ask(server.url)
        assert ask(server.url).ok


def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert error_of(f"http://127.0.0.1:{port}/").outcome is Outcome.UNREACHABLE


def test_all_addresses_of_a_host_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def addresses(host: str, port: int, **_: object) -> list[Any]:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in hosts]
        return found if host == "host.example" else []

    hosts = ["127.0.0.2", "127.0.0.1"]
    with serving(server := _Server(b"{}")), monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", addresses)
        patched.setattr(socket.socket, "connect", _only_to("127.0.0.1"))
        assert ask(f"http://host.example:{server.server_port}/").ok


def _only_to(host: str) -> Any:
    connect = socket.socket.connect

    def connected(self: socket.socket, address: Any) -> None:
        if address[0] != host:
            raise ConnectionRefusedError
        connect(self, address)

    return connected


def test_certificates_are_verified(tmp_path: Path) -> None:
    ours, other = Authority(tmp_path), Authority(tmp_path_of(tmp_path, "other"))
    server = _Server(b"{}")
    server.socket = ours.certified("127.0.0.1").wrap_socket(server.socket, server_side=True)
    with serving(server):
        url = server.url.replace("http", "https")
        assert ask(url, verify=str(ours.file)).ok
        with pytest.raises(requests.exceptions.SSLError):
            ask(url, verify=str(other.file))
        wss = url.replace("https", "wss")
        bounded.connected(wss, Trust(ca_file=str(ours.file))).close()
        bounded.connected(wss, Trust(insecure=True)).close()
        with pytest.raises(ssl.SSLCertVerificationError):
            bounded.connected(wss, Trust(ca_file=str(other.file)))


def tmp_path_of(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def test_a_request_goes_by_a_proxy_within_the_same_limits() -> None:
    with serving(server := _Server(b"x" * 1000)):
        proxies = {"http": server.url}
        assert ask("http://zaqar.example/", proxies=proxies).content == b"x" * 1000
        with limits.within(60, 500), pytest.raises(requests.ConnectionError):
            ask("http://zaqar.example/", proxies=proxies)


def test_a_websocket_goes_by_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(30)
        monkeypatch.setenv("http_proxy", f"http://me:secret@127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setattr(HTTPConnection, "_tunnel", _note_tunnel)
        found = bounded.connected("ws://zaqar.example:9000/", Trust())
        assert vars(_note_tunnel)["to"] == ("zaqar.example", 9000)
        assert vars(_note_tunnel)["headers"]["proxy-authorization"].startswith("Basic ")
        found.close()


def _note_tunnel(connection: Any) -> None:
    vars(_note_tunnel)["to"] = connection._tunnel_host, connection._tunnel_port
    vars(_note_tunnel)["headers"] = connection._tunnel_headers


def test_a_try_to_deliver_ends(hostile: HostileServer, tmp_path: Path) -> None:
    """The outbox is held meanwhile."""
    office = Office(tmp_path, HEAT_CONFIG_DEADLINE="1", HEAT_CONFIG_FIRST_WAIT="20")
    url = hostile.address("temp-url", "drips-body", "plain")
    address = {"deploy_signal_id": f"{url}/object", "deploy_signal_verb": "PUT"}
    office.send(address, {"deploy_status_code": 0})
    assert office.entry().stage is Stage.REPEATABLE
    assert "ReadTimeout" in office.entry().problem


def test_nothing_of_a_server_connects_by_itself() -> None:
    """But the websocket's library, which is given the connection."""
    own = re.compile(
        r"requests\.(Session|get|post|put|request)\(|urllib\.request|urlopen|http\.client"
    )
    found = {
        path.name
        for path in (REPOSITORY / "heat_config").rglob("*.py")
        if own.search(path.read_text())
    }
    assert found == {"bounded.py"}


def test_the_collectors_of_os_collect_config_have_the_same_connections() -> None:
    upstream = "heat_config.collect.upstream"
    program = f"import {upstream}, requests; print(type(requests.Session().adapters['https://']))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{bounded.Adapter}\n"
