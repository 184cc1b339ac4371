# SPDX-License-Identifier: Apache-2.0
"""Commands of ``openstack`` that show a stack's software deployments to its operator."""
