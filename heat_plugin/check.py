# SPDX-License-Identifier: Apache-2.0
"""``heat-config-heat-check``: whether a cloud has what the plug-in needs, line by line.

It reads heat.conf as Heat's own programs do, and then does what the plug-in does for a stack: in a
project of its own, which it makes in the domain of stack users and deletes again.
"""

from __future__ import annotations

import os
import secrets
import sys
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from heat.common import config as heat_options
from heat.common import endpoint_utils
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3
from keystoneclient.v3 import client
from oslo_config import cfg

from heat_config import __version__
from heat_config.cloud import zaqar
from heat_config.cloud.errors import CloudError
from heat_config.cloud.trust import Trust
from heat_plugin import heat_names, judging, options, paths, project, queues
from heat_plugin.judging import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PROGRAM = "heat-config-heat-check"

# Seconds that what is posted for a look may live, should it be left behind.
_LIFE = 300

_OURS = cfg.IntOpt(
    "deployments",
    default=500,
    min=1,
    help="How many deployments are in progress at once on this host's engines.",
)
# As oslo.messaging has it, which gives it to an engine when that begins to serve.
_THREADS = cfg.IntOpt("executor_thread_pool_size", default=64)


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was found; 0 when nothing is missing, 1 when something is, 2 for no heat.conf."""
    cfg.CONF.register_cli_opts([_OURS])
    cfg.CONF.register_opts([_THREADS])
    try:
        arguments = list(sys.argv[1:] if argv is None else argv)
        cfg.CONF(arguments, project="heat", prog=PROGRAM, version=__version__)
        looks = [*here(), *there()]
    except cfg.Error as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    return judging.status(looks)


def _said(finding: Finding) -> Finding:
    print(finding.written(), flush=True)
    return finding


def here() -> Iterator[Finding]:
    """What can be seen on this host, without asking anybody."""
    conf = cfg.CONF
    yield _said(judging.names(list(heat_names.missing()), heat_names.VERSIONS))
    holding = [each for each in conf.plugin_dirs if Path(each, judging.SHIM).is_file()]
    ours = str(paths.PATHS["plugin_dirs"])
    yield _said(judging.plugin_dirs(conf.plugin_dirs, holding, ours))
    folder = conf.environment_dir
    yield _said(judging.environment(folder, *_mapping(Path(folder))))
    workers = conf.num_engine_workers or max(4, os.cpu_count() or 1)
    yield _said(judging.threads(conf.executor_thread_pool_size, workers, conf["deployments"]))
    what = f"a template that names none has {options.default_signal()} for deployments"
    yield _said(Finding("[heat_config]", f"{what}, {options.default_server()} for servers"))


def _mapping(folder: Path) -> tuple[list[str], list[str]]:
    """Of the files of a folder: those that map to our types, and those that are no YAML."""
    mapping, broken = [], []
    for path in sorted(each for each in folder.glob("*") if each.is_file()):
        try:
            found = yaml.safe_load(path.read_bytes())
        except yaml.YAMLError:
            broken.append(path.name)
            continue
        registry = found.get("resource_registry") if isinstance(found, dict) else None
        if any(str(each).startswith("HeatConfig::") for each in (registry or {}).values()):
            mapping.append(path.name)
    return mapping, broken


class Admin(NamedTuple):
    """The administrator of the domain of stack users, as Heat's own client for Keystone has him."""

    session: Any
    domain_admin_auth: Any
    domain_admin_client: Any
    stack_domain_id: str


class Look(NamedTuple):
    """One look at the cloud, what it is for, and what helps when there is no answer."""

    what: str
    look: Callable[[Cloud], Finding]
    remedy: str


