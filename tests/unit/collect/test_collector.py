# SPDX-License-Identifier: Apache-2.0
"""What the section [zaqar] of os-collect-config.conf says, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config.cloud.credentials import Credentials
from heat_config.cloud.trust import BUNDLES, Trust
from heat_config.collect import collector
from heat_config.collect.upstream import collect as upstream
from heat_config.collect.upstream import exc
from heat_config.log import concealed

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


class TestAccess:
    def test_who_reads_which_queue(self, configure: Configure) -> None:
        configure(**SECTION, region_name="Here")
        found = collector.access()
        assert found.credentials == Credentials(
            "http://127.0.0.1:1/v3", "the-user-id", "hunter22", "the-project-id", "Here"
        )
        assert found.queue_id == "queue"
        assert concealed() >= {"hunter22", "the-user-id"}

    @pytest.mark.parametrize("missing", SECTION)
    def test_a_section_that_is_not_complete_is_not_configured(
        self, configure: Configure, missing: str
    ) -> None:
        configure(**{name: value for name, value in SECTION.items() if name != missing})
        with pytest.raises(exc.ZaqarMetadataNotConfigured):
            collector.access()

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
        assert collector.access().trust == trust


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
            ({"ca_file": "/nonexistent"}, "no certificates can be read of /nonexistent"),
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
