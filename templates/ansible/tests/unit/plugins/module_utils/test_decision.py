# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which commands a task comes to."""

from __future__ import annotations

import unittest

from ansible_collections.mainstay.mainstay.plugins.module_utils.decision import Need, Wish, commands, need, needless

OLD, NEW = "a" * 64, "b" * 64


def status(state="ready", version="1.0.0", **more):
    """An instance that runs 1.0.0, and has 0.9.0 beside it."""
    versions = [
        {"version": version, "digest": OLD, "active": True},
        {"version": "0.9.0", "digest": "c" * 64, "active": False},
    ]
    return dict({"state": state, "version": version, "versions": versions}, **more)


def wish(state="present", **given):
    """A task for the instance `api`."""
    return Wish(state, **dict({"target": ["--name", "api"]}, **given))


def package(state="present", checksum=NEW, **given):
    """A task with an archive."""
    return wish(state, source=["--from", "x.tgz"], checksum=checksum, **given)


def verbs(task, found):
    """The commands by their first words."""
    return [words[0] for words in commands(task, found)]


class States(unittest.TestCase):
    """What the states come to."""

    def test_what_is_not_there_is_installed_and_only_stopped_leaves_it_down(self):
        for state in ("present", "latest", "started", "restarted"):
            self.assertNotIn("--no-start", commands(package(state), None)[0])
        self.assertIn("--no-start", commands(package("stopped"), None)[0])
        self.assertEqual(verbs(package(), None), ["install"])

    def test_what_runs_the_named_bytes_is_applied_and_something_else_upgraded(self):
        self.assertEqual(verbs(package(checksum=OLD), status()), ["apply"])
        self.assertEqual(verbs(package(), status()), ["upgrade"])

    def test_a_life_cycle_alone_declares_nothing(self):
        self.assertEqual(verbs(wish("started"), status("stopped")), ["start"])
        self.assertEqual(verbs(wish("stopped"), status()), ["stop"])
        self.assertEqual(verbs(wish("restarted"), status()), ["restart"])

    def test_present_leaves_a_stopped_one_stopped_and_started_starts_it_in_one_go(self):
        self.assertEqual(verbs(package(), status("stopped")), ["upgrade"])
        found = commands(package("started"), status("stopped"))
        self.assertEqual([words[0] for words in found], ["install"])
        self.assertNotIn("--no-start", found[0])

    def test_one_that_fails_is_started_and_one_that_is_ready_is_left(self):
        self.assertEqual(verbs(package("started", OLD), status()), ["apply"])
        self.assertEqual(verbs(package("started", OLD), status("backing-off")), ["apply", "start"])

    def test_a_restart_is_left_out_where_the_program_was_started_anew(self):
        found = commands(package("restarted"), status())
        self.assertEqual([words[0] for words in found], ["upgrade", "restart"])
        self.assertTrue(needless(found[1], [{"restarts": True}]))
        self.assertFalse(needless(found[1], [{"restarts": False}]))
        self.assertFalse(needless(["stop"], [{"restarts": True}]))

    def test_a_purge_is_asked_for(self):
        self.assertEqual(commands(wish("absent", purge=True), status()), [["uninstall", "--name", "api", "--purge", "--yes"]])


class Versions(unittest.TestCase):
    """Which bytes are brought."""

    def test_what_is_unpacked_is_not_brought_again(self):
        task = package(checksum="c" * 64)
        self.assertEqual((need(task, status()).kind, need(task, status()).version), (Need.TREE, "0.9.0"))
        self.assertIn("0.9.0", commands(task, status())[0])
        self.assertNotIn("--from", commands(task, status())[0])

    def test_the_version_of_the_manifest_has_to_be_that_of_the_archive(self):
        task = package(declared={"package": {"version": "2.0.0"}})
        words = commands(task, status())[0]
        self.assertEqual(words[words.index("--version") + 1], "2.0.0")

    def test_bytes_of_another_version_than_the_one_that_is_asked_for_are_not_enough(self):
        # A checksum that was left as it was when the rest went on.
        for task in (
            package(checksum=OLD, version="1.1.0"),
            package(checksum=OLD, manifest=True, declared={"package": {"version": "1.1.0"}}),
        ):
            self.assertEqual(need(task, status()).kind, Need.ARCHIVE)
            self.assertEqual(verbs(task, status()), ["upgrade"])
        self.assertEqual(need(package(checksum=OLD, version="1.0.0"), status()).kind, Need.NOTHING)

    def test_another_version_in_the_manifest_is_an_upgrade_without_an_archive(self):
        declared = {"package": {"version": "2.0.0"}}
        self.assertEqual(verbs(wish(declared=declared), status()), ["upgrade"])
        self.assertEqual(verbs(wish(declared=declared), status(version="2.0.0")), ["apply"])

    def test_latest_asks_where_there_is_somebody_to_ask(self):
        self.assertEqual(verbs(wish("latest"), status()), ["apply"])
        self.assertEqual(verbs(wish("latest", declared={"package": {"url": "https://x"}}), status()), ["upgrade"])
        self.assertEqual(verbs(wish("latest", declared={"package": {"source": "manager"}}), status()), ["upgrade"])

    def test_where_the_definition_is_gone_an_upgrade_is_an_installation(self):
        self.assertEqual(verbs(package(), status(drift=["definition-missing"])), ["install"])
