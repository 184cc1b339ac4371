# SPDX-License-Identifier: Apache-2.0
"""The installation on a running server: made, made anew after an upgrade, and taken away."""

from __future__ import annotations

import runpy
import shutil
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import heat_config
from heat_config.install import parts, record, replaced
from heat_config.install.errors import InstallError
from heat_config.install.items import Enabled, Rules, Source
from heat_config.install.record import Record
from heat_config.install.steps import FOLDER, File, Folder, Kept, Link, below, mark_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from heat_config.install.items import Place
    from heat_config.install.services import Systemd
    from heat_config.install.steps import Step

UNITS = "/usr/local/lib/systemd/system"
# The hooks of a server whose operator has named none.
DEFAULT_HOOKS = ("script",)
# What else is the agent's on a server, and goes when it is purged.
ELSEWHERE = (
    *("/var/lib/heat-cfntools", "/var/lib/cloud/data/cfn-init-data", "/run/heat-config"),
    *("/run/os-collect-config", "/run/os-refresh-config.lock"),
)
# Its folders, which systemd-tmpfiles has made where there is no cloud-init.
CLOUDS = ("/var/lib/cloud/data", "/var/lib/cloud")
# What is said of each step that is taken.
VERBS = {"Folder": "make", "File": "write", "Kept": "write", "Link": "link"}


class Plan(NamedTuple):
    """What a server is to have."""

    hooks: tuple[str, ...]
    steps: tuple[Step, ...]
    units: tuple[str, ...]
    """Those that are started at each boot."""
    rules: tuple[str, ...]
    """Those of systemd-tmpfiles."""


class Site(NamedTuple):
    """The server, and how it is changed."""

    root: Path
    systemd: Systemd | None
    """None: nothing is changed, only said."""
    say: Callable[[str], object]
    may_replace: bool = False
    """Whether files of others in the way are replaced, and kept."""


def element_of(elements: Path, group: str) -> Path:
    """The element of a group's hook."""
    return elements / f"heat-config-{group}"


def plan(elements: Path, hooks: Iterable[str], place: Place) -> Plan:
    """Make the plan from the elements' files.

    :raises InstallError: there is no such hook, or the package or the environment is not whole.
    """
    known = hooks_beside(elements)
    wanted = tuple(dict.fromkeys(hooks))
    unknown = [group for group in wanted if group not in known]
    if unknown:
        raise InstallError(f"no hook {', '.join(unknown)}; there are {', '.join(known)}")
    folders = [elements / name for name in parts.BASE]
    folders += [element_of(elements, group) for group in wanted]
    source = Source(tuple(folders), {group: known[group] for group in wanted})
    items = parts.items_of({folder.name for folder in folders})
    steps = tuple(step for item in items for step in item.steps(source, place))
    units = tuple(item.unit for item in items if isinstance(item, Enabled))
    rules = tuple(item.path for item in items if isinstance(item, Rules))
    return Plan(wanted, steps, units, rules)


def install(wanted: Plan, site: Site) -> bool:
    """Make it so; whether anything had to be changed.

    :raises InstallError: something of others is in the way, or systemd refuses.
    :raises OSError: a file cannot be written.
    """
    before = record.load(site.root)
    steps = [step for step in wanted.steps if not step.is_done(site.root)]
    in_the_way = replaced.of_others(steps, before, site.root)
    if not site.may_replace:
        replaced.refuse(in_the_way)
    after = _recorded(wanted, before, in_the_way, site.root)
    if site.systemd and after != before:
        record.save(site.root, _both(before, after))
    _replace(in_the_way, site)
    _take(steps, site)
    stale = [path for path in before.made if path not in after.made]
    _remove(stale, before, site)
    if site.systemd:
        site.systemd.follow(wanted.rules)
        site.systemd.enable(wanted.units)
        if steps or stale or after != before:
            site.systemd.begin(wanted.units)
            record.save(site.root, after)
    return bool(steps or stale or after != before)


def _recorded(wanted: Plan, before: Record, in_the_way: Iterable[str], root: Path) -> Record:
    """The record of what there will be."""
    made = _marks(wanted.steps, before, root)
    kept = {path: mark for path, mark in before.replaced.items() if path in made}
    new = {path: mark_of(below(root, path)) for path in in_the_way}
    return Record(heat_config.__version__, wanted.hooks, made, {**kept, **new})


