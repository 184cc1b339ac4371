# SPDX-License-Identifier: Apache-2.0
"""What Heat asked for: one item of the server's deployments, validated.

The metadata comes from outside the server, so nothing in it is used before it
has been looked at. An item that cannot be run is still read as far as it goes,
because its author is waiting for an answer: see :attr:`Deployment.error`.

Source of the format: ``heat.engine.service_software_config`` (the metadata) and
``heat.engine.resources.openstack.heat.software_deployment`` (the inputs whose
names begin with ``deploy_``).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from heat_config import readable, redact
from heat_config.data import as_text, kind
from heat_config.terminal import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

# What Heat itself calls a config that names no group.
UNGROUPED = "Heat::Ungrouped"
# Their configuration is the data that os-apply-config renders into files: when
# the agent runs, os-apply-config has already applied it. They need no hook.
APPLIED_WITHOUT_HOOK = ("os-apply-config", UNGROUPED)

# The option of a config that names those of its inputs whose values are never written.
SECRETS = "secret_inputs"

_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:+-]{0,199}")


class Deployment(NamedTuple):
    """One deployment, ready to be run, or with the reason why it cannot be."""

    id: str
    """Heat's id of the (derived) config; also the stem of its file names."""
    name: str
    group: str
    values: dict[str, Any]
    """The inputs' values by name, as far as they could be read."""
    item: dict[str, Any]
    """The config as it is run: of a component, the part for the action."""
    error: str | None = None
    """Why it cannot be run, for its author; None when it can."""

    @property
    def error_outputs(self) -> list[str]:
        """The declared outputs that say why a run has failed (``error_output: true``)."""
        if self.error:
            return []  # the outputs may be what is wrong
        return [entry["name"] for entry in self.item["outputs"] if entry.get("error_output")]

    @property
    def secrets(self) -> set[str]:
        """The texts that must never be written: its credentials, and the inputs that it names.

        Of a parameter of a template that is ``hidden`` nothing tells here: Heat's schema of an
        input has no such key (``heat.engine.software_config_io``).
        """
        named = redact.texts_of(self.values, _secret_inputs(self.item.get("options")) or ())
        user = redact.user_name_in(self.values, self.name)
        return redact.secrets_in(self.values) | user | named

    @property
    def facts(self) -> dict[str, object]:
        """What a log line about it says beside its text; see :func:`heat_config.log.about`."""
        return {
            "deployment_id": self.id,
            "deployment_name": self.name,
            "deployment_action": self.values.get("deploy_action"),
            "config_group": self.group,
            **facts_of(self.values),
        }

    def __str__(self) -> str:
        return f"{shown(self.name)} ({shown(self.group)}, {self.id})"


def facts_of(values: Mapping[str, Any]) -> dict[str, object]:
    """Which of Heat's resources waits for an answer, as its inputs say it."""
    return {
        "stack_id": values.get("deploy_stack_id"),
        "resource_name": values.get("deploy_resource_name"),
    }


class MetadataError(Exception):
    """The deployments file cannot be read as a whole."""


class _UnusableError(Exception):
    """One part of a deployment is not what it must be."""


def parse(text: str) -> list[Deployment]:
    """Read the rendered list of deployments.

    An empty text is an empty list: os-apply-config renders ``{{deployments}}``
    as nothing when the metadata has no such key. Of each id there is one: see
    :func:`_distinct`.

    :raises MetadataError: the text is not a JSON list.
    """
    if not text.strip():
        return []
    try:
        items = readable.loads(text)
    except ValueError as error:
        raise MetadataError(f"is not valid JSON: {error}") from None
    if not isinstance(items, list):
        raise MetadataError(f"holds {kind(items)}, not a list of deployments")
    return _distinct(items)


def _distinct(items: list[Any]) -> list[Deployment]:
    """One deployment for each id; a later one with an id that was used cannot be run.

    It is answered with the reason, unless it is the same again, or is answered where the
    first one is: Heat waits there for one answer.
    """
    found: dict[str, Deployment] = {}
    given: dict[str, Any] = {}
    for item in items:
        each = read(item)
        first = found.get(each.id)
        if first and (item == given[each.id] or _address(each) == _address(first) != {}):
            continue
        if first:
            reason = f"the id {each.id!r} is used by two deployments"
            each = _rejected({**item, "id": None}, each.values, reason, item)
        found.setdefault(each.id, each)
        given.setdefault(each.id, item)
    return list(found.values())


def _address(each: Deployment) -> dict[str, Any]:
    """What Heat has added to the inputs, which says where it waits for the answer."""
    return {name: value for name, value in each.values.items() if name.startswith("deploy_")}


def read(item: object) -> Deployment:
    """Read one deployment; what is wrong with it ends in its ``error``."""
    if not isinstance(item, dict):
        return _rejected({}, {}, f"the deployment is {kind(item)}, not a map", item)
    values: dict[str, Any] = {}
    try:
        _check_whole(item)
        values = _values(item)
        config_id = valid_id(item.get("id"))
        resolved = _resolve(_normalised(item), values)
    except _UnusableError as error:
        # The inputs are read on their own: the answer's address may be among
        # them although something else is wrong.
        return _rejected(item, values or _readable_values(item), str(error), item)
    return Deployment(
        id=config_id,
        name=str(resolved.get("name") or config_id),
        group=resolved["group"],
        values=values,
        item=resolved,
    )


