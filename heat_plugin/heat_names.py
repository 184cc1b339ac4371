# SPDX-License-Identifier: Apache-2.0
"""All that this plug-in uses of Heat: who moves to the next Heat looks here.

A test compares the lists with the sources, so that none is missing and none too much; `missing`
says what a Heat lacks. Each name stands in all versions of VERSIONS, with the meaning that is used.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

VERSIONS = ("22.0.1", "24.1.1", "26.0.1", "27.0.1")
"""The releases in which all names were found. The tests run on the last."""

_DEPLOYMENT = "heat.engine.resources.openstack.heat.software_deployment:SoftwareDeployment"
_STRUCTURED = "heat.engine.resources.openstack.heat.structured_config:StructuredDeployment"
_DEPLOYED = "heat.engine.resources.openstack.heat.deployed_server:DeployedServer"
_NOVA = "heat.engine.resources.openstack.nova.server:Server"
_BASE = "heat.engine.resources.server_base:BaseServer"

IMPORTED = frozenset(
    {
        "heat.common.config:get_client_option",
        "heat.common.config:get_ssl_options",
        "heat.common.endpoint_utils:get_auth_uri",
        "heat.common.exception:Error",
        "heat.common.exception:StackValidationFailed",
        "heat.engine.attributes:Schema",
        "heat.engine.attributes:Schema.STRING",
        "heat.engine.constraints:AllowedValues",
        "heat.engine.properties:Schema",
        "heat.engine.properties:Schema.BOOLEAN",
        "heat.engine.properties:Schema.STRING",
        "heat.engine.resource:PollDelay",
        "heat.engine.software_config_io:InputConfig",
        "heat.objects.resource:Resource",
        "heat.objects.resource:Resource.get_all_active_by_stack",
        "heat.objects.resource:Resource.get_all_by_physical_resource_id",
        _DEPLOYMENT,
        f"{_DEPLOYMENT}.SIGNAL_TRANSPORT",
        f"{_DEPLOYMENT}.SIGNAL_TRANSPORTS",
        f"{_DEPLOYMENT}.attributes_schema",
        f"{_DEPLOYMENT}.properties_schema",
        f"{_DEPLOYMENT}Group",
        f"{_DEPLOYMENT}Group.properties_schema",
        _STRUCTURED,
        f"{_STRUCTURED}.properties_schema",
        f"{_STRUCTURED}Group",
        f"{_STRUCTURED}Group.properties_schema",
        _DEPLOYED,
        f"{_DEPLOYED}.SOFTWARE_CONFIG_TRANSPORT",
        f"{_DEPLOYED}.attributes_schema",
        f"{_DEPLOYED}.properties_schema",
        _NOVA,
        f"{_NOVA}.attributes_schema",
        f"{_NOVA}.properties_schema",
        _BASE,
    }
)
"""Modules and classes by name."""

OF_INSTANCES = frozenset(
    {
        "context",
        "name",
        "properties",
        "resource_id",
        "stack",
        "stack.convergence",
        "stack.id",
        "stack.timeout_secs",
    }
)
"""What Heat gives each resource when it makes it."""

OF_DEPLOYMENTS = frozenset(
    {
        "CFN_SIGNAL",
        "COMPLETE",
        "DEPLOY_SIGNAL_ID",
        "DEPLOY_SIGNAL_TRANSPORT",
        "DEPLOY_SIGNAL_VERB",
        "HEAT_SIGNAL",
        "IN_PROGRESS",
        "NO_SIGNAL",
        "SERVER",
        "TEMP_URL_SIGNAL",
        "_check_complete",
        "_delete_signals",
        "_delete_user",
        "_get_heat_signal_credentials",
        "_server_exists",
        "data",
        "data_delete",
        "data_set",
    }
)
"""Used by deployments, not changed."""

OF_SERVERS = frozenset(
    {
        "POLL_SERVER_CFN",
        "POLL_SERVER_HEAT",
        "POLL_TEMP_URL",
        "ZAQAR_MESSAGE",
        "_get_user_id",
        "data",
        "data_delete",
        "data_set",
        "metadata_get",
    }
)
"""Used by servers, not changed."""

OVERRIDDEN_IN_DEPLOYMENTS = frozenset(
    {
        "_build_derived_inputs",
        "_create_user",
        "_delete_resource",
        "_delete_zaqar_signal_queue",
        "_get_zaqar_signal_queue_id",
        "_resolve_attribute",
        "_signal_transport_cfn",
        "_signal_transport_heat",
        "_signal_transport_none",
        "_signal_transport_temp_url",
        "_signal_transport_zaqar",
        "attributes_schema",
        "check_create_complete",
        "check_delete_complete",
        "check_resume_complete",
        "check_suspend_complete",
        "check_update_complete",
        "get_attribute",
        "handle_create",
        "handle_delete",
        "handle_resume",
        "handle_signal",
        "handle_suspend",
        "handle_update",
        "properties_schema",
        "rpc_client",
        "validate",
    }
)

OVERRIDDEN_IN_SERVERS = frozenset(
    {
        "_create_transport_credentials",
        "_create_user",
        "_delete_queue",
        "_needs_update",
        "_populate_deployments_metadata",
        "_resolve_attribute",
        "_update_software_config_transport",
        "attributes_schema",
        "check_create_complete",
        "check_delete_complete",
        "handle_create",
        "handle_delete",
        "handle_resume",
        "handle_suspend",
        "handle_update",
        "metadata_set",
        "properties_schema",
        "transport_poll_server_cfn",
        "transport_poll_server_heat",
        "transport_poll_temp_url",
        "transport_zaqar_message",
        "validate",
    }
)

CALLED_BY_HEAT = frozenset(
    {"check_resume_complete", "check_suspend_complete", "check_update_complete"}
)
"""Heat calls them on any resource that has them; a deployed server of Heat's has none."""

