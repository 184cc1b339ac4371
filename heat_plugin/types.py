# SPDX-License-Identifier: Apache-2.0
"""The names of this plug-in's types, as Heat asks for them."""

from __future__ import annotations

from typing import Any

from heat_plugin import deployments, servers


def resource_mapping() -> dict[str, Any]:
    """Types of our own: an environment maps Heat's names to them, and nothing else changes."""
    return {
        "HeatConfig::SoftwareDeployment": deployments.SoftwareDeployment,
        "HeatConfig::StructuredDeployment": deployments.StructuredDeployment,
        "HeatConfig::SoftwareDeploymentGroup": deployments.SoftwareDeploymentGroup,
        "HeatConfig::StructuredDeploymentGroup": deployments.StructuredDeploymentGroup,
        "HeatConfig::DeployedServer": servers.DeployedServer,
        "HeatConfig::Server": servers.Server,
        "HeatConfig::SoftwareDeploymentWithUser": deployments.SoftwareDeploymentWithUser,
        "HeatConfig::StructuredDeploymentWithUser": deployments.StructuredDeploymentWithUser,
        "HeatConfig::DeployedServerWithUser": servers.DeployedServerWithUser,
        "HeatConfig::ServerWithUser": servers.ServerWithUser,
    }
