# SPDX-License-Identifier: Apache-2.0
"""What an answer means, and what the lack of one does."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import requests
import urllib3.exceptions
from keystoneauth1 import exceptions

from heat_config.cloud import http
from heat_config.cloud.errors import Outcome


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (301, Outcome.UNREACHABLE),
            (302, Outcome.UNREACHABLE),
            (400, Outcome.CONTENT_REFUSED),
            (401, Outcome.REFUSED),
            (403, Outcome.REFUSED),
            (404, Outcome.REFUSED),
            (408, Outcome.UNREACHABLE),
            (409, Outcome.REFUSED),
            (413, Outcome.TOO_LARGE),
            (422, Outcome.CONTENT_REFUSED),
            (429, Outcome.UNREACHABLE),
            (500, Outcome.UNKNOWN),
            (502, Outcome.UNKNOWN),
            (503, Outcome.UNKNOWN),
            (504, Outcome.UNKNOWN),
        ],
    )
    def test_what_it_means(self, status: int, outcome: Outcome) -> None:
        error = http.from_status(status, "http://h/", "Why")
        assert error.outcome is outcome
        assert str(error) == f"http://h/ answered {status}: Why"

    @pytest.mark.parametrize(
        "reason",
        [
            "Message collection size is too large. Max size 262144",
            "JSON body size (2000000 bytes) exceeds maximum allowed size (1048576 bytes).",
        ],
    )
    def test_a_400_that_is_a_413(self, reason: str) -> None:
        assert http.from_status(400, "q", reason).outcome is Outcome.TOO_LARGE

    def test_without_a_reason(self) -> None:
        assert str(http.from_status(404, "http://h/")) == "http://h/ answered 404"

    def test_a_reason_is_one_line_of_sensible_length(self) -> None:
        said = http.brief("<html>\n  <p>" + "x" * 10_000)
        assert said.startswith("<html> <p>xxx")
        assert len(said) <= http.LONGEST_REASON + 1


class TestSilence:
    @pytest.mark.parametrize(
        ("below", "outcome"),
        [
            (urllib3.exceptions.NewConnectionError, Outcome.UNREACHABLE),
            (urllib3.exceptions.ConnectTimeoutError, Outcome.UNREACHABLE),
            (urllib3.exceptions.ReadTimeoutError, Outcome.UNKNOWN),
            (urllib3.exceptions.ProtocolError, Outcome.UNKNOWN),
        ],
    )
    def test_only_without_a_connection_it_is_certain_that_nothing_was_sent(
        self, below: Any, outcome: Outcome
    ) -> None:
        pool: Any = None
        reads = below is urllib3.exceptions.ReadTimeoutError
        cause = below(pool, "/x?secret", "why") if reads else below(pool, "why")
        retries = urllib3.exceptions.MaxRetryError(pool, "/x?secret", cause)
        error = http.from_silence("http://h/", requests.exceptions.ConnectionError(retries))
        assert error.outcome is outcome
        assert str(error) == "http://h/ does not answer (ConnectionError)"


def test_after_a_strangers_answer_nothing_is_known() -> None:
    error = http.from_stranger("http://h/")
    assert error.outcome is Outcome.UNKNOWN
    assert "is something else there" in str(error)


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
        assert error.outcome is Outcome.UNREACHABLE

    @pytest.mark.parametrize(
        "reason", ["WRONG_VERSION_NUMBER", "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"]
    )
    def test_another_fault_of_tls_may_come_after_the_request(self, reason: str) -> None:
        cause = ssl.SSLError(1, f"[SSL: {reason}] no more is told")
        cause.reason = reason
        error = http.untrusted("https://h/", self.error(cause))
        assert str(error) == f"TLS with https://h/ failed ({reason})"
        assert error.outcome is Outcome.UNKNOWN

    def test_without_openssls_word_the_kind_is_told(self) -> None:
        error = http.untrusted("https://h/", requests.exceptions.SSLError("h/x?Signature=0123"))
        assert str(error) == "TLS with https://h/ failed (SSLError)"
        assert error.outcome is Outcome.UNKNOWN
