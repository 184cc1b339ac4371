# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from heat_config.cloud import inputs
from heat_config.cloud.errors import CloudError, Outcome


def test_the_values_come_in_the_order_of_the_names() -> None:
    assert inputs.require({"a": "1", "b": "2", "c": 3}, "b", "a") == ["2", "1"]


def test_what_is_missing_empty_or_no_text_is_named() -> None:
    with pytest.raises(CloudError, match=r"no usable input b, c, d$") as raised:
        inputs.require({"a": "1", "b": "", "c": 3}, "a", "b", "c", "d")
    assert raised.value.outcome is Outcome.UNUSABLE
