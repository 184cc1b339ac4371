# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
export DIB_APT_MINIMAL_CREATE_INTERFACES=${DIB_APT_MINIMAL_CREATE_INTERFACES:-0}
