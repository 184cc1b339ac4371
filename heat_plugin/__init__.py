# SPDX-License-Identifier: Apache-2.0
"""Heat's half: a plug-in for openstack-heat that loses no result and needs no password on a server.

It stands on Heat's own classes for deployments and servers and changes none of Heat's files.
Heat loads it by ``plugin_dirs``: a folder with one line that imports this package.

Data goes one way here, too: :mod:`~heat_plugin.transport` (what is chosen),
:mod:`~heat_plugin.pacing` (when to look), :mod:`~heat_plugin.answer` (what a look means) and
:mod:`~heat_plugin.posting` (how metadata are posted) are pure; :mod:`~heat_plugin.project` and
:mod:`~heat_plugin.queues` speak with Keystone and Zaqar; the resources are thin on top. What the
server must know is in :mod:`heat_config.cloud.signed` and :mod:`heat_config.cloud.packed`.
"""
