#!/usr/bin/python
# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT

from __future__ import annotations

DOCUMENTATION = r"""
module: info
short_description: How the services of mainstay's on a host are
description:
  - Tells of one instance, or of all, how it is, which versions it has, what was changed past its manifest, and what was
    done to it. Changes nothing.
version_added: "0.1.0"
options:
  gather:
    description:
      - What to tell beside the name, version, state, scope and folder of each.
      - V(status) is how it is, with its health, its trial and its unpacked versions (C(status.v1)).
      - V(drift) is what C(apply) would change, with the reasons.
      - V(history) is what was done to it and what happened to it.
      - V(doctor) is what is wrong, and what mends it.
    type: list
    elements: str
    choices: [status, drift, history, doctor]
    default: [status]
  history_lines:
    description: How many events of its history, the last ones.
    type: int
    default: 20
extends_documentation_fragment:
  - mainstay.mainstay.target
  - mainstay.mainstay.attributes
attributes:
  check_mode:
    support: full
    description: Changes nothing in either mode.
  diff_mode:
    support: none
    description: Changes nothing, so that there is nothing to compare.
notes:
  - An instance that is not there is no failure. Then RV(instances) is empty.
seealso:
  - module: mainstay.mainstay.instance
author:
  - The mainstay authors (@mainstay-dev)
"""

EXAMPLES = r"""
- name: All of this host
  mainstay.mainstay.info:
  register: found

- name: What was changed past the manifest
  mainstay.mainstay.info:
    name: api
    gather: [status, drift]
  register: found

- name: Nothing was
  ansible.builtin.assert:
    that: not found.instances | selectattr('pending') | list
"""

RETURN = r"""
tool_version:
  description: The version of mainstay.
  type: str
  returned: success
  sample: "0.1.0"
instances:
  description: The instances, in order of scope and name.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The instance.
      type: str
    component:
      description: Its component.
      type: str
    state:
      description: Where it stands, as in V(ready), V(stopped), V(failed), V(starting), V(backing-off).
      type: str
    ready:
      description: Whether all is as it should be while it is in service, that is V(ready), V(sleeping) or V(idle).
      type: bool
    version:
      description: The active version.
      type: str
    on_trial:
      description: Whether that version is on trial.
      type: bool
    platform:
      description: The service manager.
      type: str
    scope:
      description: Whose it is.
      type: str
    folder:
      description: Its deploy folder.
      type: str
    status:
      description: How it is (C(status.v1)), with C(gather=status).
      type: dict
    pending:
      description: Whether C(apply) would change anything, with C(gather=drift).
      type: bool
    drift:
      description: What is not as it was applied, with C(gather=drift).
      type: list
      elements: dict
    settings:
      description: The settings that the manifest says otherwise, with C(gather=drift).
      type: list
      elements: dict
    steps:
      description: What C(apply) would do, with C(gather=drift).
      type: list
      elements: str
    history:
      description: The events, oldest first, with C(gather=history).
      type: list
      elements: dict
    findings:
      description: What is wrong, with C(gather=doctor).
      type: list
      elements: dict
    errors:
      description: What could not be told of it, and why.
      type: list
      elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mainstay.mainstay.plugins.module_utils.decision import SETTLED
from ansible_collections.mainstay.mainstay.plugins.module_utils.tool import ARGUMENTS, Failed, Tool, told


def wanted(found, params):
    """Whether an instance of the list is one that is asked for."""
    asked = (("name", "name"), ("component", "component"), ("folder", "instance_dir"))
    return all(not params[option] or found[field] == plain(params[option]) for field, option in asked)


def plain(text):
    """A name, or a folder without the slash that a shell adds at its end."""
    return text.rstrip("/") or "/"


def gathered(tool, found, params):
    """One instance, with what was asked for."""
    told_of = {name: found.get(name) for name in ("name", "component", "state", "version", "platform", "scope", "folder")}
    told_of.update(ready=found["state"] in SETTLED, on_trial=bool(found.get("onTrial")), errors=[])
    words = ["--name", found["name"], "--" + found["scope"]]
    gather = params["gather"]
    if "status" in gather:
        told_of["status"] = asked(tool, told_of, ["status"] + words)
    if "drift" in gather:
        plan = asked(tool, told_of, ["plan"] + words) or {}
        told_of.update(
            pending=plan.get("changed"),
            drift=plan.get("drift") or [],
            settings=plan.get("fields") or [],
            steps=plan.get("steps") or [],
        )
    if "history" in gather:
        history = asked(tool, told_of, ["history", "--lines", str(params["history_lines"])] + words) or {}
        told_of["history"] = history.get("events") or []
    if "doctor" in gather:
        doctor = asked(tool, told_of, ["doctor"] + words) or {}
        findings = [finding for one in doctor.get("instances") or [] for finding in one.get("findings") or []]
        told_of["findings"] = findings
    return told_of


def asked(tool, told_of, words):
    """What a command says; nothing, and the reason among the errors, where it can't say it."""
    answer = tool.ask(words)
    if answer.failed:
        told_of["errors"].append(told(answer)["msg"])
        return None
    return answer.document


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec=dict(
            ARGUMENTS,
            gather={
                "type": "list",
                "elements": "str",
                "choices": ["status", "drift", "history", "doctor"],
                "default": ["status"],
            },
            history_lines={"type": "int", "default": 20},
        ),
        supports_check_mode=True,
    )
    tool = Tool(module)
    answer = tool.ask(["list"] + tool.scope())
    if answer.failed:
        failure = Failed(answer)
        module.fail_json(**told(failure.answer))
    listed = [found for found in answer.document["instances"] if wanted(found, module.params)]
    instances = [gathered(tool, found, module.params) for found in listed]
    module.exit_json(changed=False, tool_version=tool.version, instances=instances)


if __name__ == "__main__":
    main()
