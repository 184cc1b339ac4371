# SPDX-License-Identifier: Apache-2.0
"""What the check takes for right, and that it goes on after what is missing."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace as Of
from typing import Any

import pytest
from heatclient.exc import CommandError
from keystoneauth1 import exceptions

from heat_config.cloud.errors import CloudError, Outcome
from heat_operator import check, findings, looks
from heat_plugin.judging import Finding

HTTPS = {"orchestration": "https://heat", "messaging": "https://zaqar"}


def signal(*allowed: str, **more: Any) -> dict[str, Any]:
    of = {"constraints": [{"allowed_values": list(allowed)}], **more}
    return {"properties": {"signal_transport": of}}


@pytest.mark.parametrize(
    "finding",
    [
        findings.identity("demo", "demo", ["member"]),
        findings.catalog(None, HTTPS, "https://keystone"),
        findings.catalog("B", {**HTTPS, "messaging-websocket": "wss://zaqar"}, "https://keystone"),
        findings.catalog("B", {"messaging": "http://zaqar"}, "http://keystone"),
        findings.clocks({"Keystone": -2.5, "messaging": 2.5}),
        findings.clocks({}),
        findings.plugin([], {}),
        findings.plugin([findings.OURS], signal("AUTO", "ZAQAR_MESSAGE", default="AUTO")),
        findings.limits({"_max_messages_post_size": 65_536, "_default_message_ttl": 3600}),
        findings.limits({}),
    ],
)
def test_what_fits(finding: Finding) -> None:
    assert finding.ok, finding


@pytest.mark.parametrize(
    ("finding", "said", "remedy"),
    [
        (findings.identity("demo", None, []), "no project", "OS_PROJECT_NAME"),
        (findings.catalog("B", {"messaging": None}, ""), "region B", "--region B messaging public"),
        (findings.catalog(None, {"messaging": None}, ""), "any region", "create messaging public"),
        (
            findings.catalog(None, {**HTTPS, "messaging": "http://zaqar"}, "https://keystone"),
            *("messaging is at http://zaqar", "certificate"),
        ),
        (
            findings.clocks({"Keystone": -9.0, "messaging": 1}),
            "messaging is 10 s ahead of",
            "hrony",
        ),
        (findings.clocks({"Keystone": 61}), "Keystone is 61 s ahead of that of this", "chrony"),
        (findings.limits({"_max_messages_post_size": 65_535}), "65535 bytes", "raise max_messages"),
    ],
)
def test_what_does_not_fit_has_a_remedy(finding: Finding, said: str, remedy: str) -> None:
    assert said in finding.said
    assert remedy in finding.remedy


def test_who_uses_the_plug_in_is_said() -> None:
    for_all = findings.plugin([findings.OURS], signal("ZAQAR_MESSAGE", default="AUTO"))
    asked = findings.plugin([findings.OURS], signal("CFN_SIGNAL", default="CFN_SIGNAL"))
    assert for_all.said == "all stacks use it; one that names no signal_transport has AUTO"
    assert "-e heat-config.yaml" in asked.said


def manager() -> Any:
    """A cloud that serves nothing but what a test puts there."""
    session = Of(auth=Of(auth_url="http://keystone"), get_endpoint=lambda **_of: None)
    return Of(session=session, region_name=None, interface=None, verify=True)


def run(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, str]]]:
    app: Any = Of(client_manager=manager(), stdout=sys.stdout)
    made = check.Check(app, None)
    parsed = made.get_parser("check").parse_args(["-f", "json"])
    return made.run(parsed), json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "error",
    [
        CloudError("no\x1b answer", Outcome.UNREACHABLE),
        *(exceptions.ConnectFailure("no answer"), CommandError("no answer"), OSError("x")),
    ],
)
def test_a_look_that_fails_is_a_line_and_the_others_follow(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: looks.Cloud) -> Finding:
        raise error

    well = looks.Look("one", lambda _: Finding("one", "there"), "start it")
    two = looks.Look("two", fails, "start two")
    above = looks.Look("above", fails, "", "two")
    monkeypatch.setattr(looks, "LOOKS", (well, two, above, well))
    status, rows = run(capsys)
    assert status == 1
    assert [row["state"] for row in rows] == ["ok", "MISSING", "ok"]
    assert rows[1]["remedy"] == "start two"
    assert "\x1b" not in rows[1]["found"]


def test_all_well_is_zero(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(looks, "LOOKS", (looks.Look("one", lambda _: Finding("one", "there"), ""),))
    assert run(capsys)[0] == 0


def test_who_cannot_sign_in_sees_that_alone() -> None:
    cloud = manager()

    def refuses(_: Any) -> None:
        raise exceptions.Unauthorized("wrong password")

    cloud.session.auth.get_access = refuses
    (finding,) = looks.all_looks(cloud)
    assert (finding.what, finding.ok) == ("Keystone", False)
    assert "wrong password" in finding.said
