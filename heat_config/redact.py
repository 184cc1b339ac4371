# SPDX-License-Identifier: Apache-2.0
"""No secret in anything that is written or logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASK = "***"

# The inputs with which the server answers: whoever has one of their values can
# answer in its place.
SECRET_INPUTS = ("deploy_password", "deploy_user_id")
URL_INPUTS = ("deploy_signal_id", "deploy_auth_url")
# What a hook is not given: it describes no deployment.
CREDENTIALS = (*SECRET_INPUTS, "deploy_username", "deploy_signal_id")

# A shorter text would mask half of every sentence and protect nothing.
SHORTEST_SECRET = 4
# Signatures and access keys are longer than this; the names of the signature's
# method and version, which the query holds too, are shorter.
SHORTEST_SIGNATURE = 16


def secrets_in(values: Mapping[str, Any]) -> set[str]:
    """The texts in a deployment's inputs that must never be written."""
    found = {value for name in SECRET_INPUTS if isinstance(value := values.get(name), str)}
    for name in URL_INPUTS:
        if isinstance(address := values.get(name), str):
            found |= url_secrets(address)
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}


def text(message: str, secrets: Iterable[str]) -> str:
    """Mask each of the secrets, the longest first, so that no tail is left."""
    for secret in sorted(secrets, key=len, reverse=True):
        message = message.replace(secret, MASK)
    return message


def url(address: object) -> str:
    """A URL fit for a log: without user, password, query and fragment."""
    if not isinstance(address, str):
        return "?"
    base = address.partition("#")[0].partition("?")[0]
    scheme, separator, rest = base.partition("://")
    if not separator:
        return base
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def url_secrets(address: str) -> set[str]:
    """A URL's user and password, and its query: a signed URL is signed there.

    Of a signed address of Zaqar's the queue's name, too.
    """
    from urllib.parse import unquote  # only when there is something to hide

    base, _, query = address.partition("#")[0].partition("?")
    user = base.partition("://")[2].partition("/")[0].rpartition("@")[0]
    # The name of a queue that a signed address opens keeps it apart from those of others.
    queue = base.partition("/v2/queues/")[2].partition("/")[0]
    arguments = [argument.partition("=")[2] for argument in query.split("&")]
    signed = {part for part in (query, *arguments) if len(part) >= SHORTEST_SIGNATURE}
    found = {user, user.partition(":")[2], queue, *signed}
    found |= {unquote(part) for part in found}
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}
