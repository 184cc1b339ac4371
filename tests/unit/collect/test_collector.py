# SPDX-License-Identifier: Apache-2.0
"""What the section [zaqar] of os-collect-config.conf says, and to whom."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import certifi
import pytest

from heat_config import log
from heat_config.cloud import keystone
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.errors import CloudError
from heat_config.cloud.trust import BUNDLES, Trust
from heat_config.collect import collector, loop
from heat_config.collect.upstream import collect as upstream
from heat_config.collect.upstream import exc
from heat_config.log import masked
from tests.support.serving import serving
from tests.support.signed_zaqar import QUEUE, SIGNATURE, SignedZaqar

SECTION = {
    "auth_url": "http://127.0.0.1:1/v2.0",
    "user_id": "the-user-id",
    "password": "hunter22",
    "project_id": "the-project-id",
    "queue_id": "queue",
}
Configure = Callable[..., None]


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Configure]:
    """Read a configuration with this section."""

    def written(**section: Any) -> None:
        lines = ["[DEFAULT]", f"cachedir = {tmp_path}/cache", "collectors = zaqar", "[zaqar]"]
        lines += [f"{name} = {value}" for name, value in section.items()]
        path = tmp_path / "collect.conf"
        path.write_text("\n".join(lines) + "\n")
        collector.CONF.reset()
        upstream.setup_conf()
        collector.CONF(["--config-file", str(path)], prog="os-collect-config")

    yield written
    collector.CONF.reset()
    collector._source.cache_clear()


class TestUserAccess:
    def test_who_reads_which_queue(self, configure: Configure) -> None:
        configure(**SECTION, region_name="Here")
        found = collector.user_access()
        assert found.credentials == Credentials(
            "http://127.0.0.1:1/v3", "the-user-id", "hunter22", "the-project-id", "Here"
        )
        assert found.queue_id == "queue"
        assert masked("hunter22 the-user-id") == "*** ***"

    def test_a_section_without_a_queue_is_not_configured(self, configure: Configure) -> None:
        configure(**{name: value for name, value in SECTION.items() if name != "queue_id"})
        with pytest.raises(exc.ZaqarMetadataNotConfigured):
            collector.user_access()

    @pytest.mark.parametrize("missing", [key for key in SECTION if key != "queue_id"])
    def test_a_section_that_is_not_complete_is_said_to_be_that(
        self, configure: Configure, missing: str
    ) -> None:
        configure(**{name: value for name, value in SECTION.items() if name != missing})
        with pytest.raises(CloudError, match=f"os-collect-config.conf lacks {missing}"):
            collector.user_access()
        with pytest.raises(exc.ZaqarMetadataNotAvailable):
            collector.source()

    @pytest.mark.parametrize(
        ("section", "variables", "trust"),
        [
            ({}, {}, Trust()),
            ({"ca_file": "/own.pem"}, {}, Trust("/own.pem")),
            ({"ca_file": BUNDLES[0]}, {}, Trust()),
            ({"ca_file": BUNDLES[0]}, {"HEAT_CONFIG_CA_FILE": "/ca.pem"}, Trust("/ca.pem")),
            ({"ca_file": "/own.pem"}, {"HEAT_CONFIG_CA_FILE": "/ca.pem"}, Trust("/own.pem")),
            ({"ssl_certificate_validation": False}, {}, Trust(insecure=True)),
            ({}, {"HEAT_CONFIG_INSECURE": "1"}, Trust(insecure=True)),
        ],
    )
    def test_whom_it_trusts(
        self,
        configure: Configure,
        section: dict[str, Any],
        variables: dict[str, str],
        trust: Trust,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        configure(**SECTION, **section)
        assert collector.user_access().trust == trust


class TestSource:
    def test_it_is_the_same_as_long_as_the_options_are(self, configure: Configure) -> None:
        configure(**SECTION)
        found = collector.source()
        assert collector.source() is found
        configure(**{**SECTION, "queue_id": "another"})
        assert collector.source() is not found

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"queue_id": "a/b"}, "no queue can have the name 'a/b'"),
        ],
    )
    def test_what_cannot_be_used_is_said_once(
        self,
        configure: Configure,
        changed: dict[str, str],
        said: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        configure(**{**SECTION, **changed})
        for _ in range(2):
            with pytest.raises(exc.ZaqarMetadataNotAvailable):
                collector.source()
        configure(**SECTION)
        collector.source()
        log = capsys.readouterr().err
        assert log.count(said) == 1
        assert log.count("answers again") == 1

    def test_certificates_that_cannot_be_read_are_gone_on_without(
        self,
        configure: Configure,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        ca_file = tmp_path / "ca.pem"
        configure(**SECTION, ca_file=ca_file)
        found = collector.source()
        assert collector.source() is found
        ca_file.write_text(Path(certifi.where()).read_text())
        assert collector.source() is not found
        said = capsys.readouterr().err
        assert said.count(f"no certificates can be read of {ca_file}") == 1
        assert said.count("the file of certificates answers again") == 1
        # The operator's own word is not put aside.
        monkeypatch.setenv("HEAT_CONFIG_CA_FILE", "/nonexistent")
        configure(**SECTION)
        with pytest.raises(exc.ZaqarMetadataNotAvailable):
            collector.source()


METADATA = {"deployments": [], "n": 1}


class TestSigned:
    @pytest.fixture
    def zaqar(self) -> Iterator[SignedZaqar]:
        made = SignedZaqar("DELETE", "GET")
        with serving(made):
            yield made

    def collected(self, configure: Configure, text: str, **more: Any) -> Any:
        configure(queue_id=QUEUE, signed_address=text, **more)
        return collector.source().collect()

    def test_the_address_is_all_that_is_needed(
        self, configure: Configure, zaqar: SignedZaqar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keystone, "user_of", None)
        zaqar.put(METADATA)
        assert self.collected(configure, zaqar.text) == METADATA
        assert zaqar.there == {}
        assert set(zaqar.asked) == {"GET", "DELETE"}

    def test_it_is_chosen_before_a_user(self, configure: Configure, zaqar: SignedZaqar) -> None:
        zaqar.put(METADATA)
        section = {**SECTION, "queue_id": QUEUE, "signed_address": zaqar.text}
        configure(**section)
        assert collector.source().collect() == METADATA

    def test_what_it_opens_is_in_no_log(
        self, configure: Configure, zaqar: SignedZaqar, capsys: pytest.CaptureFixture[str]
    ) -> None:
        zaqar.put(METADATA)
        self.collected(configure, zaqar.text)
        zaqar.has_ended = True
        assert collector.source().collect() == METADATA
        log.info(f"{QUEUE} {zaqar.text}")
        said = capsys.readouterr().err
        assert QUEUE not in said
        assert SIGNATURE not in said
        assert said.count("the signed address opens nothing there") == 1

    def test_another_address_of_the_same_queue_is_used_from_then_on(
        self, configure: Configure, zaqar: SignedZaqar
    ) -> None:
        zaqar.put(METADATA)
        self.collected(configure, zaqar.text)
        zaqar.put({**METADATA, "n": 2})
        zaqar.address = replace(zaqar.address, expires="2199-01-01T00:00:00", signature="ab" * 32)
        assert self.collected(configure, zaqar.text)["n"] == 2

    def test_what_may_have_been_missed_is_said_once_and_the_disk_holds(
        self,
        configure: Configure,
        zaqar: SignedZaqar,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert self.collected(configure, zaqar.text) is None
        assert capsys.readouterr().err == ""
        zaqar.put(METADATA)
        self.collected(configure, zaqar.text)
        os.utime(tmp_path / "cache/zaqar.d/newest.json", (0, 0))
        collector._source.cache_clear()
        assert [collector.source().collect() for _ in range(3)] == [METADATA] * 3
        assert capsys.readouterr().err.count("messages may have expired there") == 1

    def test_what_is_no_address_is_said_once(
        self, configure: Configure, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure(signed_address="zaqar+https://host/elsewhere?secret=0123456789abcdef")
        for _ in range(2):
            with pytest.raises(exc.ZaqarMetadataNotAvailable):
                collector.source()
        said = capsys.readouterr().err
        assert said.count("the signed address is not usable: its path") == 1
        assert "0123456789abcdef" not in said

    @pytest.mark.parametrize(
        ("address", "collectors", "signed"),
        [
            ("zaqar+https://h", "zaqar", True),
            ("", "zaqar", False),
            ("zaqar+https://h", "ec2", False),
        ],
    )
    def test_only_a_signed_queue_is_looked_at_more_often_and_has_no_websocket(
        self,
        configure: Configure,
        capsys: pytest.CaptureFixture[str],
        address: str,
        collectors: str,
        *,
        signed: bool,
    ) -> None:
        configure(signed_address=address, use_websockets=True)
        collector.CONF.set_override("collectors", [collectors])
        assert collector.is_signed() is signed
        assert loop._wants_websocket() is (not signed and collectors == "zaqar")
        assert capsys.readouterr().err.count("a signed address cannot subscribe") == signed


def test_metadata_from_heat_has_the_section_as_it_is(configure: Configure) -> None:
    configure(**SECTION, ca_file="/own.pem", ssl_certificate_validation=False)
    assert collector._section() == {
        "collectors": ["zaqar"],
        "zaqar": {
            **SECTION,
            "ca_file": "/own.pem",
            "use_websockets": False,
            "ssl_certificate_validation": False,
        },
    }
