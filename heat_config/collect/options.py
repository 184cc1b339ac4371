# SPDX-License-Identifier: Apache-2.0
"""The values of os-collect-config.conf: one that cannot be used is left out, and said once.

Most of them come from Heat, so none ends the service: it is the only way in which a better one
could come. os-collect-config's own options stay what they are; what is read of them goes through
here.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from oslo_config import cfg

from heat_config import files, log, redact
from heat_config.collect.upstream import COLLECTORS, collect, keystone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CONF = cfg.CONF

# Seconds, the least and the most of each number.
BOUNDS = {
    "polling_interval": (1, 86_400),
    "min_polling_interval": (0.05, 86_400),
    "splay": (0, 3600),
    "cache_lifetime": (0, 1_209_600),
    "cache_ttl": (60, 86_400),
    "timeout": (0.1, 300),
}
_KINDS = (cfg.FloatOpt, cfg.IntOpt, cfg.BoolOpt, cfg.URIOpt)

_said: set[str] = set()


def _say(message: str) -> None:
    if message not in _said:
        log.warning(message)
    _said.add(message)


class Lenient(NamedTuple):
    """An option's type that never refuses a value."""

    option: str
    """Its name, with its section."""
    read: Callable[[Any], Any]
    """The type that it had, which raises ValueError."""
    default: Any
    bounds: tuple[float, float] | None

    def __call__(self, value: Any) -> Any:
        """The value, or what is taken in its place."""
        try:
            found = self.read(value)
        except ValueError:
            return self._instead(value, self.default)
        if self.bounds is None:
            return found
        least, most = self.bounds
        if math.isnan(found):
            return self._instead(value, self.default)
        inside = min(max(found, least), most)
        return found if inside == found else self._instead(value, inside)

    def _instead(self, value: Any, other: Any) -> Any:
        given = redact.url(str(value)).rpartition("@")[2][:64]
        says = "nothing" if other is None else repr(other)
        _say(f"{self.option} = {given!r} is not {self._expected()}: {says} is taken in its place")
        return other

    def _expected(self) -> str:
        if self.bounds:
            return f"a number from {self.bounds[0]} to {self.bounds[1]}"
        return "true or false" if isinstance(self.default, bool) else "an address with its scheme"


def make_lenient() -> None:
    """Let no value of os-collect-config's options end the program; once is enough."""
    for section, option in _options():
        if _can_refuse(option):
            name = f"os-collect-config.conf: {option.dest} in [{section}]"
            bounds = BOUNDS.get(option.dest)
            option.type = Lenient(name, option.type, option.default, bounds)


def _can_refuse(option: Any) -> bool:
    return isinstance(option, _KINDS) and not isinstance(option.type, Lenient)


def _options() -> Iterator[tuple[str, Any]]:
    yield from (("DEFAULT", option) for option in collect.opts)
    for name, module in {**COLLECTORS, "keystone": keystone}.items():
        yield from ((name, option) for option in module.opts)


def leave_out_collectors(by_hand: Sequence[str]) -> list[str]:
    """Leave out the collectors that there are not; return those among the arguments."""
    known = [name for name in CONF.collectors if name in COLLECTORS]
    unknown = [name for name in CONF.collectors if name not in COLLECTORS]
    if unknown:
        CONF.set_override("collectors", known or collect.DEFAULT_COLLECTORS)
        _say(f"os-collect-config.conf: left out {', '.join(unknown)}: there is no such collector")
    return [name for name in unknown if name in by_hand]


def use_a_folder() -> None:
    """Where ``cachedir`` can be no folder, use the one that is meant for it."""
    folder = CONF.cachedir
    try:
        if not os.path.isabs(folder):  # noqa: PTH117 - a text
            raise NotADirectoryError("its path does not begin with /")
        files.make_private_folder(Path(folder))
    except (OSError, ValueError) as error:
        CONF.clear_override("cachedir")
        CONF.set_override("cachedir", _default("cachedir"))
        _say(f"os-collect-config.conf: cachedir = {folder!r} cannot be used ({error})")


def _default(name: str) -> Any:
    return next(option.default for option in collect.opts if option.dest == name)
