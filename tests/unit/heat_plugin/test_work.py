# SPDX-License-Identifier: Apache-2.0
"""How far an action has come, and what follows for its looks."""

from __future__ import annotations

import pytest

from heat_plugin.work import Work


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """One that has begun at a time that stands still."""
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    begun = Work("step", lambda: {"id": "a-deployment"})
    begun.begin()
    return begun


def test_heat_is_asked_after_a_while_and_then_not_at_once(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not work.is_asking_due()
    monkeypatch.setattr("time.monotonic", lambda: 1001.0)
    assert work.is_asking_due()
    work.asked()
    assert not work.is_asking_due()


def test_heat_is_asked_at_each_look_once_it_waits_no_longer(work: Work) -> None:
    """An acknowledgement that cannot be posted must not hold up the stack."""
    work.see_end()
    assert work.is_asking_due()
