#!/usr/bin/python
# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT

from __future__ import annotations

DOCUMENTATION = r"""
module: instance
short_description: A service of mainstay's, in the state that is asked for
description:
  - Installs a packaged program as a service, and brings it to what its manifest says, to another version, to another
    state, or away.
  - One host's promises are mainstay's. A new version has to become ready, or the one before runs again, whatever dies
    meanwhile; then the task fails with RV(ignore:exit_code=7) and RV(ignore:kept_version), and the host needs no repair.
  - All that is done is one C(mainstay) command, at most two, each with C(--json).
version_added: "0.1.0"
options:
  state:
    description:
      - V(present) installs and starts what is not installed, and brings what is installed to its manifest and package.
        One that somebody has stopped stays stopped.
      - V(latest) is V(present) with the version that the manifest (C(package.url)), or the program's package manager, holds
        now. With O(package) it is V(present).
      - V(started) and V(stopped) are V(present) as far as O(manifest), O(manifest_src), O(manifest_template) or O(package)
        say what the service is to be, and see to it that it runs and is ready, or does not run.
      - V(restarted) is V(started) with a restart, unless the program was started anew already.
      - V(absent) stops and removes it. Configuration, data, logs and manifest stay, unless O(purge) is true. What says which
        program it is (O(package), O(checksum), O(version)) means nothing then.
    type: str
    choices: [present, latest, started, stopped, restarted, absent]
    default: present
  manifest:
    description:
      - What the service is, as a mapping or as a text in JSON. See C(docs/manifest.md) of mainstay.
      - It is put into O(instance_dir) together with what it brings about, and taken away again where that fails.
      - It is never logged. Secrets belong in files that it names (C(service.secrets)), not in it.
    type: raw
  manifest_src:
    description: The same, as a file of the controller (looked for in C(files)), or of the host where O(remote_src=true).
    type: path
  manifest_template:
    description: The same, as a template of the controller (looked for in C(templates)).
    type: path
  package:
    description:
      - The program that has to run, as an archive (C(.tar.gz), C(.zip), C(.whl)) of the controller (looked for in C(files)).
        With O(remote_src=true), of the host, where it may also be a folder of archives, of which the newest is taken.
      - An address (C(https://), C(http://), C(file://)) is fetched by the host itself. C({version}), C({os}) and C({arch})
        in it are replaced. Without O(checksum) or O(version) it is fetched at every run.
      - An archive of the controller is sent only if the host has neither it nor what is in it.
    type: str
  remote_src:
    description: Whether O(package) and O(manifest_src) are on the host already.
    type: bool
    default: false
  checksum:
    description:
      - The sha256 that the package has to have. That of a file is computed, and it fails where it is another than this one.
      - Of an address, bytes that are on the host already are not fetched again, so that it has to change with the address.
    type: str
  version:
    description: The version that the package has to be, or which one to fetch.
    type: str
  signature:
    description:
      - The file of the package's minisign signature, on the host. Beside an archive of the controller, a file of its name
        with C(.minisig) is sent along.
    type: path
  platform:
    description: The service manager for a manifest that the tool makes; a manifest of yours says it itself.
    type: str
    choices: [systemd, launchd, windows, task, compose, embedded]
  force:
    description: Whether an older version, and one that was taken back before, may be brought.
    type: bool
    default: false
  purge:
    description: With O(state=absent), whether configuration, data, logs and history go as well.
    type: bool
    default: false
  package_dir:
    description:
      - Where archives of the controller are kept on the host. Unless it is said, C(/var/cache/mainstay/packages) for root and
        C(~/.cache/mainstay/packages) for others.
    type: path
  package_keep:
    description: How many archives are kept there. One that was used in the last ten minutes stays.
    type: int
    default: 1
  controller_package:
    description: Set by the action plugin, which knows the controller's files. Not for playbooks.
    type: dict
extends_documentation_fragment:
  - mainstay.mainstay.target
  - mainstay.mainstay.attributes
notes:
  - In check mode, C(mainstay --dry-run) answers, and RV(steps) is the list that the real run then has. An archive of the
    controller that the host lacks is sent for that as well, and removed at the end.
  - In diff mode there is a unified diff of the manifest and of each definition that changes, without what looks like a
    secret.
seealso:
  - module: mainstay.mainstay.rollback
  - module: mainstay.mainstay.info
author:
  - The mainstay authors (@mainstay-dev)
"""

