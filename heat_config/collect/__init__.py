# SPDX-License-Identifier: Apache-2.0
"""heat-config-collect: how what Heat asks for comes to the server.

:mod:`~heat_config.collect.loop` is the program around os-collect-config's collectors,
:mod:`~heat_config.collect.collector` the one for Zaqar.
"""
