# SPDX-License-Identifier: Apache-2.0
"""What a build says of variables that these elements do not follow."""

from __future__ import annotations

import pytest
from heat_config_venv.not_followed import notes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIB_INSTALLTYPE_os_collect_config", "package"),
        ("DIB_INSTALLTYPE_heat_config", "package"),
        ("DIB_DEFAULT_INSTALLTYPE", "package"),
        ("DIB_PIP_MANIFEST_os_apply_config", "/srv/manifest"),
    ],
)
def test_each_is_named_with_its_value_and_the_reason(name: str, value: str) -> None:
    (said,) = notes({name: value})
    assert said.startswith(f"{name}={value} is not followed here: ")
    assert "requirements.txt" in said


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"DIB_INSTALLTYPE_os_collect_config": "source", "DIB_DEFAULT_INSTALLTYPE": "source"},
        {"DIB_INSTALLTYPE_nova": "package", "DIB_PIP_MANIFEST_nova": "/srv/manifest"},
        {"DIB_PIP_MANIFEST_heat_config": ""},
    ],
)
def test_nothing_is_said_of_what_is_followed_or_others(environ: dict[str, str]) -> None:
    assert notes(environ) == []
