#!/usr/bin/python
# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: The version of a service that ran before
description:
  - Brings an instance of mainstay's back to the version that was active before, or to another one that is unpacked on
    the host. Nothing is fetched.
version_added: "0.1.0"
options:
  to:
    description:
      - The version to go to. Where it is active already, nothing changes.
      - Without it, each run goes one version further back; see O(from_version).
    type: str
  from_version:
    description:
      - Goes back only where this version is active. So a host that never came to it is left as it is, and a second run
        changes nothing.
    type: str
  restore_data:
    description:
      - Whether the data come back that the older version left (C(upgrade.data)). Newer data are lost to it, and kept in a
        snapshot.
    type: bool
    default: false
extends_documentation_fragment:
  - mainstay.mainstay.target
  - mainstay.mainstay.attributes
seealso:
  - module: mainstay.mainstay.instance
author:
  - The mainstay authors (@mainstay-dev)
"""

EXAMPLES = r"""
- name: Back to a version, wherever another one runs
  mainstay.mainstay.rollback:
    name: api
    to: 1.0.0

- name: Away from a version, wherever it runs
  mainstay.mainstay.rollback:
    name: api
    from_version: 1.1.0
"""

RETURN = r"""
version:
  description: The active version after; in check mode, the one that would be.
  type: str
  returned: always
  sample: "1.0.0"
version_before:
  description: The active version before.
  type: str
  returned: always
  sample: "1.1.0"
operations:
  description: What was done, as mainstay calls it.
  type: list
  elements: str
  returned: always
steps:
  description: Each file and command of it, in order; the same in check mode.
  type: list
  elements: str
  returned: always
settings:
  description: The settings that change with it.
  type: list
  elements: dict
  returned: always
drift:
  description: What was not as it was applied.
  type: list
  elements: dict
  returned: always
notices:
  description: What to know beside.
  type: list
  elements: str
  returned: always
downtime_ms:
  description: For how many milliseconds the program did not answer.
  type: int
  returned: when it was restarted
status:
  description: How the instance is now, as C(mainstay status --json) has it (C(status.v1)).
  type: dict
  returned: success
commands:
  description: What was typed.
  type: list
  elements: str
  returned: always
exit_code:
  description: Why it failed, as of M(mainstay.mainstay.instance).
  type: int
  returned: failure
help:
  description: What to do, a line each.
  type: list
  elements: str
  returned: failure
kept_version:
  description: The version that runs again.
  type: str
  returned: when the older version has failed (exit code 7)
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mainstay.mainstay.plugins.module_utils.operation import carry_out, empty
from ansible_collections.mainstay.mainstay.plugins.module_utils.tool import ARGUMENTS, Failed, Tool, told


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec=dict(
            ARGUMENTS,
            to={"type": "str"},
            from_version={"type": "str"},
            restore_data={"type": "bool", "default": False},
        ),
        supports_check_mode=True,
        required_one_of=[("name", "instance_dir")],
    )
    tool = Tool(module)
    result = empty()
    target = tool.target()
    try:
        status = tool.status(target)
    except Failed as failed:
        module.fail_json(**dict(result, **told(failed.answer)))
    if status is None:
        named = module.params["name"] or module.params["instance_dir"]
        module.fail_json(exit_code=3, msg="there is no instance `%s` on this host to roll back" % named, **result)
    result["version_before"] = result["version"] = status.get("version")
    wanted, unwanted = module.params["to"], module.params["from_version"]
    if unwanted is None or unwanted == status.get("version"):
        words = ["upgrade"] + target + (["--to", wanted] if wanted else ["--rollback"])
        words += ["--restore-data"] if module.params["restore_data"] else []
        carry_out(tool, [words + ["--yes"]], result, status_words=target)
        try:
            status = tool.status(target)
        except Failed as failed:
            module.fail_json(**dict(result, **told(failed.answer)))
    if status:
        result["status"] = status
        if not module.check_mode:
            result["version"] = status.get("version")
    module.exit_json(**dict(result, commands=tool.commands))


if __name__ == "__main__":
    main()
