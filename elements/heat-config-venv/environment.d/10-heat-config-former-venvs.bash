# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# Where tripleo-image-elements has its environments. Other elements use these variables, too.
export OS_APPLY_CONFIG_VENV_DIR=${OS_APPLY_CONFIG_VENV_DIR:-${OPENSTACK_VENV_DIR:-/opt/stack/venvs/os-apply-config}}
export OS_COLLECT_CONFIG_VENV_DIR=${OS_COLLECT_CONFIG_VENV_DIR:-${OPENSTACK_VENV_DIR:-/opt/stack/venvs/os-collect-config}}

# dib also takes the package lists of elements that stand behind ours and have the same names. With
# the install type "package" those ask for packages that Debian does not have.
export DIB_INSTALLTYPE_os_apply_config=${DIB_INSTALLTYPE_os_apply_config:-source}
export DIB_INSTALLTYPE_os_collect_config=${DIB_INSTALLTYPE_os_collect_config:-source}
export DIB_INSTALLTYPE_os_refresh_config=${DIB_INSTALLTYPE_os_refresh_config:-source}
