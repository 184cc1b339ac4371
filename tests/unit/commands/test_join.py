# SPDX-License-Identifier: Apache-2.0
"""``heat-config join``: from what Heat gives to the first metadata, or to why there are none."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heat_config.cli import main
from heat_config.collect import collector, loop
from heat_config.commands import join
from heat_config.install.services import Systemd
from tests.support.checkout import ELEMENTS, REPOSITORY
from tests.support.serving import serving
from tests.support.signed_zaqar import QUEUE, SignedZaqar

METADATA = {"deployments": [{"id": "1"}], "n": 1}
TEMPLATE = "os-collect-config/os-apply-config/etc/os-collect-config.conf"
# The service goes round once when it is started.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$0.asked"
[ ! -e "$0.fails" ] || {{ echo Unit is masked. >&2; exit 5; }}
case "$*" in *restart*)
    [ -e "$0.idle" ] || exec {python} -c '{program}' --config-file {conf} --one-time
esac
"""
PROGRAM = "import sys; from heat_config.collect.loop import main; main(); sys.exit(0)"

Join = Callable[..., int]


@pytest.fixture
def zaqar() -> Iterator[SignedZaqar]:
    zaqar = SignedZaqar("DELETE", "GET")
    with serving(zaqar):
        yield zaqar
    loop.CONF.reset()
    collector._source.cache_clear()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server on which heat-config install has been."""
    made = tmp_path / "root"
    template = made / "usr/libexec/os-apply-config/templates/etc/os-collect-config.conf"
    for folder in (template.parent, made / "etc", made / "var/lib"):
        folder.mkdir(parents=True)
    template.write_text((ELEMENTS / TEMPLATE).read_text())
    monkeypatch.setattr(join, "ROOT", made)
    monkeypatch.setattr(Systemd, "of", lambda root: Systemd(root, is_live=True))
    return made


@pytest.fixture
def systemctl(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    conf = root / "etc/os-collect-config.conf"
    text = SYSTEMCTL.format(python=sys.executable, program=PROGRAM, conf=conf)
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    return program


@pytest.fixture
def config(zaqar: SignedZaqar, tmp_path: Path) -> dict[str, Any]:
    return {
        "collectors": ["zaqar", "local"],
        "cachedir": str(tmp_path / "cache"),
        "command": "true",
        "zaqar": {"queue_id": QUEUE, "signed_address": zaqar.text},
    }


@pytest.fixture
def join_with(monkeypatch: pytest.MonkeyPatch, systemctl: Path) -> Join:  # noqa: ARG001 - on PATH
    def run(config: object, *options: str) -> int:
        loop.CONF.reset()
        collector._source.cache_clear()
        data = io.BytesIO(json.dumps(config).encode())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
        return main(["join", "--timeout", "0", *options])

    return run


def test_a_server_joins_and_has_its_first_metadata(
    join_with: Join,
    config: dict[str, Any],
    zaqar: SignedZaqar,
    root: Path,
    systemctl: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    zaqar.put(METADATA)

    assert join_with(config) == 0

    said = capfd.readouterr()
    assert said.out == (
        "joined: the metadata have come from zaqar; heat-config status shows what they ask\n"
    )
    assert zaqar.text not in said.err
    assert json.loads((tmp_path / "cache/zaqar.json").read_text()) == METADATA
    boot_data = root / "var/lib/heat-cfntools/cfn-init-data"
    written = {"deployments": [], "os-collect-config": config}
    assert json.loads(boot_data.read_text()) == written
    conf = root / "etc/os-collect-config.conf"
    assert f"signed_address = {zaqar.text}\n" in conf.read_text()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (boot_data.parent, boot_data, conf)]
    assert modes == [0o700, 0o600, 0o600]
    asked = Path(f"{systemctl}.asked").read_text().splitlines()
    assert [line.partition(" ")[2] for line in asked] == [
        "enable --quiet os-collect-config.service",
        "restart os-collect-config.service",
    ]


def test_from_a_file_with_the_id_of_the_server(
    join_with: Join, config: dict[str, Any], zaqar: SignedZaqar, root: Path, tmp_path: Path
) -> None:
    zaqar.put(METADATA)
    path = tmp_path / "output.json"
    path.write_text(json.dumps({"output_key": "server", "output_value": config}))

    assert join_with(None, str(path), "--server-id", "0af1") == 0

    assert "server_id = 0af1\n" in (root / "etc/os-collect-config.conf").read_text()


class TestNotYet:
    """The service goes on; what is wrong is said."""

    def said(self, capfd: pytest.CaptureFixture[str]) -> str:
        found = capfd.readouterr()
        assert found.out == ""
        return found.err

    def test_the_queue_is_empty(
        self, join_with: Join, config: dict[str, Any], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert join_with(config) == 2
        said = self.said(capfd)
        assert "zaqar can be asked, and has nothing; os-collect-config.service goes on" in said
        assert "--server-id" in said

    def test_the_address_opens_nothing(
        self,
        join_with: Join,
        config: dict[str, Any],
        zaqar: SignedZaqar,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        zaqar.has_ended = True
        assert join_with(config) == 2
        said = self.said(capfd)
        assert "404" in said
        assert "zaqar cannot be asked, for the reason above" in said

    def test_metadata_of_before_are_no_proof(
        self,
        join_with: Join,
        config: dict[str, Any],
        zaqar: SignedZaqar,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        zaqar.put(METADATA)
        assert join_with(config) == 0
        capfd.readouterr()
        zaqar.has_ended = True
        assert join_with(config) == 2
        assert "zaqar cannot be asked" in self.said(capfd)

    def test_nor_are_those_of_another_stack(
        self,
        join_with: Join,
        config: dict[str, Any],
        zaqar: SignedZaqar,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        zaqar.put(METADATA)
        assert join_with(config) == 0
        capfd.readouterr()
        address = zaqar.text.replace(QUEUE, "another")
        assert join_with({**config, "zaqar": {"signed_address": address}}) == 2
        assert "zaqar cannot be asked" in self.said(capfd)

    def test_the_service_does_nothing(
        self,
        join_with: Join,
        config: dict[str, Any],
        zaqar: SignedZaqar,
        systemctl: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        zaqar.put(METADATA)
        Path(f"{systemctl}.idle").touch()
        assert join_with(config) == 2
        assert "not here yet: journalctl -u os-collect-config.service" in self.said(capfd)
        assert list(zaqar.there.values()) == [METADATA]


class TestCouldNot:
    """Nothing is begun where what was given cannot be used."""

    def said(
        self, capfd: pytest.CaptureFixture[str], join_with: Join, root: Path, config: object
    ) -> str:
        assert join_with(config) == 1
        assert not (root / "etc/os-collect-config.conf").exists()
        assert not (root / "var/lib/heat-cfntools").exists()
        return capfd.readouterr().err

    def test_it_is_not_whole(
        self, join_with: Join, root: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert "no section zaqar" in self.said(capfd, join_with, root, {"collectors": ["zaqar"]})

    @pytest.mark.parametrize(
        ("address", "reason"),
        [
            ("zaqar+http://127.0.0.1:1/v2/queues/q", "zaqar: signed_address: "),
            (None, "signed_address has ended: openstack stack update --existing STACK"),
        ],
    )
    def test_its_address_is_of_no_use(
        self,
        join_with: Join,
        config: dict[str, Any],
        zaqar: SignedZaqar,
        root: Path,
        address: str | None,
        reason: str,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        config["zaqar"]["signed_address"] = address or zaqar.text.replace("2099", "2019")
        said = self.said(capfd, join_with, root, config)
        assert reason in said
        assert zaqar.address.signature not in said

    def test_there_is_no_such_file(
        self, root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["join", str(tmp_path / "no.json")]) == 1
        assert "No such file" in capfd.readouterr().err
        assert not (root / "etc/os-collect-config.conf").exists()

    def test_only_root_can(
        self,
        join_with: Join,
        root: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        assert "only root" in self.said(capfd, join_with, root, {})

    def test_the_service_does_not_start(
        self,
        join_with: Join,
        config: dict[str, Any],
        systemctl: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        Path(f"{systemctl}.fails").touch()
        assert join_with(config) == 1
        assert "Unit is masked." in capfd.readouterr().err
