# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What of a value may be shown."""

from __future__ import annotations

import re

# What a name that holds it is taken for the name of a secret: the tool's own rule.
PARTS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "KEY")
ENDINGS = ("PASS", "PWD", "AUTH", "AUTHORIZATION", "DSN", "SALT")

PASSWORD = re.compile(r"(://)[^/@\s]*@")


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
    return {value for name, value in variables.items() if is_secret(name) and isinstance(value, str) and value}


def address(text):
    """An address without the name and the password in it."""
    return PASSWORD.sub(r"\1…@", text)


def command(words):
    """A command as it may be shown."""
    return " ".join(address(word) for word in words)
