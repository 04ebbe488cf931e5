# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Packages of the controller on the host: kept by their digests, so that each is sent once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time

# For how many seconds an archive stays, whatever else is kept.
RECENT = 600

DIGEST = re.compile(r"^(?:sha256:)?([0-9a-fA-F]{64})$")


def digest(text):
    """A digest as the tool writes it; nothing if it is none."""
    found = DIGEST.match((text or "").strip())
    return found.group(1).lower() if found else None


def of_file(path):
    """The digest of a file."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha256.update(block)
    return sha256.hexdigest()


def differs(path, found, said):
    """What is said of a file that is another than the one that is meant."""
    return "the package %s has the sha256 %s, and checksum says %s" % (path, found, said)


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
            # What root brings may not be everybody's to read.
            os.chmod(part, 0o600 if os.getuid() == 0 else 0o644)
            os.rename(part, os.path.join(into, name))
        except BaseException:
            if os.path.exists(part):
                os.unlink(part)
            raise
        return os.path.join(into, name)

    def touch(self, checksum):
        """Notes that a package is used."""
        try:
            os.utime(os.path.join(self.folder, checksum))
        except OSError:
            pass

    def tidy(self, used=None):
        """Removes all but the packages that were used last."""
        entries = []
        # What has just come may be another task's, which is about to unpack it.
        recent = time.time() - RECENT
        try:
            names = os.listdir(self.folder)
        except OSError:
            return
        if used:
            self.touch(used)
        for name in names:
            path = os.path.join(self.folder, name)
            # What is no digest's is not ours.
            if DIGEST.match(name) and os.path.isdir(path) and not os.path.islink(path):
                entries.append((os.path.getmtime(path), path))
        for used_at, path in sorted(entries, reverse=True)[self.keep:]:
            if used_at < recent:
                shutil.rmtree(path, ignore_errors=True)