def _both(before: Record, after: Record) -> Record:
    """The record while one becomes the other."""
    made, kept = {**before.made, **after.made}, {**before.replaced, **after.replaced}
    return after._replace(made=made, replaced=kept)


def _replace(paths: Iterable[str], site: Site) -> None:
    for path in paths:
        site.say(f"keep {path}, which is of others, in {replaced.KEPT}")
        if site.systemd:
            replaced.keep(path, site.root)


def _take(steps: Iterable[Step], site: Site) -> None:
    for step in steps:
        site.say(f"{VERBS[type(step).__name__]} {step.path}")
        if site.systemd:
            step.do(site.root)


def uninstall(wanted: Plan, site: Site) -> None:
    """Take away what was made; settings, results and logs stay. What was changed since stays, too.

    :raises InstallError: nothing is installed, or systemd refuses.
    :raises OSError: a file cannot be removed.
    """
    found = record.load(site.root)
    if found == record.NONE:
        raise InstallError("nothing is installed here: there is no record of it")
    if site.systemd:
        site.systemd.end([unit for unit in wanted.units if f"{UNITS}/{unit}" in found.made])
    _remove(found.made, found, site)
    if site.systemd:
        record.forget(site.root)
        for path in sorted(found.made, reverse=True):
            _remove_if_empty(below(site.root, path))
        site.systemd.forget()


def purge(wanted: Plan, site: Site) -> None:
    """Take away what :func:`uninstall` leaves: settings, credentials, results, logs.

    :raises InstallError: it has left something of others.
    """
    of_others = replaced.left(site.root) if site.systemd else []
    if of_others:
        raise InstallError(f"of others, and kept here: {', '.join(of_others)}; move it away first")
    for path in left_behind(wanted.steps):
        place = below(site.root, path)
        if place.exists():
            site.say(f"remove {path}")
        if site.systemd:
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
            for folder in CLOUDS:
                _remove_if_empty(below(site.root, folder))


def left_behind(steps: Iterable[Step]) -> list[str]:
    """What is on a server when the installation is gone, and goes when it is purged."""
    known = list(steps)
    private = [step.path for step in known if isinstance(step, Folder) and step.is_private]
    kept = [step.path for step in known if isinstance(step, Kept)]
    return [*kept, *private, *ELSEWHERE]


def hooks_beside(elements: Path) -> dict[str, Path]:
    """All hooks, by group; see ``hooks/__init__.py``."""
    listing = elements.parent / "hooks" / "__init__.py"
    if not listing.is_file():
        raise InstallError(
            f"there are no elements in {elements}: this environment is an image's or a "
            "distribution package's own, and was installed with it (a hook's package is "
            "heat-config-GROUP); else install the wheel into an environment of its own"
        )
    found: dict[str, Path] = runpy.run_path(str(listing))["programs"]()
    return found


def _marks(steps: Iterable[Step], before: Record, root: Path) -> dict[str, str]:
    """What is to be taken away some day: of folders those that were not there before."""
    made = {step.path: step.mark for step in steps if isinstance(step, File | Link)}
    folders = {step.path for step in steps if isinstance(step, Folder)}
    folders |= {str(above) for step in steps for above in PurePosixPath(step.path).parents}
    new = (path for path in folders if path in before.made or not below(root, path).exists())
    return {**made, **dict.fromkeys(sorted(new), FOLDER)}


def _remove(paths: Iterable[str], known: Record, site: Site) -> None:
    """Remove files and links that are as they were made; what they have replaced comes back."""
    for path in paths:
        place = below(site.root, path)
        now = mark_of(place)
        if replaced.can_come_back(path, now, known, site.root):
            site.say(f"put back {path}")
            if site.systemd:
                replaced.put_back(path, site.root)
        elif now and now not in (FOLDER, known.made[path]):
            kept = replaced.is_kept(path, site.root)
            before = f"; {replaced.KEPT}{path} was before it" if kept else ""
            site.say(f"leave {path}: it was changed since it was installed{before}")
        elif now and now != FOLDER:
            site.say(f"remove {path}")
            if site.systemd:
                place.unlink()


def _remove_if_empty(place: Path) -> None:
    with suppress(OSError):
        place.rmdir()
