# SPDX-License-Identifier: Apache-2.0
"""The lab's profile with a real Nova: libvirt and qemu, Placement, Glance, Neutron, RabbitMQ.

All of it, and the servers that it boots, is in namespaces of its own (space.py), which the kernel
takes away with the process that made them: no process, mount, network device or shared memory can
stay, however that process ends.

What is real: every service, Heat's user data on a configuration drive, cloud-init in the image.
What is not: a boot loader (kernel and initrd are in Glance, with a command line of the lab's), and
Neutron's agent, whose part bridge.py does.
"""
