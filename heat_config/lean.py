# SPDX-License-Identifier: Apache-2.0
"""What the libraries import that a server uses seldom or never, left for its first use.

They import it at their top: a quarter of an idle service's memory, and of the time until a
result can be sent. For a server's own programs alone, not for what is loaded into another's.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class _Later(ModuleType):
    """Stands for a module, which is imported when something of it is wanted."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


def _real(name: str) -> ModuleType:
    for each in (name.partition(".")[0], name):
        if isinstance(sys.modules.get(each), _Later):
            del sys.modules[each]
    return importlib.import_module(name)


_SERVER, _TYPES = _Later("wsgiref.simple_server"), _Later("wsgiref.types")
vars(_SERVER).update(WSGIRequestHandler=object)
vars(_TYPES).update(WSGIEnvironment=object, StartResponse=object)

# Who imports it, and what of it is wanted at once.
SELDOM: Mapping[str, Mapping[str, object]] = {
    # requests, to guess at the encoding of a text; it looks for a version that it knows.
    "charset_normalizer": {"__version__": "3.0.0"},
    # python-zaqarclient, to validate requests, which nobody asks it for.
    "jsonschema": {"validators": _Later("jsonschema.validators")},
    # oslo.config, for options that are addresses of the network.
    "netaddr": {},
    # oslo.context, for an annotation.
    "typing_extensions": {"Self": None},
    # keystoneauth, for people who log in with a browser, who are none of a server's.
    "webbrowser": {},
    "wsgiref": {"simple_server": _SERVER, "types": _TYPES},
    "wsgiref.simple_server": vars(_SERVER),
    "wsgiref.types": vars(_TYPES),
}


@contextmanager
def imports() -> Iterator[None]:
    """Within this, what is imported does not bring these; what was imported before stays."""
    made = {name: _Later(name) for name in SELDOM if name not in sys.modules}
    for name, module in made.items():
        vars(module).update(SELDOM[name])
    sys.modules.update(made)
    try:
        yield
    finally:
        for name, module in made.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
