# SPDX-License-Identifier: Apache-2.0
"""The Zaqar collector for os-collect-config, in place of its own.

The same name, options and interface; docs/architecture.md says what differs.
"""

from __future__ import annotations

import functools
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from os_collect_config import exc
from oslo_config import cfg

from heat_config import log, redact, settings
from heat_config.cloud import keystone, signed
from heat_config.cloud.credentials import Credentials
from heat_config.cloud.errors import CloudError, Outcome
from heat_config.cloud.trust import BUNDLES, Trust
from heat_config.cloud.zaqar import AsSigned, AsUser, Connection, Queue
from heat_config.collect import current, metadata
from heat_config.collect.inbox import Inbox
from heat_config.collect.source import Outage, Reason, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.cloud.keystone import User
    from heat_config.cloud.signed import Address

name = "zaqar"
opts = [
    cfg.StrOpt("user-id", help="User ID for API authentication"),
    cfg.StrOpt("password", secret=True, help="Password for API authentication"),
    cfg.StrOpt("project-id", help="ID of the project for API authentication"),
    cfg.URIOpt("auth-url", help="URL for API authentication"),
    cfg.StrOpt("queue-id", help="ID of the queue that Heat posts to"),
    cfg.StrOpt(
        "signed-address",
        secret=True,
        help="A signed address that opens that queue, in place of a user",
    ),
    cfg.BoolOpt("use-websockets", default=False, help="Be woken over a websocket by new messages"),
    cfg.StrOpt("region-name", help="Region whose endpoints are used"),
    cfg.BoolOpt("ssl-certificate-validation", default=True, help="Verify certificates"),
    cfg.StrOpt("ca-file", help="Certificates of authorities to trust (default: the system's)"),
    cfg.StrOpt("server-id", help="The server's ID in Heat, when its metadata does not tell"),
    cfg.FloatOpt(
        "cache-lifetime",
        default=3000,
        min=0,
        help="Seconds without a look at the queue after which a message may have expired there "
        "(Heat's live for 3600), so that Heat itself is asked",
    ),
]

CONF = cfg.CONF

_section_outage = Outage("what the section zaqar names")
_certificates_outage = Outage("the file of certificates")


class UserAccess(NamedTuple):
    """Who reads which queue, and whom they trust."""

    credentials: Credentials
    trust: Trust
    queue_id: str

    def user(self) -> User:
        """The server's stack user, with one token for all that is asked in its name.

        :raises CloudError: the file of certificates cannot be read.
        """
        return keystone.user_of(self.credentials, self.trust)

    def connection(self) -> Connection:
        """How the queue is reached.

        :raises CloudError: the file of certificates cannot be read.
        """
        return AsUser(self.user())


class SignedAccess(NamedTuple):
    """The address that opens a queue, and whom its reader trusts; no user, and no Keystone."""

    address: Address
    trust: Trust

    @property
    def queue_id(self) -> str:
        """The queue."""
        return self.address.queue

    def connection(self) -> Connection:
        """How the queue is reached.

        :raises CloudError: the file of certificates cannot be read.
        """
        return AsSigned(self.address, self.trust)


class NothingYetError(exc.ZaqarMetadataNotAvailable):  # type: ignore[misc]
    """The queue was asked, and nothing has come yet."""


class Collector:
    """os-collect-config's interface."""

    def collect(self) -> list[tuple[str, Any]]:
        """The metadata, and the configs in it that are metadata themselves.

        What was new is on disk afterwards and no longer on the queue, unless
        the metadata is only to be printed.

        :raises SourceNotConfigured: there is no queue.
        :raises NothingYetError: nothing has come.
        :raises SourceNotAvailable: there is none, and the queue cannot be asked.
        """
        found = source()
        content = found.collect() if is_for_use() else found.look()
        if content is None:
            raise exc.ZaqarMetadataNotAvailable if found.is_away else NothingYetError
        return metadata.sources(name, content, CONF.deployment_key)


def is_signed() -> bool:
    """Whether the queue is read with a signed address: then nothing can wake the server."""
    return bool(CONF.zaqar.signed_address and name in CONF.collectors)


def signed_access() -> SignedAccess:
    """What the section [zaqar] says, where it has a signed address.

    :raises CloudError: it is none.
    """
    section = CONF.zaqar
    log.conceal(redact.url_secrets(section.signed_address))
    return SignedAccess(signed.parse(section.signed_address), _trust(section))


