# SPDX-License-Identifier: Apache-2.0
"""An engine that stores a deployment and cannot post the metadata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from heat_config.cloud.errors import CloudError, Outcome
from heat_plugin.rpc import Engine

TOO_LARGE = (
    "Error response from Zaqar. Code: 400. Title: Invalid API request. Description: Message "
    "collection size is too large. Max size 262144\nTraceback (most recent call last):"
)
GIVEN = {"deployment_id": "d", "config_id": "c"}


class FakeClient:
    """Heat's engine with one server. ``refusal``: what its post of metadata ends with."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.deployments: dict[str, dict[str, Any]] = {}

    def create_software_deployment(self, _: object, **values: Any) -> dict[str, Any]:
        return self._store(values)

    def update_software_deployment(self, _: object, **values: Any) -> dict[str, Any]:
        return self._store(values)

    def _store(self, values: dict[str, Any]) -> dict[str, Any]:
        made = {"id": values["deployment_id"], "config_id": values["config_id"], "server_id": "s"}
        made["creation_time"] = "2026-01-01T00:00:00Z"
        self.deployments[made["id"]] = made
        self._post()
        return made

    def delete_software_deployment(self, _: object, deployment_id: str) -> None:
        del self.deployments[deployment_id]
        self._post()

    def show_software_deployment(self, _: object, deployment_id: str) -> dict[str, Any]:
        return self.deployments[deployment_id]

    @contextmanager
    def ignore_error_by_name(self, _: str) -> Iterator[None]:
        with suppress(KeyError):
            yield

    def _post(self) -> None:
        if self.refusal:
            raise RuntimeError(self.refusal)


class FakeMetadata:
    """What posts a server's metadata. ``refusal``: what that ends with."""

    def __init__(self, refusal: Outcome | None = None) -> None:
        self.refusal = refusal
        self.packed: list[str] = []
        self.posts = 0
        self.stored: set[str] = set()

    def deployments(self) -> frozenset[str]:
        return frozenset(self.stored)

    def post(self) -> None:
        self.posts += 1
        self._refuse()

    def post_packed(self, reason: str) -> None:
        self.packed.append(reason)
        self._refuse()

    def _refuse(self) -> None:
        if self.refusal:
            raise CloudError("the server's metadata have too many bytes", self.refusal)


class BusyClient(FakeClient):
    """Heat's engine that is asked for other deployments of the server meanwhile."""

    def __init__(self, metadata: FakeMetadata, *others: str, refusal: str = "") -> None:
        super().__init__(refusal)
        self._metadata = metadata
        self.others = set(others)

    def _post(self) -> None:
        own = {each["config_id"] for each in self.deployments.values()}
        self._metadata.stored |= own | self.others
        super()._post()


def test_what_is_posted_needs_nothing_more() -> None:
    metadata = FakeMetadata()
    engine = Engine(FakeClient(), metadata)
    engine.create_software_deployment(None, **GIVEN)
    assert not engine.post_failed
    assert metadata.packed == []


def test_a_refused_size_is_posted_compressed_at_once() -> None:
    metadata = FakeMetadata()
    engine = Engine(FakeClient(TOO_LARGE), metadata)
    assert engine.create_software_deployment(None, **GIVEN)["id"] == "d"
    assert not engine.post_failed
    assert metadata.packed == ["Message collection size is too large. Max size 262144"]


def test_another_trouble_waits_for_a_moment() -> None:
    metadata = FakeMetadata()
    engine = Engine(FakeClient("Connection refused"), metadata)
    engine.create_software_deployment(None, **GIVEN)
    assert engine.post_failed
    assert metadata.packed == []


def test_a_zaqar_that_is_away_now_is_asked_again() -> None:
    metadata = FakeMetadata(Outcome.UNREACHABLE)
    engine = Engine(FakeClient(TOO_LARGE), metadata)
    engine.create_software_deployment(None, **GIVEN)
    assert engine.post_failed
    metadata.refusal = None
    engine.post_metadata(None, engine.show_software_deployment(None, "d"))
    assert not engine.post_failed


def test_what_can_never_be_posted_fails_at_once() -> None:
    engine = Engine(FakeClient(TOO_LARGE), FakeMetadata(Outcome.TOO_LARGE))
    with pytest.raises(CloudError, match="too many bytes"):
        engine.create_software_deployment(None, **GIVEN)


def test_a_deployment_does_not_fail_of_what_another_has_made_too_large() -> None:
    client = FakeClient()
    engine = Engine(client, FakeMetadata(Outcome.TOO_LARGE))
    made = engine.create_software_deployment(None, **GIVEN)
    client.refusal = TOO_LARGE
    engine.post_metadata(None, made)
    assert not engine.post_failed


def test_one_that_was_never_posted_does() -> None:
    client = FakeClient("Connection refused")
    engine = Engine(client, FakeMetadata(Outcome.TOO_LARGE))
    made = engine.create_software_deployment(None, **GIVEN)
    client.refusal = TOO_LARGE
    with pytest.raises(CloudError, match="too many bytes"):
        engine.post_metadata(None, made)


@pytest.mark.parametrize("refusal", [None, Outcome.TOO_LARGE, Outcome.UNREACHABLE])
def test_a_deletion_posts_the_rest_and_fails_of_no_size(refusal: Outcome | None) -> None:
    client, metadata = FakeClient(), FakeMetadata(refusal)
    engine = Engine(client, metadata)
    engine.create_software_deployment(None, **GIVEN)
    client.refusal = TOO_LARGE
    engine.delete_software_deployment(None, "d")
    assert client.deployments == {}
    assert len(metadata.packed) == 1


def test_a_deletion_that_was_not_done_has_failed() -> None:
    client = FakeClient()
    with pytest.raises(KeyError):
        Engine(client, FakeMetadata()).delete_software_deployment(None, "d")


def test_what_another_has_stored_meanwhile_is_posted_again() -> None:
    metadata = FakeMetadata()
    engine = Engine(BusyClient(metadata, "other"), metadata)
    engine.create_software_deployment(None, **GIVEN)
    assert metadata.posts == 1
    # It is no news any more.
    engine.update_software_deployment(None, **{**GIVEN, "config_id": "c2"})
    assert metadata.posts == 1
    assert not engine.post_failed


def test_also_after_a_deletion() -> None:
    metadata = FakeMetadata()
    client = BusyClient(metadata)
    engine = Engine(client, metadata)
    engine.create_software_deployment(None, **GIVEN)
    assert metadata.posts == 0
    client.others = {"other"}
    engine.delete_software_deployment(None, "d")
    assert metadata.posts == 1


def test_a_deployment_does_not_fail_of_another_ones_post() -> None:
    metadata = FakeMetadata(Outcome.UNREACHABLE)
    engine = Engine(BusyClient(metadata, "other"), metadata)
    assert engine.create_software_deployment(None, **GIVEN)["id"] == "d"
    assert engine.post_failed


def test_what_posts_nothing_looks_at_no_metadata() -> None:
    metadata = FakeMetadata()
    client = BusyClient(metadata)
    engine = Engine(client, metadata)
    engine.create_software_deployment(None, **GIVEN)
    client.others = {"other"}
    engine.update_software_deployment(None, "d", config_id=None)
    assert metadata.posts == 0
