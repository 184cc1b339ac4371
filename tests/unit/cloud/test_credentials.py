# SPDX-License-Identifier: Apache-2.0
"""Who asks: read from a deployment's inputs, or from the collector's section."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from heat_config.cloud.credentials import Credentials
from heat_config.cloud.errors import CloudError, Outcome

INPUTS = {
    "deploy_auth_url": "http://keystone.example/v3/",
    "deploy_user_id": "the-user-id",
    "deploy_password": "hunter22",
    "deploy_project_id": "the-project-id",
}
SECTION = {name.removeprefix("deploy_"): value for name, value in INPUTS.items()}


def test_a_deployments_inputs() -> None:
    found = Credentials.from_inputs({**INPUTS, "deploy_region_name": "Here", "foo": "bar"})
    assert found == Credentials(
        "http://keystone.example/v3/", "the-user-id", "hunter22", "the-project-id", "Here"
    )


@pytest.mark.parametrize("region", [None, ""])
def test_without_a_region_any_will_do(region: str | None) -> None:
    given = {**INPUTS, "deploy_region_name": region}
    assert Credentials.from_inputs(given).region_name is None
    assert Credentials.from_section({**SECTION, "region_name": region}).region_name is None


def test_missing_inputs_are_named() -> None:
    with pytest.raises(CloudError, match=r"input deploy_auth_url, deploy_password$") as raised:
        Credentials.from_inputs({**INPUTS, "deploy_auth_url": None, "deploy_password": 7})
    assert raised.value.outcome is Outcome.UNUSABLE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://k/v3/", "http://k/v3/"),
        ("http://k/v3", "http://k/v3"),
        ("http://k/v2.0", "http://k/v3"),
        ("http://k/v2.0/", "http://k/v3"),
        ("http://k:5000", "http://k:5000/v3"),
        ("http://k/identity/", "http://k/identity/v3"),
    ],
)
def test_the_collectors_address_leads_to_version_3(written: str, meant: str) -> None:
    found = Credentials.from_section({**SECTION, "auth_url": written, "region_name": "Here"})
    assert found == Credentials(meant, "the-user-id", "hunter22", "the-project-id", "Here")


def test_nothing_with_which_one_could_log_in_is_shown() -> None:
    shown = repr(
        dataclasses.replace(Credentials.from_inputs(INPUTS), auth_url="http://me:secret@k/v3")
    )
    assert "the-project-id" in shown
    assert [each for each in ("hunter22", "the-user-id", "secret") if each in shown] == []


def test_they_are_a_value() -> None:
    found: Any = Credentials.from_inputs(INPUTS)
    assert hash(found) == hash(Credentials.from_inputs(dict(INPUTS)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.password = "another"
