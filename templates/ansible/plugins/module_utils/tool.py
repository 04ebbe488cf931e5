# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""mainstay on the host: finding it, asking it, and turning its answers into results and failures."""

from __future__ import annotations

import json
import os
import re
import time

from ansible_collections.mainstay.mainstay.plugins.module_utils import shown

# The oldest mainstay that answers what these modules ask.
MINIMUM = (0, 1, 0)

# Where it is looked for beside PATH.
FOLDERS = ["/usr/local/bin", "/usr/local/sbin", "/opt/bin", os.path.expanduser("~/.local/bin")]

# What each exit code asks for, beside what the tool itself says.
NEXT = {
    2: "correct the task's options or the manifest; nothing was changed",
    3: "install it first: state=present with instance_dir, and with a manifest and a package where there is none yet",
    4: "a guard refused, and nothing was changed",
    5: "the bytes are not the ones that were expected, and nothing was changed; check package, checksum and signature",
    6: "another command is at work on it; let this one wait longer with wait_lock",
    7: "the version before runs again, and nothing has to be repaired; correct the new version and run this again",
    8: "THE SERVICE IS DOWN: look at its log, correct the cause, then run this again",
}

ARGUMENTS = {
    "name": {"type": "str"},
    "instance_dir": {"type": "path"},
    "component": {"type": "str"},
    "scope": {"type": "str", "choices": ["system", "user"]},
    "binary": {"type": "path"},
    "wait_lock": {"type": "int", "default": 60},
}


class Answer:
    """What a command came to."""

    def __init__(self, words, code, document, talk):
        self.words = words
        self.code = code
        self.document = document
        self.talk = talk

    @property
    def failed(self):
        """Whether it is a failure, by its document; `status` and `plan` end with other codes as well."""
        return not self.document or self.document.get("schema", "").startswith("failure.")


class Tool:
    """The program on the host, on behalf of one module."""

    def __init__(self, module):
        self.module = module
        self.commands = []
        self.program = self._find()
        self.version = self._checked_version()

    def _find(self):
        named = self.module.params.get("binary")
        if named:
            if os.path.isfile(named) and os.access(named, os.X_OK):
                return named
            self.module.fail_json(
                msg="there is no program at %s (option binary): the role mainstay.mainstay.service brings one" % named
            )
        found = self.module.get_bin_path("mainstay", opt_dirs=FOLDERS)
        if not found:
            self.module.fail_json(
                msg="mainstay is not on this host, neither in PATH nor in %s: let the role mainstay.mainstay.service "
                "bring it, or name it with the option binary" % ", ".join(FOLDERS)
            )
        return found

    def _checked_version(self):
        code, said, talk = self.module.run_command([self.program, "--version"])
        found = re.match(r"mainstay (\d+)\.(\d+)\.(\d+)(\S*)", said or "")
        if code != 0 or not found:
            told = (said + talk).strip() or "nothing"
            self.module.fail_json(msg="%s is no mainstay that works here: it says %s" % (self.program, told))
        if tuple(int(part) for part in found.groups()[:3]) < MINIMUM:
            self.module.fail_json(
                msg="%s is mainstay %s, and this collection needs %s or newer: let the role mainstay.mainstay.service "
                "bring it, or type `mainstay self-update`"
                % (self.program, said.split()[1], ".".join(str(part) for part in MINIMUM))
            )
        return said.split()[1]

    def ask(self, words, text=None):
        """Runs a command with --json. One that another command keeps waiting is tried again for as long as allowed."""
        deadline = time.monotonic() + (self.module.params.get("wait_lock") or 0)
        while True:
            answer = self._once(words, text)
            if answer.code != 6 or not answer.failed or time.monotonic() >= deadline:
                return answer
            time.sleep(1)

    def _once(self, words, text):
        command = [self.program] + words + ["--json"]
        code, said, talk = self.module.run_command(
            command, data=text, binary_data=True, environ_update=surroundings(), handle_exceptions=False
        )
        try:
            document = json.loads(said)
        except ValueError:
            document = None
        return Answer(words, code, document if isinstance(document, dict) else None, talk)

    def change(self, words, text=None):
        """Runs a command that changes something; its failure is the module's."""
        answer = self.ask(words, text)
        self.commands.append(shown.command(["mainstay"] + words))
        if answer.failed:
            raise Failed(answer)
        return answer.document

    def target(self):
        """The words that name the instance."""
        params = self.module.params
        words = []
        for option in ("instance_dir", "name", "component"):
            if params.get(option):
                words += ["--" + option.replace("_", "-"), params[option]]
        return words + self.scope()

    def scope(self):
        """The words that say whose instances are meant."""
        scope = self.module.params.get("scope")
        return ["--" + scope] if scope else []

    def status(self, words):
        """How an instance is; nothing where there is none."""
        answer = self.ask(["status"] + words)
        if answer.failed:
            if answer.code == 3:
                return None
            raise Failed(answer)
        return answer.document


class Failed(Exception):
    """A command failed."""

    def __init__(self, answer):
        super().__init__("mainstay %s failed" % " ".join(answer.words))
        self.answer = answer


def surroundings():
    """A user's service manager is asked over a socket that a connection without a login does not name."""
    added = {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "NO_COLOR": "1"}
    user = "/run/user/%d" % os.getuid()
    if "XDG_RUNTIME_DIR" not in os.environ and os.path.isdir(user):
        added["XDG_RUNTIME_DIR"] = user
    return added


def told(answer, origin="the manifest"):
    """A failure as the values that a module returns. `origin` is what a manifest is called that came on standard input."""
    if not answer.document:
        what = answer.talk.strip().splitlines()[-1:] or ["it said nothing"]
        how = "was killed by signal %d" % -answer.code if answer.code < 0 else "ended with code %d" % answer.code
        message = "`mainstay %s` %s: %s" % (" ".join(answer.words[:1]), how, what[0])
        return {"msg": message, "exit_code": answer.code, "help": [], "causes": [], "problems": []}
    document = answer.document
    code = document["exitCode"]
    lines = document["message"].replace("standard input:", origin + ":").splitlines()
    lines += ["because " + cause for cause in document.get("causes") or []]
    if code == 2 and re.search(r"unexpected argument|unrecognized subcommand", document["message"]):
        following = "this mainstay is older than the collection; let the role mainstay.mainstay.service bring a newer one"
    elif code == 4 and "sudo " in " ".join(document.get("help") or []):
        following = "root's rights are needed for that: set become: true, or scope: user for a service of this user's own"
    elif code == 4 and "--force" in " ".join(document.get("help") or []):
        following = "a guard refused, and nothing was changed; force: true stands for --force"
    else:
        following = NEXT.get(code)
    if following:
        lines.append("exit code %d: %s" % (code, following))
    advice = list(document.get("help") or [])
    problems = [dict(problem, file=origin) for problem in document.get("problems") or []]
    return {
        "msg": "\n".join(lines + ["help: " + line for line in advice]),
        "exit_code": code,
        "help": advice,
        "causes": document.get("causes") or [],
        "problems": problems,
    }