class Cloud:
    """Keystone and Zaqar as the plug-in reaches them; each look stands on those before it."""

    def __init__(self) -> None:
        self._keystone = ""
        self._admin: Admin
        self._connection: project.AsProject
        self._queue: queues.Queue | None = None

    def keystone(self) -> Finding:
        """Ask Keystone for its version."""
        self._keystone = str(endpoint_utils.get_auth_uri() or "")
        found = _session().get(self._keystone, authenticated=False).json()
        return Finding("Keystone", f"{self._keystone}, {found['version']['id']}")

    def domain(self) -> Finding:
        """Sign in as the domain's administrator."""
        conf = cfg.CONF
        by_id = conf.stack_user_domain_id
        kind = "id" if by_id else "name"
        wanted = by_id or conf.stack_user_domain_name
        auth = v3.Password(
            auth_url=self._keystone,
            username=conf.stack_domain_admin,
            password=conf.stack_domain_admin_password,
            **{f"user_domain_{kind}": wanted, f"domain_{kind}": wanted},
        )
        used = _session()
        found = auth.get_access(used).domain_id
        self._admin = Admin(used, auth, client.Client(session=used, auth=auth), str(found))
        return judging.domain(wanted, found)

    def role(self) -> Finding:
        """Look for the role of stack users."""
        name = cfg.CONF.heat_stack_user_role
        return judging.role(name, len(self._admin.domain_admin_client.roles.list(name=name)))

    @contextmanager
    def project(self) -> Iterator[None]:
        """Make a project as a stack has one, which is deleted at the block's end."""
        projects = self._admin.domain_admin_client.projects
        name = f"{PROGRAM}-{secrets.token_hex(4)}"
        made = projects.create(name=name, domain=self._admin.stack_domain_id)
        interface = heat_options.get_client_option("zaqar", "endpoint_type")
        region = cfg.CONF.region_name_for_services
        place = project.Place(self._keystone, made.id, region, interface)
        try:
            self._connection = project.connection(place, lambda: self._admin)
            yield
        finally:
            self._delete_queue()
            projects.delete(made.id)

    def catalog(self) -> Finding:
        """Look for Zaqar's endpoints."""
        place = self._connection.place
        found = {each: self._connection.find(each) for each in ("public", place.interface)}
        return judging.catalog(place.region, place.interface, found)

    def zaqar(self) -> Finding:
        """Post a message and read it."""
        self._queue = queue = queues.Queue(self._connection, queues.new_name())
        queue.post(f"posted by {PROGRAM}", _LIFE)
        return judging.message(len(queue.messages()) == 1, "Zaqar")

    def signed_url(self) -> Finding:
        """Sign an address, and read the same message with nothing but it."""
        endpoint = self._connection.endpoint()
        if self._queue is None:
            raise ValueError("no message was posted")
        address = self._queue.address(endpoint, queues.RESULT_METHODS, _LIFE)
        tls = heat_options.get_ssl_options("keystone")["verify"]
        trust = Trust(tls if isinstance(tls, str) else None, insecure=tls is False)
        signed = zaqar.AsSigned(address, trust)
        found = list(zaqar.Queue(signed, address.queue, str(uuid.uuid4())).unclaimed())
        return judging.message(len(found) == 1, "[signed_url]")

    def _delete_queue(self) -> None:
        """A project's end does not end its queues. Zaqar may be what is missing."""
        if self._queue:
            with suppress(CloudError):
                self._queue.delete()


BEFORE = (
    Look("Keystone", Cloud.keystone, "set auth_uri in [clients_keystone], and start Keystone"),
    Look("stack domain", Cloud.domain, "heat-keystone-setup-domain makes it and its administrator"),
    Look("role", Cloud.role, "let the domain's administrator list roles (identity:list_roles)"),
)
PROJECT = Look(
    "stack project",
    lambda _: Finding("stack project", "made, and its queues are the domain administrator's"),
    "give the domain's administrator the role admin in the domain: he makes projects and grants "
    "himself the role of stack users there",
)
IN_PROJECT = (
    Look("catalog", Cloud.catalog, "let Keystone serve the domain's administrator"),
    Look("Zaqar", Cloud.zaqar, "start Zaqar; it must take the role of stack users (policy)"),
    Look("[signed_url]", Cloud.signed_url, "set secret_key in [signed_url] of zaqar.conf, the same "
         "on all of Zaqar's hosts, and compare the clocks"),
)  # fmt: skip


def there() -> Iterator[Finding]:
    """What Keystone and Zaqar say; what stands on something that is missing is not looked at."""
    conf = cfg.CONF
    name = conf.stack_user_domain_id or conf.stack_user_domain_name
    finding = judging.domain_options(
        conf.stack_domain_admin, conf.stack_domain_admin_password, name
    )
    yield _said(finding)
    if finding.ok:
        yield from _looks(Cloud())


def _looks(cloud: Cloud) -> Iterator[Finding]:
    what = PROJECT
    try:
        for what in BEFORE:
            finding = _said(what.look(cloud))
            yield finding
            if not finding.ok:
                return
        what = PROJECT
        with cloud.project():
            for what in (PROJECT, *IN_PROJECT):
                finding = _said(what.look(cloud))
                yield finding
                if not finding.ok:
                    return
    except (CloudError, exceptions.ClientException, OSError, ValueError, KeyError) as error:
        yield _said(judging.refused(what.what, str(error), what.remedy))


def _session() -> Any:
    return session.Session(
        timeout=project.TIMEOUT, app_name=PROGRAM, **heat_options.get_ssl_options("keystone")
    )
