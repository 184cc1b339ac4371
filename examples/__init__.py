# SPDX-License-Identifier: Apache-2.0
"""The example templates of openstack/heat-templates on this agent: ``make example-templates``.

They are not part of this project: whoever runs this has fetched them. They run unchanged but for
what a cloud would be: each server of theirs is an ``OS::Heat::DeployedServer`` in a provider
template, booted here from an image with our elements and cloud-init, with the user data that Heat
would give Nova; networks are nothing; what a cloud would have is not asked for.

    chosen  which there are, and which cannot run here     cloud  what stands where a cloud would
    play    one template, from its stack to its servers    table  what is printed
"""
