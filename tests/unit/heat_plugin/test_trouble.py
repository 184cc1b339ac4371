# SPDX-License-Identifier: Apache-2.0
"""What is waited out."""

from __future__ import annotations

import pytest
from keystoneauth1 import exceptions

from heat_config.cloud.errors import CloudError, Outcome
from heat_plugin import trouble


@pytest.mark.parametrize(
    ("outcome", "soon", "later"),
    [
        (Outcome.UNREACHABLE, True, True),
        (Outcome.UNKNOWN, True, True),
        (Outcome.REFUSED, True, False),
        (Outcome.CONTENT_REFUSED, False, False),
        (Outcome.TOO_LARGE, False, False),
        (Outcome.UNUSABLE, False, False),
    ],
)
def test_for_how_long(outcome: Outcome, soon: bool, later: bool) -> None:
    assert trouble.is_waited_out(outcome, 0) is soon
    assert trouble.is_waited_out(outcome, 3000) is later


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (exceptions.ConnectFailure("http://secret"), Outcome.UNKNOWN),
        (exceptions.ServiceUnavailable(), Outcome.UNKNOWN),
        (exceptions.Unauthorized(), Outcome.REFUSED),
        (exceptions.BadRequest(), Outcome.REFUSED),
        (exceptions.EndpointNotFound(), Outcome.REFUSED),
    ],
)
def test_what_keystoneauth_says(error: Exception, outcome: Outcome) -> None:
    with pytest.raises(CloudError) as raised, trouble.named("Keystone"):
        raise error
    assert raised.value.outcome is outcome
    assert "Keystone" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_what_is_no_word_of_the_cloud_passes() -> None:
    assert trouble.as_cloud_error(KeyError("x"), "Keystone") is None
    with pytest.raises(KeyError), trouble.named("Keystone"):
        raise KeyError
