# SPDX-License-Identifier: Apache-2.0
"""What ``openstack software config check`` says of what it has found. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heat_plugin.judging import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# Heat's names whose types the plug-in may take the place of, and the plug-in's own.
DEPLOYMENT = "OS::Heat::SoftwareDeployment"
OURS = "HeatConfig::SoftwareDeployment"

# Seconds by which clocks may differ: an answer's has whole ones, and takes its time.
_NEAR = 5.0
# Bytes: metadata of a few deployments need more than this.
_SMALL = 65_536


def identity(user: str, project: str | None, roles: Sequence[str]) -> Finding:
    """Whether there is a project to work in. ``roles``: what the user has there."""
    what = "Keystone"
    if project:
        return Finding(what, f"{user} in project {project}, with {', '.join(roles) or 'no role'}")
    return Finding(what, f"{user} has no project", "name one: --os-project-name, OS_PROJECT_NAME")


def catalog(region: str | None, found: Mapping[str, str | None], keystone: str) -> Finding:
    """Whether all services have an address, and one as safe as Keystone's.

    ``found``: the public addresses by the service's type.
    """
    what = "catalog"
    place = f"region {region}" if region else "any region"
    for kind, url in found.items():
        if not url:
            return Finding(
                what,
                f"no public endpoint of type {kind} in {place}",
                f"openstack endpoint create{f' --region {region}' if region else ''} {kind} public "
                "URL; or name another region: --os-region-name",
            )
        if keystone.startswith("https:") and not url.startswith(("https:", "wss:")):
            return Finding(
                what,
                f"{kind} is at {url}, where others can read along, unlike Keystone",
                "give it a certificate and an https endpoint, wss for messaging-websocket",
            )
    return Finding(what, ", ".join(f"{kind} at {url}" for kind, url in found.items()))


def clocks(ahead: Mapping[str, float]) -> Finding:
    """Whether tokens and signed addresses end when they shall.

    ``ahead``: by how many seconds whose clock is ahead of this one.
    """
    what = "clocks"
    known = {"this machine": 0.0, **ahead}
    first = min(known, key=known.__getitem__)
    last = max(known, key=known.__getitem__)
    apart = known[last] - known[first]
    if apart <= _NEAR:
        return Finding(what, f"of {', '.join(ahead)} agree with this one")
    return Finding(
        what,
        f"that of {last} is {apart:.0f} s ahead of that of {first}",
        "let all hosts follow one source (chrony): tokens and signed addresses end by the clock",
    )


def plugin(types: Collection[str], schema: Mapping[str, Any]) -> Finding:
    """Whether Heat has our plug-in; without it Zaqar serves, too.

    ``schema``: of DEPLOYMENT, as Heat shows it.
    """
    what = "plug-in"
    if OURS not in types:
        return Finding(what, "not there: ZAQAR_SIGNAL and ZAQAR_MESSAGE (servers) are Heat's own")
    for_all = "ZAQAR_MESSAGE" in _allowed(schema)
    use = "all stacks use it" if for_all else "a stack uses it with -e heat-config.yaml"
    return Finding(what, f"{use}; one that names no signal_transport has {_default(schema)}")


def _signal(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.get("properties", {}).get("signal_transport", {})
    return found


def _default(schema: Mapping[str, Any]) -> str:
    return str(_signal(schema).get("default", "what heat.conf says"))


def _allowed(schema: Mapping[str, Any]) -> list[Any]:
    constraints = _signal(schema).get("constraints", [])
    return [value for each in constraints for value in each.get("allowed_values", [])]


def limits(queue: Mapping[str, Any]) -> Finding:
    """Whether a server's metadata fit into a message.

    ``queue``: what Zaqar calls a queue's own metadata.
    """
    what = "limits"
    size, ttl = queue.get("_max_messages_post_size"), queue.get("_default_message_ttl")
    if not isinstance(size, int):
        return Finding(what, "Zaqar does not say what a message may have")
    said = f"a message may have {size} bytes, and lives for {ttl} s where nobody says how long"
    if size >= _SMALL:
        return Finding(what, said)
    return Finding(
        what,
        f"{said}: a server's metadata are one message",
        "raise max_messages_post_size in [transport] of zaqar.conf; its default is 262144",
    )
