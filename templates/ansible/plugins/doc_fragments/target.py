# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT

from __future__ import annotations


class ModuleDocFragment:
    """Options that name an instance, and the tool."""

    DOCUMENTATION = r"""
options:
  name:
    description: The name of the instance, where it is installed or its manifest says none.
    type: str
  instance_dir:
    description: The instance's deploy folder on the host, in which its manifest stands.
    type: path
  component:
    description: The component, where a folder has several manifests.
    type: str
  scope:
    description:
      - Whose instances. Unless it is said, V(system), the host's, for root, and V(user), the caller's own, for others.
        Use C(become) to be root, or another user.
    type: str
    choices: [system, user]
  binary:
    description:
      - The path of mainstay on the host. Unless it is said, it is looked for in PATH, C(/usr/local/bin),
        C(/usr/local/sbin), C(/opt/bin) and C(~/.local/bin).
    type: path
  wait_lock:
    description: For how many seconds another command that is at work on the instance is waited for.
    type: int
    default: 60
requirements:
  - mainstay on the host, which the role P(mainstay.mainstay.service#role) brings
"""