def user_access() -> UserAccess:
    """What the section [zaqar] says, where it has a user.

    :raises SourceNotConfigured: there is no queue.
    :raises CloudError: there is one, and another option is missing.
    """
    section = CONF.zaqar
    if not section.queue_id:
        raise exc.ZaqarMetadataNotConfigured
    needed = ("auth_url", "user_id", "password", "project_id")
    missing = [option for option in needed if not section[option]]
    if missing:
        what = f"the section zaqar of os-collect-config.conf lacks {', '.join(missing)}"
        raise CloudError(what, Outcome.UNUSABLE)
    log.conceal({section.password, section.user_id, *redact.url_secrets(section.auth_url)})
    return UserAccess(Credentials.from_section(section), _trust(section), section.queue_id)


def _trust(section: Mapping[str, Any]) -> Trust:
    """The section's word on certificates; where it has none, the agent's settings.

    The distribution's own bundle, which the element writes there, says nothing.
    """
    given = Trust.from_settings(settings.load())
    named = None if section["ca_file"] in BUNDLES else section["ca_file"]
    insecure = not section["ssl_certificate_validation"]
    return Trust(named or given.ca_file, insecure or given.insecure)


def source() -> Source:
    """Where the metadata comes from: the same object as long as the options are the same.

    :raises SourceNotConfigured: there is no queue.
    :raises SourceNotAvailable: another option is missing, the signed address is none, or no
        queue can have the name.
    """
    section = CONF.zaqar
    try:
        reader = signed_access() if section.signed_address else user_access()
        found = _source_of(reader)
    except CloudError as error:
        _section_outage.begin(error)
        raise exc.ZaqarMetadataNotAvailable from None
    _section_outage.end()
    return found


def _source_of(reader: UserAccess | SignedAccess) -> Source:
    """The source; where the section's file of certificates cannot be read, without that.

    Then whom the agent's settings trust, or the system, is trusted: the next metadata, with which
    all may be well, come this way.

    :raises CloudError: the settings' file of certificates cannot be read, or no queue can have
        the name.
    """
    section = CONF.zaqar
    others = (CONF.cachedir, section.server_id, section.cache_lifetime)
    try:
        found = _source(reader, *others)
    except CloudError as error:
        trust = reader.trust._replace(ca_file=Trust.from_settings(settings.load()).ca_file)
        if trust == reader.trust or not section.ca_file:
            raise
        found = _source(reader._replace(trust=trust), *others)
        _certificates_outage.begin(error)
    else:
        _certificates_outage.end()
    return found


def is_away() -> bool:
    """Whether the queue is known, and could not be asked when that was tried last."""
    try:
        return source().is_away
    except exc.SourceNotConfigured:
        return False
    except exc.SourceNotAvailable:
        return True


def is_for_use() -> bool:
    """Whether a command is run with it; else it is only printed."""
    return bool(CONF.command and not CONF.print_only)


@functools.lru_cache(maxsize=1)
def _source(
    reader: UserAccess | SignedAccess, cachedir: str, server_id: str | None, lifetime: float
) -> Source:
    queue = Queue(reader.connection(), reader.queue_id, str(uuid.uuid4()))
    inbox = Inbox(Path(cachedir, "zaqar.d"), reader.queue_id)
    if isinstance(reader, SignedAccess):
        return Source(queue, inbox, _go_on_without_heat, lifetime)
    user = reader.user()

    def ask_heat(kept: Mapping[str, Any] | None, _: Reason) -> dict[str, Any] | None:
        return current.ask(user, kept, server_id, _section())

    return Source(queue, inbox, ask_heat, lifetime)


def _go_on_without_heat(kept: Mapping[str, Any] | None, reason: Reason) -> None:
    """Say that something may have been missed: Heat answers nobody who has no user.

    Nothing is, where one message has overtaken another: Heat with the plug-in posts again then.
    """
    if kept is not None and reason is Reason.LONG_AGO:
        log.warning(
            f"{reason.value}, and messages may have expired there. Without "
            "a user Heat cannot be asked; going on with what is on disk until Heat posts again"
        )


def _section() -> dict[str, Any]:
    """The section os-collect-config of the metadata as it must have been."""
    names = ("auth_url", "user_id", "password", "project_id", "queue_id", "region_name")
    zaqar = {name: CONF.zaqar[name] for name in (*names, "ca_file", "use_websockets")}
    if not CONF.zaqar.ssl_certificate_validation:
        zaqar["ssl_certificate_validation"] = False
    known = {name: value for name, value in zaqar.items() if value is not None}
    return {"collectors": list(CONF.collectors), "zaqar": known}
