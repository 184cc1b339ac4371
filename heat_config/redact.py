# SPDX-License-Identifier: Apache-2.0
"""Which texts are secret, and a URL without them. :mod:`heat_config.mask` finds them in a text."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from heat_config.data import as_text
from heat_config.mask import MASK, SHORTEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The inputs with which the server answers: whoever has one of their values can
# answer in its place.
SECRET_INPUTS = ("deploy_password", "deploy_user_id")
URL_INPUTS = ("deploy_signal_id", "deploy_progress_id", "deploy_auth_url")
USER_NAME = "deploy_username"
# What a hook is not given: it describes no deployment.
CREDENTIALS = (*SECRET_INPUTS, USER_NAME, "deploy_signal_id", "deploy_progress_id")

# Signatures and access keys are longer than this; the names of the signature's
# method and version, which the query holds too, are shorter.
SHORTEST_SIGNATURE = 16
# Heat makes longer names for its users; a shorter one may be a word of any sentence.
SHORTEST_USER_NAME = 8


def secrets_in(values: Mapping[str, Any]) -> set[str]:
    """The texts in a deployment's inputs with which whoever has them can answer in its place."""
    found = {value for name in SECRET_INPUTS if isinstance(value := values.get(name), str)}
    for name in URL_INPUTS:
        if isinstance(address := values.get(name), str):
            found |= url_secrets(address)
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}


def user_name_in(values: Mapping[str, Any], public: str) -> set[str]:
    """The name of the user that answers, unless it is public.

    Heat gives that user the name of the deployment's resource, and the deployment too, where
    its author gives it no other: what the deployment is called cannot be a secret.
    """
    name = values.get(USER_NAME)
    is_secret = isinstance(name, str) and len(name) >= SHORTEST_USER_NAME and name != public
    return {str(name)} if is_secret else set()


def texts_of(values: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """The values of these inputs as they may be written: of data its JSON, and each text in it."""
    found = {text for name in names for text in _texts(values.get(name))}
    return {text for text in found if len(text) >= SHORTEST_SECRET}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        with suppress(RecursionError):  # too deep to be written
            yield as_text(value)
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += part.values()
        elif isinstance(part, list):
            left += part
        elif part is not None and not isinstance(part, bool):  # which any program writes
            yield as_text(part)


def url(address: object) -> str:
    """A URL fit for a log: without user, password, query and fragment.

    Of one with an @ behind the host it is not known where a password ends that has not been
    quoted, so only the scheme is left.
    """
    if not isinstance(address, str):
        return "?"
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address.partition("#")[0].partition("?")[0]
    host, slash, path = rest.partition("#")[0].partition("?")[0].partition("/")
    if "@" in rest[len(host) :]:
        return f"{scheme}://{MASK}"
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def url_secrets(address: str) -> set[str]:
    """A URL's user and password, and its query: a signed URL is signed there.

    Of a signed address of Zaqar's the queue's name, too.
    """
    base, _, query = address.partition("#")[0].partition("?")
    # All that may be a user, also with a password that should have been quoted.
    user = address.partition("://")[2].rpartition("@")[0]
    strict = base.partition("://")[2].partition("/")[0].rpartition("@")[0]
    # The name of a queue that a signed address opens keeps it apart from those of others.
    queue = base.partition("/v2/queues/")[2].partition("/")[0]
    arguments = [argument.partition("=")[2] for argument in query.split("&")]
    signed = {part for part in (query, *arguments) if len(part) >= SHORTEST_SIGNATURE}
    users = {part for each in (user, strict) for part in (each, each.partition(":")[2])}
    found = {*users, queue, *signed}
    found |= {unquote(part) for part in found}
    return {secret for secret in found if len(secret) >= SHORTEST_SECRET}
