# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Brings what the controller has to the host: a manifest's text, and a package, if the host does not have it."""

from __future__ import annotations

import hashlib
import os

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible.release import __version__
from ansible.utils.hashing import secure_hash
from ansible_collections.mainstay.mainstay.plugins.module_utils.package import differs, digest

MODULE = "mainstay.mainstay.instance"


def version_info():
    """The version of ansible-core, as two numbers."""
    return tuple(int(part) for part in __version__.split(".")[:2])


class ActionModule(ActionBase):
    """The controller's half of the module `instance`."""

    TRANSFERS_FILES = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        """Asks the module; sends the package where it says that the host lacks it, and asks again."""
        result = super().run(tmp, task_vars)
        del tmp
        arguments = self._task.args.copy()
        if arguments.get("controller_package"):
            raise AnsibleActionFail("controller_package is set by the action plugin alone")
        on_host = boolean(arguments.get("remote_src", False), strict=False)
        here = {}
        self._manifest(arguments, here, on_host, task_vars)
        local = self._package(arguments, here, on_host)
        if here:
            arguments["controller_package"] = here
        try:
            result.update(self._execute_module(MODULE, module_args=arguments, task_vars=task_vars))
            if local and result.pop("package_needed", False):
                folder = self._connection._shell.tmpdir or self._make_tmp_path()
                path = self._connection._shell.join_path(folder, here["name"])
                self._transfer_file(local, path)
                self._fixup_perms2((folder, path))
                here["path"] = path
                result = self._execute_module(MODULE, module_args=arguments, task_vars=task_vars)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _manifest(self, arguments, here, on_host, task_vars):
        """Puts the text of a manifest of the controller into the arguments."""
        source, template = arguments.get("manifest_src"), arguments.get("manifest_template")
        given = [name for name in ("manifest", "manifest_src", "manifest_template") if arguments.get(name)]
        if len(given) > 1:
            # The module says so, in Ansible's own words.
            return
        if source and not on_host:
            path = self._found("files", source, "manifest_src")
            try:
                with open(self._loader.get_real_file(path), encoding="utf-8") as file:
                    arguments["manifest"] = file.read()
            except (OSError, UnicodeDecodeError) as error:
                raise AnsibleActionFail("the manifest %s can't be read: %s" % (source, error)) from error
            del arguments["manifest_src"]
            here["origin"] = source
        elif template:
            lookup = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
            # Before 2.19, what looks like JSON would come as a mapping, without the places of its faults.
            options = {} if version_info() >= (2, 19) else {"convert_data": False}
            rendered = lookup.run([template], variables=task_vars, **options)
            arguments["manifest"] = str(rendered[0])
            del arguments["manifest_template"]
            here["origin"] = "%s, rendered" % template

    def _package(self, arguments, here, on_host):
        """Says which package of the controller is meant, and gives its path."""
        package = arguments.get("package")
        if not package or on_host or "://" in package or arguments.get("state") == "absent":
            return None
        path = self._loader.get_real_file(self._found("files", package, "package"))
        if not os.path.isfile(path):
            raise AnsibleActionFail("the package %s is no file" % package)
        # Never taken from the task: a checksum that was left as it was would hide an upgrade.
        here["checksum"] = secure_hash(path, hash_func=hashlib.sha256)
        said = digest(str(arguments.get("checksum") or ""))
        if said not in (None, here["checksum"]):
            raise AnsibleActionFail(differs(package, here["checksum"], said))
        here["name"] = os.path.basename(package)
        try:
            with open(path + ".minisig", encoding="utf-8") as file:
                here["signature"] = file.read()
        except OSError:
            pass
        return path

    def _found(self, folder, name, option):
        try:
            return self._find_needle(folder, name)
        except AnsibleError as error:
            raise AnsibleActionFail(
                "%s: there is no file %s on the controller; remote_src: true names one on the host" % (option, name)
            ) from error
