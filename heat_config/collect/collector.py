# SPDX-License-Identifier: Apache-2.0
"""The Zaqar collector for os-collect-config, in place of its own.

The same name, options and interface; docs/architecture.md says what differs.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from os_collect_config import exc
from oslo_config import cfg

from heat_config import log, settings
from heat_config.cloud import http, keystone
from heat_config.cloud.errors import CloudError
from heat_config.collect import current, metadata
from heat_config.collect.inbox import Inbox
from heat_config.collect.queue import Queue
from heat_config.collect.source import Outage, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heat_config.cloud.keystone import User

name = "zaqar"
opts = [
    cfg.StrOpt("user-id", help="User ID for API authentication"),
    cfg.StrOpt("password", secret=True, help="Password for API authentication"),
    cfg.StrOpt("project-id", help="ID of the project for API authentication"),
    cfg.URIOpt("auth-url", help="URL for API authentication"),
    cfg.StrOpt("queue-id", help="ID of the queue that Heat posts to"),
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

_certificates = Outage("the file of certificates")


class Access(NamedTuple):
    """Who reads which queue, and whom they trust."""

    auth_url: str
    user_id: str
    password: str
    project_id: str
    queue_id: str
    region_name: str | None
    ca_file: str | None
    insecure: bool

    def trust(self) -> settings.Settings:
        """The settings with this section's word on certificates.

        The distribution's own bundle, which the element writes there, says nothing.
        """
        given = settings.load()
        named = None if self.ca_file in http.BUNDLES else self.ca_file
        return given._replace(
            ca_file=named or given.ca_file, insecure=self.insecure or given.insecure
        )


class Collector:
    """os-collect-config's interface."""

    def collect(self) -> list[tuple[str, Any]]:
        """The metadata, and the configs in it that are metadata themselves.

        What was new is on disk afterwards and no longer on the queue, unless
        the metadata is only to be printed.

        :raises SourceNotConfigured: an option is missing.
        :raises SourceNotAvailable: there is none yet.
        """
        found = source()
        content = found.collect() if is_for_use() else found.look()
        if content is None:
            raise exc.ZaqarMetadataNotAvailable
        return metadata.sources(name, content, CONF.deployment_key)


def access() -> Access:
    """What the section [zaqar] says.

    :raises SourceNotConfigured: an option is missing.
    """
    section = CONF.zaqar
    needed = ("auth_url", "user_id", "password", "project_id", "queue_id")
    if not all(section[option] for option in needed):
        raise exc.ZaqarMetadataNotConfigured
    log.conceal({section.password, section.user_id})
    return Access(
        **{option: section[option] for option in needed},
        region_name=section.region_name,
        ca_file=section.ca_file,
        insecure=not section.ssl_certificate_validation,
    )


def user_of(reader: Access) -> User:
    """The server's stack user, with one token for all that is asked in its name.

    :raises CloudError: the file of certificates cannot be read.
    """
    values = {
        "deploy_auth_url": _v3(reader.auth_url),
        "deploy_user_id": reader.user_id,
        "deploy_password": reader.password,
        "deploy_project_id": reader.project_id,
        "deploy_region_name": reader.region_name,
    }
    return keystone.user_of(values, reader.trust())


def source() -> Source:
    """Where the metadata comes from: the same object as long as the options are the same.

    :raises SourceNotConfigured: an option is missing.
    :raises SourceNotAvailable: the file of certificates cannot be read.
    """
    try:
        found = _source(access(), CONF.cachedir, CONF.zaqar.server_id, CONF.zaqar.cache_lifetime)
    except CloudError as error:
        _certificates.begin(error)
        raise exc.ZaqarMetadataNotAvailable from None
    _certificates.end()
    return found


def is_for_use() -> bool:
    """Whether a command is run with it; else it is only printed."""
    return bool(CONF.command and not CONF.print_only)


@functools.lru_cache(maxsize=1)
def _source(reader: Access, cachedir: str, server_id: str | None, lifetime: float) -> Source:
    user = user_of(reader)

    def ask_heat(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
        return current.ask(user, kept, server_id, _section(reader))

    inbox = Inbox(Path(cachedir, "zaqar.d"), reader.queue_id)
    return Source(Queue(user, reader.queue_id), inbox, ask_heat, lifetime)


def _section(reader: Access) -> dict[str, Any]:
    """The section os-collect-config of the metadata as it must have been."""
    given = {**reader._asdict(), "use_websockets": CONF.zaqar.use_websockets}
    insecure = given.pop("insecure")
    zaqar = {**given, **({"ssl_certificate_validation": False} if insecure else {})}
    known = {key: value for key, value in zaqar.items() if value is not None}
    return {"collectors": list(CONF.collectors), "zaqar": known}


def _v3(auth_url: str) -> str:
    """Heat writes …/v3/; people write …/v2.0, or no version."""
    base, version = os.path.split(auth_url.rstrip("/"))
    if version == "v3":
        return auth_url
    return f"{base if version == 'v2.0' else auth_url.rstrip('/')}/v3"
