# SPDX-License-Identifier: Apache-2.0
"""What each collector has given last: what one of them cannot give any more stays as it was."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from heat_config import log, origin, readable, settings
from heat_config.cloud import limits
from heat_config.collect import collector, metadata, systemd
from heat_config.collect.cache import Cache, Contents, Given, Sources, named
from heat_config.collect.collector import NothingYetError
from heat_config.collect.upstream import COLLECTORS, NOT_CONFIGURED, exc

if TYPE_CHECKING:
    from collections.abc import Iterable

CONF = cfg.CONF

# The options that say whose metadata a collector gives. Another's are not to be gone on with.
_WHOSE = {
    "cfn": ("stack_name", "path"),
    "ec2": ("metadata_url",),
    "heat": ("stack_id", "resource_name"),
    "heat_local": ("path",),
    "local": ("path",),
    "request": ("metadata_url",),
    "zaqar": ("queue_id",),
}
# Those that leave what they find as it is.
_WHOLE = ("heat_local", "local")

# Bytes that one of os-collect-config's collectors may be answered in all.
MOST_OF_ONE = 32 << 20
# A collector makes several requests: it has the time of so many that take as long as one may.
_REQUESTS = 4


class Gathered:
    """What each collector has given last, in the order of the collectors.

    A source that is there no more because it is not configured any more is gone. One that cannot
    be asked, or whose answer is of no use, holds as it was: also over a restart, by ``cache``.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._found: Sources = {}
        self._raw: dict[str, list[tuple[str, Any]]] = {}
        self._absent: dict[str, Exception] = {}

    def take(self, names: Iterable[str]) -> None:
        """Ask these collectors; that one cannot give anything is said once."""
        for name in names:
            try:
                self._keep(name, _exploded(name, _collected(name)))
                self._absent.pop(name, None)
            except NOT_CONFIGURED:
                for noted in (self._found, self._raw, self._absent):
                    noted.pop(name, None)
            except Exception as error:  # one source never stops the others
                self._go_on_without(name, error)

    def given(self) -> Sources:
        """What there is of each collector, in their order."""
        return {name: self._found[name] for name in CONF.collectors if name in self._found}

    def contents(self) -> Contents:
        """All sources, by the names of their files."""
        return named(self.given())

    @property
    def away(self) -> list[str]:
        """Where Heat's word could not be asked for the last time, although it is configured."""
        unasked = {
            name for name, error in self._absent.items() if not isinstance(error, NothingYetError)
        }
        if collector.name in CONF.collectors and collector.is_away():
            unasked.add(collector.name)
        return [each for each in origin.HEATS if each in unasked]

    def _keep(self, name: str, raw: list[tuple[str, Any]]) -> None:
        if raw != self._raw.get(name):
            usable = metadata.usable if name in origin.HEATS else readable.encodable
            contents = [(str(key), usable(content)) for key, content in raw[:1]]
            contents += [(str(key), readable.encodable(content)) for key, content in raw[1:]]
            self._found[name], self._raw[name] = Given(whose(name), contents), raw

    def _go_on_without(self, name: str, error: Exception) -> None:
        if name not in self._found:
            kept = self._cache.given(name)
            if kept and kept.whose == whose(name):
                self._found[name] = kept
        if name not in self._absent:
            unexpected = "" if isinstance(error, exc.SourceNotAvailable) else f" ({error!r})"
            held = "; what it has given before holds" if name in self._found else ""
            log.warning(f"Source [{name}] Unavailable.{unexpected}{held}")
        self._absent[name] = error


def _collected(name: str) -> list[tuple[str, Any]]:
    """What a collector gives, however many requests it makes: in the end others want their turn.

    Of a queue's messages it keeps one at a time; the others keep all that they are answered.
    """
    systemd.alive()
    size = limits.UNLIMITED if name == collector.name else MOST_OF_ONE
    with limits.within(_REQUESTS * settings.load().deadline, size):
        return list(COLLECTORS[name].Collector().collect())


def _exploded(name: str, contents: Contents) -> Contents:
    """With the configs that are data as sources of their own, as most collectors give them."""
    if name not in _WHOLE:
        return contents
    keys = CONF.deployment_key
    return [each for key, one in contents for each in metadata.sources(key, one, keys)]


def whose(name: str) -> str:
    """Whose metadata a collector gives, as a text that tells nothing of it.

    An address may hold a signature in its query, which is made anew now and then.
    """
    values = [CONF[name][option] for option in _WHOSE[name]]
    if name == collector.name and not CONF.zaqar.queue_id:
        values = [CONF.zaqar.signed_address]
    plain = [value.partition("?")[0] if isinstance(value, str) else value for value in values]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()
