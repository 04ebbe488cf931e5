# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT

from __future__ import annotations


class ModuleDocFragment:
    """What the modules support."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Says what it would do, and changes nothing.
  diff_mode:
    support: full
    description: Says what has changed, or would, line by line.
  platform:
    support: full
    platforms: posix
    description: The systems on which it works.
"""
