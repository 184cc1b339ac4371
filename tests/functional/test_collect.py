# SPDX-License-Identifier: Apache-2.0
"""The Zaqar collector against the real Keystone and Zaqar, and over a wire that breaks."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from lab.catalog import administrator
from lab.stack import wait_for
from lab.wire import FORWARD, LOSE_ANSWER, RESET, STALL, Wire, answer
from tests.support.authority import Authority
from tests.support.collecting import Collecting, body, has_applied, said
from tests.support.wires import address

Running = Callable[..., "subprocess.Popen[str]"]


def test_the_newest_is_applied_and_the_queue_is_empty(collecting: Collecting) -> None:
    collecting.post(*(body(number) for number in range(15)))
    collecting.post(*(body(number) for number in range(15, 30)), "rubbish")
    collecting.once()
    assert collecting.applied() == [29]
    assert collecting.waiting() == []
    assert len(list((collecting.root / "cache/zaqar.d/rejected").iterdir())) == 1
    collecting.once()
    assert collecting.applied() == [29]
    collecting.once("--force")
    assert collecting.applied() == [29, 29]


def test_print_consumes_nothing(collecting: Collecting) -> None:
    collecting.post(body(1), body(2))
    printed = json.loads(collecting.once("--print"))
    assert printed == {"zaqar": body(2)}
    assert len(collecting.waiting()) == 2
    assert not (collecting.root / "cache").exists()


def test_a_failed_command_is_run_again_with_the_same_data(collecting: Collecting) -> None:
    collecting.post(body(1))
    works = collecting.command
    collecting.command = "exit 3"
    collecting.once()
    assert collecting.status == 3
    assert collecting.waiting() == []
    collecting.command = works
    collecting.once()
    assert collecting.applied() == [1]


def test_another_sources_change_keeps_the_metadata(collecting: Collecting) -> None:
    collecting.post(body(1))
    collecting.once(collectors="zaqar local")
    (collecting.root / "local-data/extra").write_text('{"wörd": 1}')
    collecting.once(collectors="zaqar local")
    assert collecting.applied() == [1, 1]
    files = json.loads((collecting.root / "cache/os_config_files.json").read_text())
    assert [Path(path).name for path in files] == ["zaqar.json", "extra.json"]


@pytest.mark.parametrize("fault", [RESET, LOSE_ANSWER, answer(503), answer(502, b"<html>")])
def test_a_deletion_that_fails_is_made_up_for(wired: Collecting, wire: Wire, fault: Any) -> None:
    wired.post(body(1), body(2))
    wire.plan([answer(503)])
    wired.once()
    assert wired.applied() == []
    # What is there is listed, with and without what is claimed, up to an end; then comes
    # the deletion.
    wire.plan([FORWARD, FORWARD, FORWARD, fault])
    wired.once()
    assert wired.applied() == [2]
    (deletion,) = wire.requests("DELETE")
    assert deletion.answered == fault.status
    wired.once()
    assert wired.applied() == [2]
    assert wired.waiting() == []


def test_what_another_program_has_claimed_never_comes_back(collecting: Collecting) -> None:
    collecting.post(body(1))
    claim = collecting.queue_request("POST", "/claims", json={"ttl": 60, "grace": 60})
    collecting.post(body(2))
    collecting.once()
    assert collecting.applied() == [2]
    # What it had claimed is back on the queue now, if it is anywhere.
    (message,) = claim["messages"]
    claimed = message["href"].partition("claim_id=")[2]
    collecting.queue_request("DELETE", f"/claims/{claimed}")
    collecting.once()
    assert collecting.applied() == [2]
    assert collecting.waiting() == []


def test_a_queue_that_is_deleted_and_made_again_goes_on(
    collecting: Collecting, running: Running
) -> None:
    running()
    for number in (1, 2, 3):
        collecting.post(body(number))
        wait_for("the change", partial(has_applied, collecting, number))
        collecting.queue_request("DELETE")
    assert collecting.applied() == [1, 2, 3]
    assert said(collecting, "trying again") == 0


def test_the_metadata_of_another_servers_image_is_left_out(collecting: Collecting) -> None:
    collecting.post(body(1))
    collecting.once()
    collecting.queue = collecting.values["queue_id"] = f"collect-{uuid.uuid4().hex[:12]}"
    assert json.loads(collecting.once("--print")) == {}
    collecting.post(body(2))
    collecting.once()
    assert collecting.applied() == [1, 2]


def test_credentials_and_queue_that_the_metadata_itself_changes(
    lab: Lab, collecting: Collecting, running: Running
) -> None:
    keystone = administrator(lab)
    before = dict(collecting.values)
    password = uuid.uuid4().hex
    project = before["project_id"]
    user = keystone.create("user", name=password[:8], password=password, domain_id="default")
    role = keystone.find("role", "member")
    keystone.call("PUT", f"/projects/{project}/users/{user}/roles/{role}")
    after = {"user_id": user, "password": password, "queue_id": f"collect-{password[:12]}"}
    collecting.values |= after
    (collecting.root / "new.conf").write_text(collecting.configure().read_text())
    collecting.values = before
    collecting.command += f" && cp {collecting.root}/new.conf {collecting.root}/collect.conf"
    told = {"os-collect-config": {"collectors": ["zaqar"], "zaqar": {**before, **after}}}
    collecting.post({**body(1), **told})
    running()
    wait_for("the new start", lambda: said(collecting, "starting anew") == 1)
    collecting.queue = after["queue_id"]
    collecting.post(body(2))
    wait_for("the change", partial(has_applied, collecting, 2))
    # What was applied before the change has not dropped out, nor come a second time.
    assert collecting.applied() == [1, 2]
    assert said(collecting, "Unavailable") == 0
    log = collecting.log.read_text()
    assert [secret for secret in (password, before["password"]) if secret in log] == []


def test_keystone_that_is_away_is_told_once_and_so_is_its_end(
    collecting: Collecting, running: Running
) -> None:
    collecting.post(body(1))
    with Wire(address(collecting.values["auth_url"])) as keystone:
        collecting.values["auth_url"] = f"{keystone.url}/v3/"
        keystone.close_port()
        running(collectors="zaqar local")
        wait_for("the complaint", lambda: said(collecting, "Keystone"))
        (collecting.root / "local-data/extra").write_text('{"n": 0}')
        cache = collecting.root / "cache/extra.json"
        wait_for("the other source", cache.exists)
        keystone.open_port()
        wait_for("the change", partial(has_applied, collecting, 1))
    assert said(collecting, "trying again") == 1
    assert said(collecting, "answers again") == 1
    assert "Traceback" not in collecting.log.read_text()


def test_a_service_that_hangs_is_given_up_after_a_while(
    wired: Collecting, wire: Wire, running: Running
) -> None:
    wired.tune("from heat_config.cloud import http; http.TIMEOUT = 4")
    wired.post(body(1))
    wire.plan([STALL])
    running()
    wait_for("the change", partial(has_applied, wired, 1))
    assert said(wired, "does not answer (") == 1
    assert said(wired, "answers again") == 1


class TestCertificates:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path)

    def test_an_authority_that_nobody_knows_is_refused_and_told_once(
        self, collecting: Collecting, running: Running, authority: Authority
    ) -> None:
        collecting.post(body(1))
        tls = authority.certified("127.0.0.1")
        with Wire(address(collecting.values["auth_url"]), tls=tls) as keystone:
            collecting.values["auth_url"] = f"{keystone.url}/v3/"
            running()
            wait_for("several tries", lambda: keystone.connections >= 3)
            assert said(collecting, "does not verify: ") == 1
            assert said(collecting, "ca_file in the section zaqar") == 1
            assert keystone.history == []
            assert collecting.applied() == []
            assert "Traceback" not in collecting.log.read_text()

    @pytest.mark.parametrize("option", ["ca_file", "ssl_certificate_validation"])
    def test_the_section_says_whom_to_trust(
        self, collecting: Collecting, authority: Authority, option: str
    ) -> None:
        collecting.post(body(1))
        tls = authority.certified("127.0.0.1" if option == "ca_file" else "elsewhere.example")
        trust = {"ca_file": authority.file, "ssl_certificate_validation": False}
        with Wire(address(collecting.values["auth_url"]), tls=tls) as keystone:
            collecting.values |= {"auth_url": f"{keystone.url}/v3/", option: trust[option]}
            collecting.once()
        assert collecting.applied() == [1]

    def test_a_file_without_certificates_is_told_once(
        self, collecting: Collecting, running: Running
    ) -> None:
        collecting.values["ca_file"] = "/nonexistent/ca.pem"
        running(collectors="zaqar local")
        wait_for("the complaint", lambda: said(collecting, "/nonexistent/ca.pem"))
        (collecting.root / "local-data/extra").write_text('{"n": 0}')
        wait_for("the other source", (collecting.root / "cache/extra.json").exists)
        assert said(collecting, "/nonexistent/ca.pem") == 1
