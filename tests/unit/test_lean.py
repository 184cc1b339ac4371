# SPDX-License-Identifier: Apache-2.0
"""What a server's programs do not import, and that it is there when it is wanted."""

from __future__ import annotations

import subprocess
import sys

import pytest

from heat_config import lean

SELDOM = set(lean.SELDOM)
COLLECTS = """
import sys
import heat_config.collect.program
"""
ANSWERS = """
import sys
from heat_config import signals
signals._module(signals.Transport.QUEUE)
"""


def said(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("program", [COLLECTS, ANSWERS])
def test_what_is_seldom_used_is_not_imported_and_leaves_nothing_behind(program: str) -> None:
    assert said(f"{program}\nprint(sorted({SELDOM} & set(sys.modules)))") == "[]"


@pytest.mark.parametrize(
    ("use", "result"),
    [
        (
            "import requests; answer = requests.Response(); answer._content = 'é ü'.encode(); "
            "print(answer.apparent_encoding)",
            "utf-8",
        ),
        (
            "from zaqarclient.queues.v2.api import V2; api = V2(); "
            "print(api.validate('queue_create', {}))",
            "False",
        ),
        ("from oslo_config import types; print(types.IPAddress()('::1'))", "::1"),
        ("from oslo_config import types; print(types.URI()('http://h/p'))", "http://h/p"),
        ("import typing_extensions; print(typing_extensions.Self is not None)", "True"),
        ("import wsgiref.simple_server as s; print(s.WSGIRequestHandler is not object)", "True"),
        ("import jsonschema; print(jsonschema.validate(1, {}))", "None"),
    ],
)
def test_what_is_used_after_all_is_the_real_one(use: str, result: str) -> None:
    assert said(f"{COLLECTS}\n{use}") == result


def test_what_was_imported_before_stays() -> None:
    program = """
import netaddr, sys
from heat_config import lean
with lean.imports():
    import netaddr as again
"""
    assert said(f"{program}\nprint(again is netaddr is sys.modules['netaddr'])") == "True"
