# SPDX-License-Identifier: Apache-2.0
"""How a transport is chosen, and what is done before there is a result. No network."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from heat_config import signals
from heat_config.cloud import keystone
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.settings import Settings
from heat_config.signals import Transport, heat, program, url, zaqar

QUEUE = {"deploy_queue_id": "q"}
URL = {"deploy_signal_id": "http://127.0.0.1/", "deploy_signal_verb": "PUT"}
USER = {
    "deploy_auth_url": "http://127.0.0.1:1/v3/",
    "deploy_user_id": "user-id",
    "deploy_password": "hunter22",
    "deploy_project_id": "project-id",
}
RESOURCE = {"deploy_stack_id": "s/1", "deploy_resource_name": "r"}
HEAVY = ("requests", "keystoneauth1", "zaqarclient")


def loaded_after(statements: str) -> list[str]:
    """Which heavy libraries a process has imported after these, all its threads ended."""
    code = (
        "import sys, threading\n"
        "from heat_config import settings, signals\n"
        f"{statements}\n"
        "for each in threading.enumerate():\n"
        "    if each.name == 'prepare': each.join()\n"
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class TestChoice:
    @pytest.mark.parametrize(
        ("values", "chosen"),
        [
            ({**QUEUE, **URL, **USER}, Transport.QUEUE),
            ({**QUEUE, **USER}, Transport.QUEUE),
            ({**URL, **USER}, Transport.URL),
            (URL, Transport.URL),
            (USER, Transport.HEAT),
            ({"deploy_signal_transport": "NO_SIGNAL", "foo": "bar"}, None),
            ({}, None),
        ],
    )
    def test_the_inputs_choose(self, values: dict[str, Any], chosen: Transport | None) -> None:
        assert signals.transport(values) is chosen

    @pytest.mark.parametrize("unset", ["", None])
    def test_an_empty_input_chooses_nothing(self, unset: str | None) -> None:
        values = {"deploy_queue_id": unset, "deploy_signal_id": unset, **USER}
        assert signals.transport(values) is Transport.HEAT

    def test_the_address_is_what_heat_has_added(self) -> None:
        others = {"foo": "bar", "deployed": 1, "deploy_progress_id": "of another queue"}
        assert signals.address({**QUEUE, **USER, **others}) == {**QUEUE, **USER}

    def test_who_does_not_wait_has_no_address(self) -> None:
        values = {"deploy_action": "CREATE", "deploy_stack_id": "s/1", "foo": "bar"}
        assert signals.address(values) == {}


class TestSender:
    @pytest.mark.parametrize(
        ("address", "kind"),
        [
            ({**QUEUE, **USER}, zaqar.Queue),
            ({**URL, **USER}, url.SignedUrl),
            ({**USER, **RESOURCE}, heat.Resource),
        ],
    )
    def test_each_transport_has_its_own(
        self, address: dict[str, Any], kind: type[object], settings: Settings
    ) -> None:
        made = signals.sender_of(address, "c1", settings, Path("/c1.json"))
        assert type(made) is kind
        assert made.limit > 0

    @pytest.mark.parametrize("address", [{**QUEUE, **USER}, URL, USER])
    def test_a_program_takes_the_place_of_each(
        self, address: dict[str, Any], settings: Settings
    ) -> None:
        given = settings._replace(notify="/bin/true")
        assert type(signals.sender_of(address, "c1", given, Path("/c1.json"))) is program.Program

    def test_heat_is_the_fallback_of_a_queue(self, settings: Settings) -> None:
        made = signals.heat_of({**QUEUE, **USER, **RESOURCE}, settings)
        assert type(made) is heat.Resource

    @pytest.mark.parametrize(
        ("address", "lacking"),
        [
            (QUEUE, "deploy_auth_url, deploy_user_id, deploy_password, deploy_project_id"),
            ({**QUEUE, **USER, "deploy_password": None}, "deploy_password"),
            (USER, "deploy_stack_id, deploy_resource_name"),
            ({**QUEUE, **USER, "deploy_queue_id": 7}, "deploy_queue_id"),
            ({"deploy_signal_id": ["http://127.0.0.1/"]}, "deploy_signal_id"),
        ],
    )
    def test_what_is_lacking_is_named(
        self, address: dict[str, Any], lacking: str, settings: Settings
    ) -> None:
        with pytest.raises(CloudError, match=f"no usable input {lacking}$") as raised:
            signals.sender_of(address, "c1", settings, Path("/c1.json"))
        assert raised.value.outcome is Outcome.UNUSABLE

    def test_a_resource_that_is_lacking_is_named(self, settings: Settings) -> None:
        with pytest.raises(CloudError, match=r"deploy_stack_id, deploy_resource_name$"):
            signals.heat_of({**QUEUE, **USER}, settings)

    @pytest.mark.parametrize("address", [{**QUEUE, **USER}, URL, {**USER, **RESOURCE}])
    def test_certificates_that_cannot_be_read_are_no_fault_of_the_address(
        self, address: dict[str, Any], settings: Settings
    ) -> None:
        with pytest.raises(CloudError, match="/nonexistent") as raised:
            given = settings._replace(ca_file="/nonexistent")
            signals.sender_of(address, "c1", given, Path("/c1.json"))
        assert raised.value.outcome is Outcome.WRONG_HERE


class TestPrepare:
    @pytest.mark.parametrize(
        ("values", "loaded"),
        [
            (QUEUE, ["requests", "keystoneauth1", "zaqarclient"]),
            (URL, ["requests"]),
            ({"deploy_auth_url": ""}, []),
            ({"deploy_name": "n"}, []),
        ],
    )
    def test_what_will_send_a_result_is_imported_and_nothing_else(
        self, values: dict[str, Any], loaded: list[str]
    ) -> None:
        assert loaded_after(f"signals.prepare({values}, settings.load({{}}))") == loaded

    @pytest.mark.parametrize(
        ("values", "logged_in"),
        [({**QUEUE, **USER}, ["user-id"]), (USER, ["user-id"]), ({**URL, **USER}, [])],
    )
    def test_who_sends_it_logs_in(
        self,
        values: dict[str, Any],
        logged_in: list[str],
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        found: list[str] = []
        monkeypatch.setattr(
            keystone.User, "token", lambda user: found.append(user._auth.auth_methods[0].user_id)
        )
        signals.prepare(values, settings)
        for each in threading.enumerate():
            if each.name == "prepare":
                each.join()
        assert found == logged_in

    def test_a_server_without_room_for_a_thread_runs_the_config_all_the_same(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []

        def start(thread: threading.Thread) -> None:
            tried.append(thread.name)
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        signals.prepare({**QUEUE, **USER}, settings)
        assert tried == ["prepare"]

    def test_a_program_in_the_agents_place_needs_no_login(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started: list[object] = []
        monkeypatch.setattr(threading.Thread, "start", started.append)
        signals.prepare({**QUEUE, **USER}, settings._replace(notify="/bin/true"))
        assert started == []
