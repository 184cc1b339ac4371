# SPDX-License-Identifier: Apache-2.0
"""What an operator gives to ``heat-config join``: each form of it, and each thing that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heat_config.install import given
from heat_config.install.errors import InstallError
from tests.support.checkout import ELEMENTS

TEMPLATE = given.Template.of(
    ELEMENTS / "os-collect-config/os-apply-config/etc/os-collect-config.conf"
)
ZAQAR = {
    "auth_url": "https://keystone.example/v3",
    "user_id": "u1",
    "password": "hunter22",
    "project_id": "p1",
    "queue_id": "q1",
    "region_name": None,
}
CONFIG: dict[str, Any] = {
    "collectors": ["zaqar", "local"],
    "zaqar": ZAQAR,
    "cfn": {"path": None, "metadata_url": None},
}
OUTPUT = {"description": "What the {server} is given", "output_key": "server"}


def shown(value: object) -> dict[str, object]:
    return {**OUTPUT, "output_value": value}


FORMS = {
    "the attribute": json.dumps(CONFIG),
    "pretty": json.dumps(CONFIG, indent=2),
    "-f json": json.dumps(shown(CONFIG), indent=2),
    "-f json of older clients": json.dumps(shown(json.dumps(CONFIG, indent=2))),
    "-f json -c output_value": json.dumps({"output_value": CONFIG}),
    "-f value": "\n".join([*OUTPUT.values(), str(CONFIG), ""]),
    "-f value -c output_value": f"{CONFIG}\n",
    "metadata": json.dumps({"deployments": [], "os-collect-config": CONFIG}),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_each_form_of_it_is_read(text: str) -> None:
    found = given.read(text)
    assert found == CONFIG
    assert given.check(found, TEMPLATE) == ["zaqar"]


UNREADABLE = {
    "nothing": (" \n", "nothing was given: what is wanted is the attribute os_collect_config"),
    "a message": ("Stack not found: x", "this is no JSON (Expecting value: line 1 column 1"),
    "cut": (json.dumps(CONFIG)[:-9], "this is no JSON"),
    "a table": ("+-----+\n| a | b |\n", "this is no JSON"),
    "a list": ("[1]", "this is no map but list"),
    "none yet": (json.dumps(shown(None)), "no value yet: wait until the server's resource"),
    "none, as Python says it": ("None\n", "no value yet"),
    "an empty one": (json.dumps(shown({})), "no value yet"),
    "an error": (
        json.dumps({**shown(None), "output_error": "The Referenced Attribute is wrong"}),
        "no such output: The Referenced Attribute is wrong",
    ),
}


@pytest.mark.parametrize(("text", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_said_with_what_helps(text: str, reason: str) -> None:
    with pytest.raises(InstallError) as raised:
        given.read(text)
    assert reason in str(raised.value)
    assert "hunter22" not in str(raised.value)


def with_zaqar(**changed: object) -> dict[str, Any]:
    return {**CONFIG, "zaqar": {**ZAQAR, **changed}}


NOT_WHOLE: dict[str, tuple[dict[str, Any], str]] = {
    "before it is complete": (
        {**CONFIG, "collectors": ["ec2", "local"]},
        "collectors = ['ec2', 'local'] names no place of Heat's metadata (cfn, heat, request, ",
    ),
    "no collectors": ({"zaqar": ZAQAR}, "collectors = None names no place"),
    "no section": ({"collectors": ["heat"]}, "no section heat, which collectors names"),
    "null": (with_zaqar(password=None), "zaqar has no usable password: get all of it again"),
    "two": (with_zaqar(password="", queue_id="a\nb"), "no usable password, queue_id"),
    "no scheme": (
        with_zaqar(auth_url="keystone.example/v3?x=hunter22"),
        "zaqar: auth_url = 'keystone.example/v3' is no address with its http://",
    ),
    "cfn": (
        {"collectors": "cfn", "cfn": {"path": "a.Metadata", "metadata_url": "http://h/"}},
        "cfn has no usable access_key_id, secret_access_key",
    ),
}


@pytest.mark.parametrize(("config", "reason"), NOT_WHOLE.values(), ids=NOT_WHOLE)
def test_what_is_not_whole_is_named(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(InstallError) as raised:
        given.check(config, TEMPLATE)
    assert reason in str(raised.value)
    assert "hunter22" not in str(raised.value)


WHOLE: dict[str, dict[str, Any]] = {
    "heat": {
        "heat": {
            **{name: ZAQAR[name] for name in ("auth_url", "user_id", "password", "project_id")},
            "stack_id": "s/1",
            "resource_name": "server",
        }
    },
    "request": {"request": {"metadata_url": "https://swift.example/v1/o?temp_url_sig=1"}},
    "zaqar": {"zaqar": {"queue_id": "q", "signed_address": "zaqar+https://zaqar.example/"}},
    "cfn": {"cfn": {"path": "s.Metadata", "access_key_id": "a", "secret_access_key": "b"}},
}


@pytest.mark.parametrize("name", WHOLE)
def test_each_transport_can_be_joined_with(name: str) -> None:
    config = {"collectors": [name, "local"], **WHOLE[name]}
    assert given.check(config, TEMPLATE) == [name]


def test_a_server_without_the_templates_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=r"heat-config install makes it"):
        given.Template.of(tmp_path / "os-collect-config.conf")
