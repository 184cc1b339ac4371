# SPDX-License-Identifier: Apache-2.0
"""What each outcome says about a next request."""

from __future__ import annotations

import pytest

from heat_config.cloud.errors import CloudError, Outcome


@pytest.mark.parametrize("outcome", Outcome)
def test_each_is_at_most_one_of_a_moments_trouble_and_a_refusal(outcome: Outcome) -> None:
    transient = {Outcome.UNREACHABLE, Outcome.UNKNOWN}
    refusals = {Outcome.REFUSED, Outcome.CONTENT_REFUSED, Outcome.TOO_LARGE}
    assert outcome.is_transient == (outcome in transient)
    assert outcome.is_refusal == (outcome in refusals)


def test_an_error_has_a_text_and_an_outcome() -> None:
    error = CloudError("Zaqar is away", Outcome.UNREACHABLE)
    assert (str(error), error.outcome) == ("Zaqar is away", Outcome.UNREACHABLE)