OWN_IN_DEPLOYMENTS = frozenset(
    {
        "_address",
        "_advance",
        "_as_given",
        "_auto",
        "_decide",
        "_drop_queue",
        "_engine",
        "_forget",
        "_is_asking_due",
        "_is_post_due",
        "_is_watched",
        "_keep",
        "_keep_watched",
        "_leave",
        "_leaves_queues",
        "_look",
        "_open_queue",
        "_post_again",
        "_progress",
        "_queue_name",
        "_read",
        "_record",
        "_signal_heat",
        "_signed",
        "_spared_queue",
        "_transport",
        "_unless_well",
        "_waits",
        "_work",
        "_zaqar",
    }
)
"""Names of ours on Heat's classes: Heat must not have them."""

OWN_IN_SERVERS = frozenset(
    {
        "_add_address",
        "_advance",
        "_auto",
        "_decide",
        "_is_half_over",
        "_is_moving",
        "_is_unsigned",
        "_keep",
        "_leave_queue",
        "_leaves_queues",
        "_post",
        "_record",
        "_used",
        "_zaqar",
    }
)

# What is used of Heat's clients, and of what its engine answers.
CLIENTS = frozenset(
    {
        "heat.rpc.client:EngineClient.create_software_deployment",
        "heat.rpc.client:EngineClient.delete_software_deployment",
        "heat.rpc.client:EngineClient.ignore_error_by_name",
        "heat.rpc.client:EngineClient.show_software_deployment",
        "heat.rpc.client:EngineClient.signal_software_deployment",
        "heat.rpc.client:EngineClient.update_software_deployment",
        "heat.engine.clients.os.zaqar:ZaqarClientPlugin.DEFAULT_TTL",
        "heat.engine.clients.os.zaqar:ZaqarClientPlugin.does_endpoint_exist",
        "heat.engine.clients.os.zaqar:ZaqarClientPlugin._get_client_option",
        "heat.engine.clients.os.zaqar:ZaqarClientPlugin._get_region_name",
        "heat.engine.clients.os.keystone.heat_keystoneclient:KsClientWrapper.domain_admin_auth",
        "heat.engine.clients.os.keystone.heat_keystoneclient:KsClientWrapper.domain_admin_client",
        "heat.engine.clients.os.keystone.heat_keystoneclient:KsClientWrapper.stack_domain_id",
        "heat.engine.clients.os.keystone.heat_keystoneclient:KsClientWrapper.create_stack_domain_project",
        "heat.engine.clients.os.keystone.heat_keystoneclient:KsClientWrapper._get_username",
        "heat.common.context:RequestContext.keystone_v3_endpoint",
        "heat.engine.resources.openstack.heat.software_deployment:SoftwareDeploymentGroup.get_resource_def",
        "heat.engine.rsrc_defn:ResourceDefinition.Diff.metadata_changed",
        "heat.engine.stack:Stack.set_stack_user_project_id",
        "heat.engine.stack:Stack.timeout_secs",
    }
)

OPTIONS = frozenset(
    {
        "default_deployment_signal_transport",
        "default_software_config_transport",
        "environment_dir",
        "executor_thread_pool_size",
        "heat_stack_user_role",
        "num_engine_workers",
        "plugin_dirs",
        "region_name_for_services",
        "stack_domain_admin",
        "stack_domain_admin_password",
        "stack_user_domain_id",
        "stack_user_domain_name",
    }
)
"""Of heat.conf, besides the plug-in's own section."""


def missing() -> Iterator[str]:
    """What the Heat that is installed lacks, or has under a name of ours."""
    yield from (name for name in sorted(IMPORTED | CLIENTS) if _find(name) is None)
    for owner, names in (
        (_DEPLOYMENT, OF_DEPLOYMENTS | OVERRIDDEN_IN_DEPLOYMENTS),
        (_NOVA, OF_SERVERS | OVERRIDDEN_IN_SERVERS),
        (_DEPLOYED, OF_SERVERS | OVERRIDDEN_IN_SERVERS),
    ):
        yield from (f"{owner}.{name}" for name in sorted(names) if _lacks(owner, name))
    for owner, names in (
        (_DEPLOYMENT, OWN_IN_DEPLOYMENTS),
        (_DEPLOYED, OWN_IN_SERVERS),
        (_NOVA, OWN_IN_SERVERS),
    ):
        taken = [name for name in sorted(names) if not _lacks(owner, name)]
        yield from (f"{owner} has {name}, too" for name in taken)


def _lacks(owner: str, name: str) -> bool:
    return _find(f"{owner}.{name}") is None


def _find(name: str) -> object:
    """What a name of the lists stands for; None where there is no such thing."""
    module, _, path = name.partition(":")
    try:
        found: object = importlib.import_module(module)
    except ImportError:
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return found