EXAMPLES = r"""
- name: A service from an archive of the controller
  mainstay.mainstay.instance:
    instance_dir: /srv/api
    manifest:
      name: api
      package: { name: server }
      service:
        command: ["{package}/bin/server", "--port", "8000"]
        ready: { http: "http://127.0.0.1:8000/" }
    package: server-1.0.0.tar.gz

- name: Another version, fetched by the host itself
  mainstay.mainstay.instance:
    name: api
    package: https://releases.example.com/server-1.1.0-{os}-{arch}.tar.gz
    checksum: "{{ server_checksum }}"

- name: Running, whatever the manifest in its folder says
  mainstay.mainstay.instance:
    name: api
    state: started

- name: Gone, with all that it kept
  mainstay.mainstay.instance:
    name: api
    state: absent
    purge: true
"""

RETURN = r"""
version:
  description: The active version after; in check mode, the one that would be.
  type: str
  returned: when an instance is or would be there
  sample: "1.1.0"
version_before:
  description: The active version before.
  type: str
  returned: when an instance was there
  sample: "1.0.0"
operations:
  description: What was done, in order, as mainstay calls it.
  type: list
  elements: str
  returned: always
  sample: [upgrade]
steps:
  description: Each file and command of it, in order; the same in check mode.
  type: list
  elements: str
  returned: always
settings:
  description: The settings of the manifest that change, each with what it takes.
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
  returned: when an instance is there
commands:
  description: What was typed.
  type: list
  elements: str
  returned: always
exit_code:
  description:
    - Why it failed. 1 failed, 2 usage or manifest, 3 no such instance, 4 refused, 5 not the expected bytes, 6 another
      command at work, 7 the version before runs again, 8 the service is down.
  type: int
  returned: failure
help:
  description: What to do, a line each.
  type: list
  elements: str
  returned: failure
causes:
  description: Why, outermost first.
  type: list
  elements: str
  returned: failure
problems:
  description: The faults of the manifest, each with file, line, column, member and message.
  type: list
  elements: dict
  returned: failure
kept_version:
  description: The version that runs again.
  type: str
  returned: when a new version has failed (exit code 7)
"""

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mainstay.mainstay.plugins.module_utils import package, shown
from ansible_collections.mainstay.mainstay.plugins.module_utils.decision import Need, Wish, commands, need
from ansible_collections.mainstay.mainstay.plugins.module_utils.operation import carry_out, empty, recover
from ansible_collections.mainstay.mainstay.plugins.module_utils.tool import ARGUMENTS, Failed, Tool, told

OPTIONS = dict(
    ARGUMENTS,
    state={
        "type": "str",
        "default": "present",
        "choices": ["present", "latest", "started", "stopped", "restarted", "absent"],
    },
    # Nothing of it is logged; what of it is a secret is hidden below.
    manifest={"type": "raw", "no_log": True},
    manifest_src={"type": "path"},
    manifest_template={"type": "path"},
    package={"type": "str"},
    remote_src={"type": "bool", "default": False},
    checksum={"type": "str"},
    version={"type": "str"},
    signature={"type": "path"},
    platform={"type": "str", "choices": ["systemd", "launchd", "windows", "task", "compose", "embedded"]},
    force={"type": "bool", "default": False},
    purge={"type": "bool", "default": False},
    package_dir={"type": "path"},
    package_keep={"type": "int", "default": 1},
    controller_package={"type": "dict"},
)


