# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which commands bring an instance to a state. Nothing here asks or changes anything."""

from __future__ import annotations

# Where the program runs, or is started again by itself.
RUNS = ("ready", "sleeping", "idle", "starting", "backing-off")

# Where there is nothing to wait for.
SETTLED = ("ready", "sleeping", "idle")

# What `status` calls a definition that only `install` and `apply` write anew.
UNDEFINED = ("definition-missing", "marker-gone", "masked")


class Wish:
    """What a task asks for."""

    def __init__(self, state, **given):
        self.state = state
        # The words that name the instance.
        self.target = given.get("target", [])
        # Whether a manifest comes on standard input.
        self.manifest = given.get("manifest", False)
        # The manifest as it will be, as a mapping.
        self.declared = given.get("declared") or {}
        # The words that name a package: ["--from", path] or ["--url", address].
        self.source = given.get("source", [])
        self.checksum = given.get("checksum")
        self.version = given.get("version")
        self.signature = given.get("signature")
        self.platform = given.get("platform")
        self.force = given.get("force", False)
        self.purge = given.get("purge", False)
        # Whether a package was named at all, also where its bytes are not on the host yet.
        self.package = given.get("package", bool(self.source))

    @property
    def declares(self):
        """Whether it says what the instance is to be, and not only whether it is to run."""
        return self.manifest or self.package or self.state in ("present", "latest")

    @property
    def declared_version(self):
        """The version that is asked for: by the task, or by the manifest."""
        package = self.declared.get("package")
        said = package.get("version") if isinstance(package, dict) else None
        return self.version or said

    @property
    def has_trees(self):
        """Whether archives bring the program."""
        package = self.declared.get("package")
        said = package.get("source") if isinstance(package, dict) else None
        return said in (None, "archive") and "compose" not in self.declared

    @property
    def fetches(self):
        """Whether the manifest says where archives are."""
        package = self.declared.get("package")
        return isinstance(package, dict) and bool(package.get("url"))


class Need:
    """What a package is needed for, once the host was asked."""

    NOTHING, TREE, ARCHIVE = "nothing", "tree", "archive"

    def __init__(self, kind, version=None):
        self.kind = kind
        self.version = version


def need(wish, status):
    """Whether the bytes of a named package have to come: not if the version that they hold is active or unpacked."""
    if not wish.package:
        return Need(Need.NOTHING)
    versions = (status or {}).get("versions") or []
    asked = wish.version or (wish.declared_version if wish.manifest else None)
    for found in versions if wish.checksum else []:
        # Bytes of another version than the one that is asked for: a checksum that was left as it was. mainstay says so.
        if found["digest"] == wish.checksum and asked in (None, found["version"]):
            if found["active"]:
                return Need(Need.NOTHING)
            return Need(Need.TREE, found["version"])
    if status and not wish.checksum and wish.version and wish.version == status.get("version"):
        return Need(Need.NOTHING)
    return Need(Need.ARCHIVE)


def commands(wish, status):
    """The commands, in order. A `start` or `restart` at the end is left out where an earlier one has started the program."""
    if wish.state == "absent":
        return [["uninstall"] + wish.target + (["--purge"] if wish.purge else []) + ["--yes"]]
    if status is None:
        return [_install(wish, status, wish.state != "stopped")]
    runs = status.get("state") in RUNS
    settled = status.get("state") in SETTLED
    starts = wish.state in ("started", "restarted")
    if wish.declares and starts and not runs:
        return [_install(wish, status, True)]
    found = [_brought(wish, status)] if wish.declares else []
    if wish.state == "started" and (not settled or not found):
        found.append(["start"] + wish.target)
    elif wish.state == "stopped":
        found.append(["stop"] + wish.target)
    elif wish.state == "restarted":
        found.append(["restart"] + wish.target)
    return found


def needless(command, documents):
    """Whether a command at the end is left out, by what the earlier ones came to."""
    return command[0] in ("start", "restart") and any(document.get("restarts") for document in documents)


def _brought(wish, status):
    """The command that brings an installed instance to what is declared, and leaves it stopped if it is."""
    if not _upgrades(wish, status):
        return ["apply"] + wish.target + _manifest(wish) + ["--yes"]
    if any(kind in UNDEFINED for kind in status.get("drift") or []):
        return _install(wish, status, False)
    return ["upgrade"] + wish.target + _manifest(wish) + _package(wish, status) + _force(wish) + ["--yes"]


def _upgrades(wish, status):
    """Whether another version is asked for."""
    if wish.package:
        return need(wish, status).kind != Need.NOTHING
    if wish.state == "latest":
        return not wish.has_trees or wish.fetches or bool(wish.version)
    asked = wish.declared_version
    return wish.has_trees and asked is not None and asked != status.get("version")


def _install(wish, status, starts):
    words = ["install"] + wish.target + _manifest(wish) + _package(wish, status)
    if wish.platform and not wish.manifest:
        words += ["--platform", wish.platform]
    return words + ([] if starts else ["--no-start"]) + _force(wish) + ["--yes"]


def _manifest(wish):
    return ["--manifest", "-"] if wish.manifest else []


def _force(wish):
    return ["--force"] if wish.force else []


def _package(wish, status):
    """The words that say which bytes, and what they have to agree with."""
    asked = wish.declared_version
    needed = need(wish, status)
    if wish.package and needed.kind == Need.TREE:
        return ["--version", needed.version, "--sha256", wish.checksum]
    if not wish.package or needed.kind == Need.NOTHING:
        return ["--version", wish.version] if wish.version and not wish.package else []
    words = list(wish.source)
    if asked:
        words += ["--version", asked]
    if wish.checksum:
        words += ["--sha256", wish.checksum]
    if wish.signature:
        words += ["--signature", wish.signature]
    return words
