# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What of a value may be shown."""

from __future__ import annotations

import re

# What a name that holds it is taken for the name of a secret: the tool's own rule.
PARTS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "KEY")
ENDINGS = ("PASS", "PWD", "AUTH", "AUTHORIZATION", "DSN", "SALT")

PASSWORD = re.compile(r"(://)[^/@\s]*@")

# A shorter one is a word of many results, which would be nothing but asterisks then.
SHORTEST = 6

# A variable and its value in what is no JSON yet.
PAIR = re.compile(r'''["']?([A-Za-z_][\w-]*)["']?\s*[:=]\s*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([^\s"',{}\[\]]+))''')


def is_secret(name):
    """Whether a variable of this name may hold a secret."""
    upper = name.upper()
    return any(part in upper for part in PARTS) or any(
        word.endswith(ending) for word in re.split("[_-]", upper) for ending in ENDINGS
    )


def secrets_of(manifest):
    """The values of a manifest that are not to be shown: of variables whose names look like a secret's."""
    service = manifest.get("service") if isinstance(manifest, dict) else None
    variables = service.get("environment") if isinstance(service, dict) else None
    if not isinstance(variables, dict):
        return set()
    return {
        value
        for name, value in variables.items()
        if is_secret(name) and isinstance(value, str) and len(value) >= SHORTEST
    }


def secrets_in(text):
    """The same of a manifest that can't be read: what stands behind a name that looks like a secret's."""
    found = {(name, next(filter(None, values), "")) for name, *values in PAIR.findall(text or "")}
    return {value for name, value in found if is_secret(name) and len(value) >= SHORTEST}


def passwords_of(text):
    """The password of an address, if it has one."""
    found = re.search(r"://[^/@\s:]*:([^/@\s]*)@", text or "")
    return {found.group(1)} if found and len(found.group(1)) >= SHORTEST else set()


def address(text):
    """An address without the name and the password in it."""
    return PASSWORD.sub(r"\1…@", text)


def command(words):
    """A command as it may be shown."""
    return " ".join(address(word) for word in words)