class Instance:
    """One instance on one host."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        # Results hold what a module was given. A manifest's values are not all secrets, so they are not hidden one by one;
        # instead the whole is kept aside, and those that are secrets are told below.
        self.given, self.package = self.params["manifest"], self.params["package"]
        self.module.no_log_values = shown.passwords_of(self.package)
        if self.given is not None:
            self.params["manifest"] = "(not shown)"
        if self.package:
            self.params["package"] = shown.address(self.package)
        # Where faults of the manifest are.
        self.origin = (self.params["controller_package"] or {}).get("origin") or "manifest"
        self.text = self._manifest_text()
        self.declared = self._declared()
        self.tool = Tool(module)
        self.result = empty()
        self.renamed = None

    def _manifest_text(self):
        """The manifest that is brought, as a text; nothing if it is the one in its folder."""
        given = self.given
        source = self.params["manifest_src"]
        if source:
            self.origin = source
            try:
                with open(source, encoding="utf-8") as file:
                    return file.read()
            except (OSError, UnicodeDecodeError) as error:
                self.module.fail_json(msg="the manifest %s can't be read: %s" % (source, error))
        if isinstance(given, (dict, list)):
            return json.dumps(given, indent=2, ensure_ascii=False) + "\n"
        return given

    def _declared(self):
        """The manifest as it will be, as a mapping; what can't be read is the tool's to refuse."""
        return self._read(self._text_in_folder() if self.text is None else self.text)

    def _read(self, text):
        try:
            declared = json.loads(text or "{}")
        except ValueError:
            self.module.no_log_values.update(shown.secrets_in(text))
            return {}
        declared = declared if isinstance(declared, dict) else {}
        self.module.no_log_values.update(shown.secrets_of(declared))
        return declared

    def _text_in_folder(self, folder=None):
        folder = folder or self.params["instance_dir"]
        names = ["mainstay.json"]
        if self.params["component"]:
            names.insert(0, "%s.mainstay.json" % self.params["component"])
        for name in names if folder else []:
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    return file.read()
            except (OSError, UnicodeDecodeError):
                continue
        return None

    def wish(self, source, checksum):
        """What the task asks for."""
        given = self.params
        return Wish(
            given["state"],
            target=self.tool.target(),
            manifest=self.text is not None,
            declared=self.declared,
            source=source,
            package=bool(self.package),
            checksum=checksum,
            version=given["version"],
            signature=given["signature"],
            platform=given["platform"],
            force=given["force"],
            purge=given["purge"],
        )

    def status_words(self):
        """The words that name the instance to `status`: by its name, since its folder may not be there yet."""
        name = self.params["name"] or self.declared.get("name")
        if isinstance(name, str):
            return ["--name", name] + self.tool.scope()
        return self.tool.target()

    def run(self):
        """Brings the instance to its state."""
        self._guard()
        try:
            status = self.tool.status(self.status_words())
            if status and status.get("operation") == "unfinished":
                recover(self.tool, self.status_words(), self.result)
                status = self.tool.status(self.status_words())
        except Failed as failed:
            self.module.fail_json(**dict(self.result, **told(failed.answer, self.origin)))
        if status and self.text is None and not self.declared:
            self.declared = self._declared_of(status)
        self.result["version_before"] = self.result["version"] = (status or {}).get("version")
        if self.params["state"] == "absent":
            return self._absent(status)
        self._guard_absent_one(status)
        source, checksum = self._source(status)
        wish = self.wish(source, checksum)
        carry_out(
            self.tool,
            commands(wish, status),
            self.result,
            self.text,
            self.origin,
            status_words=self.status_words(),
            renamed=self.renamed,
        )
        if checksum and self.params["controller_package"] and not self.module.check_mode:
            self.store.tidy(checksum)
        self._end()

    def _declared_of(self, status):
        if status["component"]:
            self.params["component"] = self.params["component"] or status["component"]
        return self._read(self._text_in_folder(status["folder"]))

    def _guard(self):
        given = self.params
        if not given["instance_dir"] and not given["name"] and not isinstance(self.declared.get("name"), str):
            self.module.fail_json(
                msg="nothing says which instance is meant: set name, or instance_dir (the folder of its manifest)"
            )
        if given["state"] == "absent":
            return
        if given["checksum"] and not package.digest(given["checksum"]):
            self.module.fail_json(
                msg="checksum is no sha256 in 64 hexadecimal digits, with or without `sha256:` before it: %s"
                % given["checksum"]
            )

    def _guard_absent_one(self, status):
        """A manifest that is new here needs a folder."""
        if status is None and self.text is not None and not self.params["instance_dir"]:
            self.module.fail_json(
                msg="`%s` is not installed here, and nothing says where its manifest is to stand: set instance_dir"
                % self.declared.get("name")
            )
        if status is None and self.text is None and not self.params["instance_dir"]:
            self.module.fail_json(
                msg="there is no instance `%s` on this host: to install it, set instance_dir, and with it manifest and "
                "package where they are not there yet" % self.params["name"]
            )

    def _source(self, status):
        """The words for the package, and its digest. Ends the module where its bytes have to be sent first."""
        given = self.params
        checksum = package.digest(given["checksum"])
        here = given["controller_package"]
        self.store = package.Store(given["package_dir"], given["package_keep"])
        if not self.package:
            return [], None
        if not here or "checksum" not in here:
            if "://" in self.package:
                return ["--url", self.package], checksum
            if not os.path.exists(self.package):
                self.module.fail_json(msg="there is no package at %s on this host" % self.package)
            if os.path.isfile(self.package):
                found = package.of_file(self.package)
                if checksum not in (None, found):
                    self.module.fail_json(msg=package.differs(self.package, found, checksum))
                checksum = found
            return ["--from", self.package], checksum
        if need(self.wish([], here["checksum"]), status).kind != Need.ARCHIVE:
            return [], here["checksum"]
        path = self.store.find(here["checksum"], here["name"])
        if path and not self.module.check_mode:
            self.store.touch(here["checksum"])
        if path is None and not here.get("path"):
            self.module.exit_json(changed=False, package_needed=True)
        if path is None and self.module.check_mode:
            path = here["path"]
            self.renamed = (path, self.store.path(here["checksum"], here["name"]))
        elif path is None:
            try:
                path = self.store.take(here["path"], here["checksum"], here["name"])
            except (OSError, ValueError) as error:
                self.module.fail_json(msg="the package %s could not be kept on the host: %s" % (here["name"], error))
        if here.get("signature"):
            given["signature"] = path + ".minisig"
            with open(given["signature"], "w", encoding="utf-8") as file:
                file.write(here["signature"])
        return ["--from", path], here["checksum"]

    def _absent(self, status):
        """What is not there is absent; what a purge would still find is known by its name."""
        name = self.params["name"] or self.declared.get("name")
        if status is None and not (self.params["purge"] and isinstance(name, str)):
            self.module.exit_json(commands=[], **self.result)
        # What an instance without a definition has left is found by its folder, if there is one.
        words = self.status_words() if status or self._text_in_folder() is None else self.tool.target()
        wish = Wish("absent", target=words, purge=self.params["purge"])
        carry_out(self.tool, commands(wish, status), self.result)
        self.result["version"] = None
        self.module.exit_json(**self.result)

    def _end(self):
        try:
            status = self.tool.status(self.status_words())
        except Failed as failed:
            self.module.fail_json(**dict(self.result, **told(failed.answer, self.origin)))
        if status:
            self.result["status"] = status
            if not self.module.check_mode:
                self.result["version"] = status.get("version")
        self.module.exit_json(**self.result)


def main():
    """Runs the module."""
    module = AnsibleModule(
        argument_spec=OPTIONS,
        supports_check_mode=True,
        mutually_exclusive=[("manifest", "manifest_src", "manifest_template")],
    )
    if module.params["manifest_template"]:
        module.fail_json(msg="manifest_template is rendered by the action plugin of this collection, which did not run")
    Instance(module).run()


if __name__ == "__main__":
    main()
