# SPDX-License-Identifier: Apache-2.0
"""os-collect-config's own modules, with our Zaqar collector and our merger in place of its own.

It imports what any of its collectors may need. Most servers use two of these, so
the largest libraries wait for their first use: 10 MB and half of the start's time.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import requests

from heat_config.cloud import bounded
from heat_config.collect import collector, metadata

# What os-collect-config takes from where.
_LARGE = {
    "dogpile": ("cache",),
    "heatclient": ("client",),
    "keystoneclient": ("discover", "exceptions"),
    "keystoneclient.contrib.ec2": ("utils",),
    "keystoneclient.v3": ("client",),
    "lxml": ("etree",),
}


class _Later(ModuleType):
    """Stands for a module, which is imported when something of it is wanted."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def _packages() -> dict[str, ModuleType]:
    made = {name: ModuleType(name) for name in _LARGE if name not in sys.modules}
    for name, package in made.items():
        for part in _LARGE[name]:
            setattr(package, part, _Later(f"{name}.{part}"))
    return made


# Its collectors, and the clients that they use, make sessions of their own.
for _of in (requests.adapters, requests.sessions):
    vars(_of)["HTTPAdapter"] = bounded.Adapter


def _merger() -> ModuleType:
    """What its other collectors make of the metadata: the same as ours."""
    made = ModuleType("os_collect_config.merger")
    made.merged_list_from_content = _sources  # type: ignore[attr-defined]
    return made


def _sources(content: Any, keys: list[str], collector_name: str) -> list[tuple[str, Any]]:
    return metadata.sources(collector_name, content, keys)


_stand_ins = _packages()
sys.modules.update(_stand_ins)
sys.modules["os_collect_config.zaqar"] = collector
sys.modules["os_collect_config.merger"] = _merger()
try:
    from os_collect_config import cfn, collect, exc, heat_local, keystone, local, request, version
finally:
    for _name in _stand_ins:
        del sys.modules[_name]

# The collector "request" says that it is not configured in words of its own.
NOT_CONFIGURED = (exc.SourceNotConfigured, exc.RequestMetadataNotConfigured)

# What nobody on the server could read stops none of what comes with it.
for _module in (cfn, heat_local, local, request):
    _module.json = SimpleNamespace(loads=metadata.loads)
# "local" sorts as the C locale does, and to do so sets the process's locale and sets it back,
# which fails for those that Python calls by another name.
local.locale = SimpleNamespace(
    LC_ALL=None, getlocale=lambda: None, setlocale=lambda *_: None, strxfrm=str
)

COLLECTORS: dict[str, ModuleType] = collect.COLLECTORS

__all__ = ["COLLECTORS", "NOT_CONFIGURED", "collect", "exc", "keystone", "version"]
