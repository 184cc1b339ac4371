# SPDX-License-Identifier: Apache-2.0
"""The profile whose parts are there twice, as far as it goes without starting one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import config
from lab.ha import HA, prepare, services
from lab.ha.profile import POOLS, SENTINELS, SIDES, STORES, sentinel_url


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    made = config.Settings.new(tmp_path, profile=HA)
    made.render()
    (tmp_path / "data").mkdir()
    prepare(made)
    return made


def text(settings: config.Settings, name: str) -> str:
    return (settings.directory / "etc" / name).read_text()


def test_each_service_has_a_name_and_ports_of_its_own(settings: config.Settings) -> None:
    every = services()
    names = [service.name for service in every]
    ports = [settings.ports[port] for service in every for port in service.ports]
    assert len(set(names)) == len(names)
    assert len(set(ports)) == len(ports)


def test_zaqar_asks_the_sentinels_who_the_master_is(settings: config.Settings) -> None:
    for store in STORES:
        url = sentinel_url(settings, store)
        assert f"?master={store}&" in url
        for name in SENTINELS:
            port = settings.ports[f"sentinel_{name}"]
            assert f"127.0.0.1:{port}" in url
            watched = f"sentinel monitor {store} 127.0.0.1 {settings.ports[f'redis_{store}_a']} 2"
            assert watched in text(settings, f"sentinel-{name}.conf")


def test_a_pools_address_fits_into_zaqars_table(settings: config.Settings) -> None:
    assert all(len(sentinel_url(settings, store)) <= 255 for store in STORES)


def test_the_second_redis_of_a_store_follows_the_first(settings: config.Settings) -> None:
    for store in STORES:
        follows = f"replicaof 127.0.0.1 {settings.ports[f'redis_{store}_a']}"
        assert follows not in text(settings, f"redis-{store}-a.conf")
        assert follows in text(settings, f"redis-{store}-b.conf")


def test_the_catalog_has_the_proxy_and_the_proxy_both_processes(settings: config.Settings) -> None:
    proxy = text(settings, "haproxy.cfg")
    assert f"bind 127.0.0.1:{settings.ports['zaqar']}" in proxy
    for side in SIDES:
        port = settings.ports[f"zaqar_{side}"]
        assert f"127.0.0.1:{port} check" in proxy
        assert f"http-socket = 127.0.0.1:{port}" in text(settings, f"uwsgi-zaqar-{side}.ini")


def test_heats_parts_meet_at_rabbitmq(settings: config.Settings) -> None:
    password = settings.passwords["rabbitmq_password"]
    url = f"rabbit://lab:{password}@127.0.0.1:{settings.ports['rabbitmq']}/"
    assert f"transport_url = {url}\n" in text(settings, "heat.conf")
    assert password in text(settings, "rabbitmq.conf")


def test_zaqars_pools_are_those_that_there_are(settings: config.Settings) -> None:
    assert "pooling = true\n" in text(settings, "zaqar.conf")
    created = [
        line.split()[4] for line in POOLS.read_text().splitlines() if line.startswith("openstack")
    ]
    assert created == list(STORES)


def test_its_files_are_for_the_owner_alone(settings: config.Settings) -> None:
    files = [path for path in (settings.directory / "etc").iterdir() if path.is_file()]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
