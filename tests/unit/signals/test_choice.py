# SPDX-License-Identifier: Apache-2.0
"""How a transport is chosen, what an answer means, when a result is sent again. No network."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3.exceptions
from keystoneauth1 import exceptions

from heat_config import signals
from heat_config.cloud import http, inputs, keystone
from heat_config.cloud.errors import CloudError
from heat_config.delivery.outbox import Entry
from heat_config.result import Result
from heat_config.settings import Settings
from heat_config.signals import retry
from heat_config.signals.sender import Accepted

QUEUE = {"deploy_queue_id": "q"}
URL = {"deploy_signal_id": "http://127.0.0.1/", "deploy_signal_verb": "PUT"}
USER = {
    "deploy_auth_url": "http://127.0.0.1:1/v3/",
    "deploy_user_id": "user-id",
    "deploy_password": "hunter22",
    "deploy_project_id": "project-id",
}
RESULT = Result(0, "out")


class TestChoice:
    @pytest.mark.parametrize(
        ("values", "module"),
        [
            ({**QUEUE, **URL, **USER}, "zaqar"),
            ({**QUEUE, **USER}, "zaqar"),
            ({**URL, **USER}, "url"),
            (URL, "url"),
            (USER, "heat"),
            ({"deploy_signal_transport": "NO_SIGNAL", "foo": "bar"}, None),
            ({}, None),
        ],
    )
    def test_the_inputs_choose(self, values: dict[str, Any], module: str | None) -> None:
        assert signals.transport(values) == module

    @pytest.mark.parametrize(
        ("values", "loaded"),
        [({"deploy_queue_id": "q"}, ["heat_config.signals.zaqar"]), ({"deploy_name": "n"}, [])],
    )
    def test_what_will_send_a_result_is_imported_beside_the_run(
        self, values: dict[str, Any], loaded: list[str]
    ) -> None:
        code = (
            "import sys, threading\n"
            "from heat_config import settings, signals\n"
            f"signals.prepare({values}, settings.load({{}}))\n"
            "others = [each for each in threading.enumerate() if each.name == 'prepare']\n"
            "for each in others: each.join()\n"
            "print(*[name for name in sys.modules if name == 'heat_config.signals.zaqar'])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.split() == loaded, done.stderr

    @pytest.mark.parametrize(
        ("values", "logged_in"),
        [({**QUEUE, **USER}, ["user-id"]), (USER, ["user-id"]), ({**URL, **USER}, [])],
    )
    def test_who_sends_it_logs_in_beside_the_run(
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
        def start(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        signals.prepare({**QUEUE, **USER}, settings)

    def test_a_program_in_the_agents_place_needs_no_login(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started: list[object] = []
        monkeypatch.setattr(threading.Thread, "start", started.append)
        signals.prepare({**QUEUE, **USER}, settings._replace(notify="/bin/true"))
        assert started == []

    @pytest.mark.parametrize("unset", ["", None])
    def test_an_empty_input_chooses_nothing(self, unset: str | None) -> None:
        values = {"deploy_queue_id": unset, "deploy_signal_id": unset, **USER}
        assert signals.transport(values) == "heat"

    def test_the_address_is_what_heat_has_added(self) -> None:
        assert signals.address({**QUEUE, **USER, "foo": "bar", "deployed": 1}) == {**QUEUE, **USER}

    def test_who_does_not_wait_has_no_address(self) -> None:
        values = {"deploy_action": "CREATE", "deploy_stack_id": "s/1", "foo": "bar"}
        assert signals.address(values) == {}

    @pytest.mark.parametrize(
        ("values", "lacking"),
        [
            (QUEUE, "deploy_auth_url, deploy_user_id, deploy_password, deploy_project_id"),
            ({**QUEUE, **USER, "deploy_password": None}, "deploy_password"),
            (USER, "deploy_stack_id, deploy_resource_name"),
            ({**QUEUE, **USER, "deploy_queue_id": 7}, "deploy_queue_id"),
            ({"deploy_signal_id": ["http://127.0.0.1/"]}, "deploy_signal_id"),
        ],
    )
    def test_what_is_lacking_is_named(
        self, values: dict[str, Any], lacking: str, settings: Settings
    ) -> None:
        entry = Entry("c1", values, RESULT.as_dict(), since=0.0)
        with pytest.raises(CloudError, match=f"no usable input {lacking}$") as raised:
            signals.sender_for(entry, settings, Path("/c1.json")).send(RESULT)
        assert raised.value.hopeless
        assert not raised.value.retry

    def test_require_gives_the_values_in_the_order_of_the_names(self) -> None:
        assert inputs.require({"a": "1", "b": "2", "c": 3}, "b", "a") == ["2", "1"]


# Seconds before the second try.
FIRST_WAIT = 0.5


def send(transport: Transport, result: Result, *, refused_before: bool = False) -> str:
    return retry.until_accepted(
        transport, result, "/log/c1.log", FIRST_WAIT, refused_before=refused_before
    ).target


class Transport:
    """Answers each try with the next of these: an error, or where the result went."""

    doubt = False
    heat_doubt = False

    def __init__(self, *answers: str | CloudError, limit: int = 10_000) -> None:
        self._answers = list(answers)
        self.limit = limit
        self.sent: list[Result] = []

    def send(self, result: Result) -> Accepted:
        self.sent.append(result)
        answer = self._answers.pop(0)
        if isinstance(answer, str):
            return Accepted(answer)
        raise answer

    def clean(self) -> None:
        raise AssertionError

    @property
    def tries(self) -> int:
        return len(self.sent)


class TestRetry:
    @pytest.fixture(autouse=True)
    def waits(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        waits: list[float] = []
        monkeypatch.setattr("time.sleep", waits.append)
        return waits

    def test_a_success_is_not_repeated(self, waits: list[float]) -> None:
        transport = Transport("there")
        assert send(transport, RESULT) == "there"
        assert transport.tries == 1
        assert waits == []

    def test_what_passes_is_tried_again(self) -> None:
        transport = Transport(CloudError("busy", retry=True), "there")
        assert send(transport, RESULT) == "there"

    def test_what_does_not_pass_is_not(self) -> None:
        transport = Transport(CloudError("busy", retry=True), CloudError("refused"), "there")
        with pytest.raises(CloudError, match="refused"):
            send(transport, RESULT)
        assert transport.tries == 2

    def test_each_wait_is_about_twice_the_last_and_there_is_an_end(
        self, waits: list[float], capsys: pytest.CaptureFixture[str]
    ) -> None:
        transport = Transport(*[CloudError("busy", retry=True)] * retry.TRIES)
        with pytest.raises(CloudError, match="busy"):
            send(transport, RESULT)
        assert transport.tries == retry.TRIES
        assert len(waits) == retry.TRIES - 1
        for number, wait in enumerate(waits):
            assert 0.5 <= wait / (FIRST_WAIT * 2**number) <= 1.5
        assert capsys.readouterr().err.count("busy; trying again in") == len(waits)

    def test_what_is_too_large_is_sent_smaller_at_once(self, waits: list[float]) -> None:
        large = Result(0, "x" * 20_000, "", {"a": "kept"})
        too_large = CloudError("too large", too_large=True, bad_content=True)
        transport = Transport(too_large, too_large, "there", limit=16_000)
        assert send(transport, large) == "there"
        sizes = [len(sent.as_json()) for sent in transport.sent]
        assert sizes[0] > 2 * sizes[2] > 3_000
        assert transport.sent[2].outputs == {"a": "kept"}
        assert waits == []

    def test_what_is_refused_for_its_content_is_replaced_by_a_failure_that_says_so(self) -> None:
        refused = CloudError("q answered 400: integer too large", bad_content=True)
        transport = Transport(refused, "there")
        result = Result(0, outputs={"n": 2**64})
        assert send(transport, result, refused_before=True) == "there"
        assert transport.sent[1].status_code == 1
        assert "integer too large" in transport.sent[1].stderr
        assert transport.sent[1].outputs == {}

    def test_a_failure_that_is_refused_too_is_not_replaced_again(self) -> None:
        refused = CloudError("400", bad_content=True)
        with pytest.raises(CloudError):
            send(Transport(refused, refused, "never"), RESULT, refused_before=True)

    def test_one_refusal_alone_makes_no_failure_of_a_good_run(self) -> None:
        with pytest.raises(CloudError):
            send(Transport(CloudError("400", bad_content=True), "never"), RESULT)


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "again", "uncertain"),
        [
            (301, False, False),
            (400, False, False),
            (401, False, False),
            (403, False, False),
            (404, False, False),
            (408, True, False),
            (409, False, False),
            (413, False, False),
            (429, True, False),
            (500, True, True),
            (502, True, True),
            (503, True, True),
            (504, True, True),
        ],
    )
    def test_what_it_means(self, status: int, again: bool, uncertain: bool) -> None:
        error = http.from_status(status, "http://h/", "Why")
        assert (error.retry, error.uncertain) == (again, uncertain)
        assert str(error) == f"http://h/ answered {status}: Why"

    def test_without_a_reason(self) -> None:
        assert str(http.from_status(404, "http://h/")) == "http://h/ answered 404"

    def test_a_reason_is_one_line_of_sensible_length(self) -> None:
        said = http.brief("<html>\n  <p>" + "x" * 10_000)
        assert said.startswith("<html> <p>xxx")
        assert len(said) <= http.LONGEST_REASON + 1


class TestVerify:
    def test_it_can_be_turned_off(self, settings: Settings) -> None:
        assert http.verify(settings._replace(insecure=True, ca_file="/ca.pem")) is False

    def test_the_systems_store_is_the_default(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent"))
        bundle = tmp_path / "bundle.crt"
        monkeypatch.setattr(http, "BUNDLES", (str(tmp_path / "absent"), str(bundle)))
        assert http.verify(settings) is True
        bundle.touch()
        assert http.verify(settings) == str(bundle)


class TestUntrusted:
    def error(self, cause: ssl.SSLError) -> exceptions.SSLError:
        """As keystoneauth wraps what requests wraps what urllib3 wraps."""
        below = urllib3.exceptions.SSLError(cause)
        pool: Any = None
        retries = urllib3.exceptions.MaxRetryError(pool, "/x?Signature=0123456789abcdef", below)
        error = exceptions.SSLError(f"SSL exception: {retries}")
        error.__context__ = requests.exceptions.SSLError(retries)
        return error

    def test_openssls_reason_and_the_remedy_are_told_and_the_address_is_not(self) -> None:
        cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
        cause.verify_message = "self-signed certificate"
        error = http.untrusted("https://h/", self.error(cause))
        assert "https://h/ does not verify: self-signed certificate. " in str(error)
        assert "HEAT_CONFIG_CA_FILE" in str(error)
        assert "Signature" not in str(error)
        assert error.retry

    def test_another_fault_of_tls_is_not_put_on_the_certificate(self) -> None:
        cause = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
        cause.reason = "WRONG_VERSION_NUMBER"
        error = http.untrusted("https://h/", self.error(cause))
        assert str(error) == "TLS with https://h/ failed (WRONG_VERSION_NUMBER)"

    def test_without_openssls_word_the_kind_is_told(self) -> None:
        error = http.untrusted("https://h/", requests.exceptions.SSLError("h/x?Signature=0123"))
        assert str(error) == "TLS with https://h/ failed (SSLError)"


class TestKeystone:
    @pytest.mark.parametrize("sent", [True, False])
    @pytest.mark.parametrize(
        ("error", "said", "again"),
        [
            (exceptions.Unauthorized("no"), "answered 401: no", False),
            (exceptions.ServiceUnavailable("busy"), "answered 503: busy", True),
            (exceptions.ConnectFailure("to http://h/?secret"), "(ConnectFailure)", True),
            (exceptions.ConnectTimeout("to http://h/?secret"), "(ConnectTimeout)", True),
            (exceptions.SSLError("to http://h/?secret"), "TLS with X failed", True),
        ],
    )
    def test_its_errors_tell_no_address(
        self, error: Exception, said: str, again: bool, sent: bool
    ) -> None:
        translated = keystone._translated(error, "X", sent=sent)
        assert said in str(translated)
        assert "secret" not in str(translated)
        assert translated.retry == again
        certain = isinstance(error, exceptions.Unauthorized | exceptions.SSLError)
        assert translated.uncertain == (sent and not certain)

    def test_the_same_credentials_are_the_same_user_with_one_token(
        self, settings: Settings
    ) -> None:
        user = keystone.user_of({**QUEUE, **USER}, settings)
        assert keystone.user_of({**USER, "deploy_queue_id": "another"}, settings) is user

    @pytest.mark.parametrize("name", [*USER, "deploy_region_name"])
    def test_other_credentials_are_another_user(self, name: str, settings: Settings) -> None:
        user = keystone.user_of(USER, settings)
        assert keystone.user_of({**USER, name: "another"}, settings) is not user

    @pytest.fixture
    def user(self, settings: Settings) -> keystone.User:
        return keystone.User({**USER, "deploy_region_name": "Here"}, settings)

    @pytest.mark.parametrize("fault", [None, exceptions.EndpointNotFound, exceptions.EmptyCatalog])
    def test_a_catalog_without_the_service(
        self,
        user: keystone.User,
        fault: type[Exception] | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def get_endpoint(**_: object) -> None:
            if fault:
                raise fault("")

        monkeypatch.setattr(user._session, "get_endpoint", get_endpoint)
        with pytest.raises(CloudError, match=r"no public endpoint of type 'x' in region Here"):
            user.endpoint("x")

    def test_the_region_and_the_public_interface_are_asked_for(
        self, user: keystone.User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: dict[str, object] = {}
        monkeypatch.setattr(
            user._session, "get_endpoint", lambda **given: asked.update(given) or "http://h"
        )
        assert user.endpoint("messaging") == "http://h"
        assert asked == {
            "service_type": "messaging",
            "interface": "public",
            "region_name": "Here",
        }

    @pytest.mark.parametrize("fault", [KeyError("x-subject-token"), TypeError("None")])
    def test_what_is_no_keystone_is_named(
        self, user: keystone.User, fault: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def get_token() -> str:
            raise fault

        monkeypatch.setattr(user._session, "get_token", get_token)
        with pytest.raises(CloudError, match=r"^Keystone at http://127.0.0.1:1/v3/ gave") as raised:
            user.request("http://h", "GET")
        assert raised.value.retry
        assert not raised.value.uncertain

    def test_every_request_has_an_end(self, user: keystone.User) -> None:
        assert user._session.timeout == http.TIMEOUT
