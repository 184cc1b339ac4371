# SPDX-License-Identifier: Apache-2.0
"""What heat-config-heat-check says of what it has found. No I/O: the asking is in check."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SHIM = "heat_config_types.py"
"""The module by which Heat finds the types: the one file in the folder of plugin_dirs."""


class Finding(NamedTuple):
    """One thing that the plug-in needs."""

    what: str
    said: str
    """What was found, or what is wrong."""
    remedy: str = ""
    """What helps; empty when all is well."""

    @property
    def ok(self) -> bool:
        """Whether it is as the plug-in needs it."""
        return not self.remedy

    def written(self) -> str:
        """As a line, and one more with the remedy."""
        line = f"{'ok' if self.ok else 'MISSING':8} {self.what}: {self.said}"
        return line if self.ok else f"{line}\n{'':8} -> {self.remedy}"


def status(findings: Sequence[Finding]) -> int:
    """The exit status: 0 when nothing is missing, else 1."""
    return 0 if all(each.ok for each in findings) else 1


def refused(what: str, reason: str, remedy: str) -> Finding:
    """It could not be looked at, or said no."""
    return Finding(what, reason or "no reason was given", remedy)


def names(missing: Sequence[str], versions: Sequence[str]) -> Finding:
    """Whether the Heat that is installed has what the plug-in uses.

    ``missing``: of :func:`heat_plugin.heat_names.missing`.
    """
    what = "openstack-heat"
    if not missing:
        return Finding(what, "has all that the plug-in uses")
    first = ", ".join(missing[:3])
    return Finding(
        what,
        f"{len(missing)} names are not as the plug-in needs them: {first}",
        f"install a heat-config that knows this Heat; this one knows {', '.join(versions)}",
    )


def plugin_dirs(dirs: Sequence[str], holding: Sequence[str], ours: str) -> Finding:
    """Whether Heat loads the plug-in, once.

    ``holding``: those of ``dirs`` that hold SHIM; ``ours``: the folder that this package ships.
    """
    what = "plugin_dirs"
    if len(holding) == 1:
        return Finding(what, holding[0])
    if holding:
        return Finding(
            what, f"loads the plug-in {len(holding)} times", f"leave one: {', '.join(holding)}"
        )
    asked = ",".join([*dirs, ours])
    return Finding(
        what,
        "Heat does not load the plug-in",
        f"set plugin_dirs = {asked} in [DEFAULT] of heat.conf, and restart the engines",
    )


def environment(folder: str, files: Sequence[str], broken: Sequence[str]) -> Finding:
    """Which stacks use the plug-in; both answers are right.

    ``files``: those of the folder that map a name of Heat's to a type of the plug-in;
    ``broken``: those of them that cannot be read as YAML.
    """
    what = "environment_dir"
    if broken:
        return Finding(what, f"not YAML: {', '.join(broken)}", "mend it or take it away")
    if files:
        return Finding(what, f"all stacks use the plug-in: {', '.join(files)}")
    return Finding(what, f"{folder} maps nothing: a stack uses the plug-in with -e")


def threads(size: int, workers: int, deployments: int) -> Finding:
    """Whether other stacks go on while so many deployments are in progress on this host.

    Heat holds a thread for each resource in progress, and needs some more for everything else.
    """
    what = "executor_thread_pool_size"
    said = f"{workers} x {size} threads for {deployments} deployments in progress"
    if workers * size > deployments:
        return Finding(what, said)
    needed = deployments // workers + 1 + _SPARE
    return Finding(
        what,
        f"{said}: then no stack begins, and none goes on",
        f"set executor_thread_pool_size = {needed} in [DEFAULT] of heat.conf, or more "
        "num_engine_workers; --deployments says how many there are at once",
    )


_SPARE = 64  # Heat's default for everything.


def domain_options(admin: str | None, password: str | None, domain: str | None) -> Finding:
    """Whether heat.conf names the domain of stack users and its administrator."""
    values = {
        "stack_domain_admin": admin,
        "stack_domain_admin_password": password,
        "stack_user_domain_name": domain,
    }
    lacking = [name for name, value in values.items() if not value]
    if not lacking:
        return Finding("heat.conf", f"{admin} administers the domain {domain} of stack users")
    return Finding(
        "heat.conf",
        f"names no {', '.join(lacking)}",
        "make both with heat-keystone-setup-domain and set what it prints in [DEFAULT]",
    )


def domain(wanted: str, token_is_for: str | None) -> Finding:
    """Whether the administrator's token is for the domain; Keystone could give another."""
    what = "stack domain"
    if token_is_for:
        return Finding(what, f"its administrator signs in ({token_is_for})")
    return Finding(
        what,
        f"the administrator's token is for no domain, and not for {wanted}",
        "give him the role admin in it: heat-keystone-setup-domain",
    )


def role(name: str, found: int) -> Finding:
    """Whether Keystone has the role of stack users."""
    what = "role"
    if found:
        return Finding(what, name)
    return Finding(what, f"Keystone has no role {name}", f"openstack role create {name}")


def catalog(region: str | None, interface: str, found: dict[str, str | None]) -> Finding:
    """Whether servers and the engine find Zaqar.

    ``found``: the address by interface; ``interface``: the one that the engine uses.
    """
    what = "catalog"
    lacking = [name for name, url in found.items() if not url]
    if not lacking:
        return Finding(what, f"messaging is at {found['public']}, for Heat at {found[interface]}")
    place = f"region {region}" if region else "any region"
    wanted = " and ".join(name.removesuffix("URL") for name in lacking)
    return Finding(
        what,
        f"no endpoint {wanted} of type messaging in {place}",
        f"openstack endpoint create{f' --region {region}' if region else ''} messaging "
        f"{lacking[0].removesuffix('URL')} http://zaqar:8888",
    )


def message(found: bool, what: str) -> Finding:
    """Whether what was posted is there; ``what``: how it was read."""
    if found:
        return Finding(what, "what was posted is read")
    return Finding(
        what,
        "what was posted is not on the queue",
        "look whether all of Zaqar's processes use the same message_store and management_store",
    )