def valid_id(value: object) -> str:
    """Return the id when it is safe as the stem of a file name.

    :raises ValueError: it is not; the message names it.
    """
    if value is None:
        raise _BadIdError("the deployment has no id")
    if not isinstance(value, str):
        raise _BadIdError(f"the deployment's id is {kind(value)}, not a string")
    # ".notify" would make <id>.json the result file of another id.
    if not _ID.fullmatch(value) or value.endswith(".notify"):
        raise _BadIdError(
            f"the deployment's id {value[:80]!r} is not usable: "
            "at most 200 letters, digits and _ . : + - are, the first not a sign"
        )
    return value


class _BadIdError(_UnusableError, ValueError):
    pass


def _rejected(
    item: dict[str, Any], values: dict[str, Any], reason: str, original: object
) -> Deployment:
    try:
        config_id = valid_id(item.get("id"))
    except _BadIdError:
        config_id = _made_up_id(original)
    name = item.get("name")
    group = item.get("group")
    return Deployment(
        id=config_id,
        name=name if isinstance(name, str) else config_id,
        group=group if isinstance(group, str) else UNGROUPED,
        values=values,
        item={**item, "id": config_id},
        error=reason,
    )


def _check_whole(item: dict[str, Any]) -> None:
    """Of what nobody on this server could read the collector has left a word that says so."""
    for key, value in item.items():
        reason = readable.left_out(value)
        if reason:
            raise _UnusableError(f"the deployment's {key!r} cannot be read: it is {reason}")


def _made_up_id(item: object) -> str:
    """Name an item without a usable id by its content.

    The same item gets the same name at every run, so that it is answered once.
    """
    text = json.dumps(item, sort_keys=True)
    return "invalid-" + hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def _normalised(item: dict[str, Any]) -> dict[str, Any]:
    """Fill in what Heat may leave out, and refuse what has the wrong type."""
    group = item.get("group")
    if group is None:
        group = UNGROUPED
    if not isinstance(group, str) or not group:
        raise _UnusableError(f"'group' is {kind(group)}, not a name")
    options = item.get("options") or {}
    if not isinstance(options, dict):
        raise _UnusableError(f"'options' is {kind(options)}, not a map")
    if _secret_inputs(options) is None:
        raise _UnusableError(f"the option {SECRETS} is not a list of inputs' names")
    return {
        **item,
        "group": group,
        "inputs": [_coerced(entry) for entry in _named_entries(item, "inputs")],
        "outputs": _named_entries(item, "outputs"),
        "options": options,
        "config": "" if item.get("config") is None else item["config"],
    }


def _secret_inputs(options: object) -> list[str] | None:
    """The inputs that a config's options name as secret; None when that cannot be read."""
    given = options.get(SECRETS) if isinstance(options, dict) else None
    names = [given] if isinstance(given, str) else given or []
    return names if isinstance(names, list) and all(isinstance(n, str) for n in names) else None


def _resolve(item: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Of a software component, take the config whose actions include this one.

    Source: OS::Heat::SoftwareComponent, property ``configs``.
    """
    if item["group"] != "component":
        return item
    action = values.get("deploy_action")
    config = item["config"]
    configs = config.get("configs") if isinstance(config, dict) else None
    if not isinstance(configs, list):
        raise _UnusableError("the component's 'config' has no list 'configs'")
    for part in configs:
        actions = part.get("actions") if isinstance(part, dict) else None
        if isinstance(actions, list) and action in actions:
            tool = part.get("tool")
            if not isinstance(tool, str) or not tool:
                raise _UnusableError(f"the component's 'tool' for {action} is no name")
            return {**item, "group": tool, "config": part.get("config") or ""}
    raise _UnusableError(f"the component has no config for the action {action}")


def _values(item: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: _coerced(entry).get("value") for entry in _named_entries(item, "inputs")}


def _readable_values(item: dict[str, Any]) -> dict[str, Any]:
    """The values of those inputs that can be read, whatever is among them."""
    inputs = item.get("inputs")
    entries = inputs if isinstance(inputs, list) else []
    return {
        entry["name"]: entry.get("value")
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }


def _named_entries(item: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = item.get(key) or []
    if not isinstance(entries, list):
        raise _UnusableError(f"'{key}' is {kind(entries)}, not a list")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise _UnusableError(f"'{key}' number {number} is not a map with a 'name'")
    return entries


def _coerced(entry: dict[str, Any]) -> dict[str, Any]:
    """Give an input of type String a string: Heat sends whatever was given."""
    if entry.get("type") != "String" or isinstance(entry.get("value"), str):
        return entry
    return {**entry, "value": as_text(entry.get("value"))}
