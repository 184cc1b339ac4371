# SPDX-License-Identifier: Apache-2.0
"""TLS to Keystone, Zaqar and signed URLs: verified unless the operator says otherwise."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
import pytest

from heat_config import redact
from heat_config.cloud import keystone
from heat_config.cloud.errors import CloudError
from heat_config.cloud.trust import Trust
from heat_config.delivery.entry import Stage
from heat_config.result import Result
from lab import Lab
from lab.wire import Wire, answer
from tests.support.authority import DAY, NOW, Authority
from tests.support.office import Office
from tests.support.user import DemoUser
from tests.support.wires import address

DEBIANS = "/etc/ssl/certs/ca-certificates.crt"


@dataclass
class Target:
    """A deployment whose result goes over TLS at one point of its way."""

    values: dict[str, Any]
    wire: Wire


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


Make = Callable[[ssl.SSLContext], Target]


@pytest.fixture(params=["Keystone", "Zaqar", "signed URL"])
def target(
    request: pytest.FixtureRequest, lab: Lab, user: DemoUser, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    with ExitStack() as stack:

        def make(tls: ssl.SSLContext) -> Target:
            if request.param == "signed URL":
                inbox = Wire(("127.0.0.1", 1), tls=tls, default=answer(201))
                wire = stack.enter_context(inbox)
                url = f"{wire.url}/object?temp_url_sig=0123456789abcdef"
                return Target({"deploy_signal_id": url, "deploy_signal_verb": "PUT"}, wire)
            values = {**user.values, "deploy_queue_id": f"test-{uuid.uuid4().hex}"}
            if request.param == "Keystone":
                wire = stack.enter_context(Wire(address(lab.auth_url), tls=tls))
                return Target({**values, "deploy_auth_url": f"{wire.url}/v3/"}, wire)
            upstream = address(lab.endpoints["messaging"])
            wire = stack.enter_context(Wire(upstream, tls=tls))
            monkeypatch.setattr(keystone.User, "endpoint", lambda *_: wire.url)
            return Target(values, wire)

        yield make


class Server:
    """It has the result of one deployment and tries to deliver it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def is_refused(self, target: Target, **variables: str) -> str:
        """The result stays pending, and nothing has been sent. Return the log."""
        office, log = self._deliver(target, variables)
        # Certainly not sent: it is in the stage in which it began.
        assert office.entry().stage in (Stage.NEW, Stage.REPEATABLE)
        assert target.wire.url in log
        assert target.wire.connections > 0
        assert target.wire.history == [], "neither a password nor the result"
        return log

    def is_accepted(self, target: Target, **variables: str) -> None:
        office, log = self._deliver(target, variables)
        assert office.is_empty(), log
        assert target.wire.history

    def _deliver(self, target: Target, variables: dict[str, str]) -> tuple[Office, str]:
        office = Office(self._folder, **variables)
        office.send(target.values, Result(0).as_dict())
        log = self._capsys.readouterr().err
        assert not [secret for secret in redact.secrets_in(target.values) if secret in log]
        return office, log


@pytest.fixture
def server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Server:
    return Server(tmp_path, capsys)


def test_an_unknown_authority_is_refused(
    server: Server, target: Make, authority: Authority
) -> None:
    log = server.is_refused(target(authority.certified("127.0.0.1")))
    assert "does not verify: unable to get local issuer certificate" in log
    assert "HEAT_CONFIG_CA_FILE" in log


@pytest.mark.parametrize("host", ["127.0.0.2", "zaqar.example"])
def test_the_certificate_of_another_host_is_refused(
    server: Server, target: Make, authority: Authority, host: str
) -> None:
    other = target(authority.certified(host))
    log = server.is_refused(other, HEAT_CONFIG_CA_FILE=str(authority.file))
    assert "certificate is not valid for '127.0.0.1'" in log


def test_an_expired_certificate_is_refused(
    server: Server, target: Make, authority: Authority
) -> None:
    expired = target(authority.certified("127.0.0.1", until=NOW - DAY))
    log = server.is_refused(expired, HEAT_CONFIG_CA_FILE=str(authority.file))
    assert "certificate has expired" in log


@pytest.mark.parametrize("variable", ["HEAT_CONFIG_CA_FILE", "OS_CACERT"])
def test_an_authority_that_the_operator_names_is_trusted(
    server: Server, target: Make, authority: Authority, variable: str
) -> None:
    own = target(authority.certified("127.0.0.1"))
    server.is_accepted(own, **{variable: str(authority.file)})


def test_an_authority_in_the_systems_store_is_trusted(
    server: Server, target: Make, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    # OpenSSL's own way to say where the store is.
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    server.is_accepted(target(authority.certified("127.0.0.1")))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_insecure_accepts_any_certificate(
    server: Server, target: Make, authority: Authority
) -> None:
    server.is_accepted(target(authority.certified("zaqar.example")), HEAT_CONFIG_INSECURE="1")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_unusable_ca_file_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CloudError, match=f"no certificates can be read of {path}, which"):
        Trust(str(path)).verify()


def test_the_systems_store_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    # requests' own variables choose nothing for us.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    trusted = Trust().verify()
    assert isinstance(trusted, str)
    assert Path(trusted).resolve() != Path(certifi.where()).resolve()
    if Path("/etc/debian_version").exists():
        assert Path(trusted).resolve() == Path(DEBIANS).resolve()
