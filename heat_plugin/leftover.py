# SPDX-License-Identifier: Apache-2.0
"""A stack user whose making was cut short, so that its name is taken when Heat makes it again.

Heat makes a user and then gives it a role; Keystone may go away between the two, or before its
answer has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keystoneauth1 import exceptions

if TYPE_CHECKING:
    from collections.abc import Callable


def made_anew(resource: Any, make: Callable[[], None]) -> None:
    """Make a resource's user; what is left of one that was not made whole is removed first.

    :raises ClientException: Keystone does not serve it.
    """
    try:
        make()
    except exceptions.Conflict:
        _remove(resource)
        make()


def _remove(resource: Any) -> None:
    keystone = resource.keystone()
    project_id = resource.stack.stack_user_project_id
    users = keystone.domain_admin_client.users
    name = keystone._get_username(resource.physical_resource_name())
    for user in users.list(domain=keystone.stack_domain_id, name=name):
        if user.default_project_id == project_id:
            users.delete(user)
