# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Packages of the controller on the host: kept by their digests, so that each is sent once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile

DIGEST = re.compile(r"^(?:sha256:)?([0-9a-fA-F]{64})$")


def digest(text):
    """A digest as the tool writes it; nothing if it is none."""
    found = DIGEST.match(text or "")
    return found.group(1).lower() if found else None


def of_file(path):
    """The digest of a file."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha256.update(block)
    return sha256.hexdigest()


def usual_folder():
    """Where packages are kept: a cache, which anybody may empty."""
    if os.getuid() == 0:
        return "/var/cache/mainstay/packages"
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "mainstay", "packages")


class Store:
    """The packages that are kept: each in a folder that is named by its digest."""

    def __init__(self, folder, keep):
        self.folder = folder or usual_folder()
        self.keep = keep

    def path(self, checksum, name):
        """Where a package is kept."""
        return os.path.join(self.folder, checksum, name)

    def find(self, checksum, name):
        """The path of a package, if its bytes are there and whole."""
        path = self.path(checksum, name)
        try:
            return path if of_file(path) == checksum else None
        except OSError:
            return None

    def take(self, path, checksum, name):
        """Keeps a package that has come, and gives its path. Half a file never has the name of a whole one."""
        into = os.path.join(self.folder, checksum)
        os.makedirs(into, mode=0o755, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=into)
        try:
            with os.fdopen(handle, "wb") as target, open(path, "rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)
                target.flush()
                os.fsync(target.fileno())
            found = of_file(part)
            if found != checksum:
                raise ValueError("it came with the sha256 %s, and %s was sent" % (found, checksum))
            os.chmod(part, 0o644)
            os.rename(part, os.path.join(into, name))
        except BaseException:
            if os.path.exists(part):
                os.unlink(part)
            raise
        return os.path.join(into, name)

    def tidy(self, used=None):
        """Removes all but the packages that were used last."""
        entries = []
        try:
            names = os.listdir(self.folder)
        except OSError:
            return
        if used:
            try:
                os.utime(os.path.join(self.folder, used))
            except OSError:
                pass
        for name in names:
            path = os.path.join(self.folder, name)
            # What is no digest's is not ours.
            if DIGEST.match(name) and os.path.isdir(path) and not os.path.islink(path):
                entries.append((os.path.getmtime(path), path))
        for dummy, path in sorted(entries, reverse=True)[self.keep:]:
            shutil.rmtree(path, ignore_errors=True)
