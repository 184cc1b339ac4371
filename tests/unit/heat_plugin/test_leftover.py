# SPDX-License-Identifier: Apache-2.0
"""A user of which Keystone had made a part when it went away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from keystoneauth1 import exceptions

from heat_plugin import leftover


class Keystone:
    """Has users with a name and a project, and no name twice."""

    stack_domain_id = "the-domain"

    def __init__(self, *users: tuple[str, str]) -> None:
        self.there = list(users)
        self.domain_admin_client = SimpleNamespace(users=self)

    def _get_username(self, name: str) -> str:
        return name

    def list(self, *, domain: str, name: str) -> list[Any]:
        assert domain == self.stack_domain_id
        return [
            SimpleNamespace(name=each, default_project_id=project)
            for each, project in self.there
            if each == name
        ]

    def delete(self, user: Any) -> None:
        self.there.remove((user.name, user.default_project_id))


class Resource:
    stack = SimpleNamespace(stack_user_project_id="own")

    def __init__(self, keystone: Keystone) -> None:
        self.there = keystone
        self.roles = 0

    def keystone(self) -> Keystone:
        return self.there

    def physical_resource_name(self) -> str:
        return "stack-server-x"

    def make(self) -> None:
        """As Heat does: the user, and then its role."""
        if any(name == "stack-server-x" for name, _ in self.there.there):
            raise exceptions.Conflict
        self.there.there.append(("stack-server-x", "own"))
        self.roles += 1


def test_one_that_is_there_in_part_is_made_anew() -> None:
    resource = Resource(Keystone(("stack-server-x", "own"), ("another", "own")))
    leftover.made_anew(resource, resource.make)
    assert resource.there.there == [("another", "own"), ("stack-server-x", "own")]
    assert resource.roles == 1


def test_one_that_is_not_there_is_made() -> None:
    resource = Resource(Keystone())
    leftover.made_anew(resource, resource.make)
    assert resource.roles == 1


def test_anothers_is_left_alone() -> None:
    resource = Resource(Keystone(("stack-server-x", "another")))
    with pytest.raises(exceptions.Conflict):
        leftover.made_anew(resource, resource.make)
    assert resource.there.there == [("stack-server-x", "another")]
