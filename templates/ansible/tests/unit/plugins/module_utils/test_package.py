# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The store of packages, and what may be shown."""

from __future__ import annotations

import os
import tempfile
import unittest

from ansible_collections.mainstay.mainstay.plugins.module_utils import package, shown


class Stored(unittest.TestCase):
    """What is kept of the controller's archives."""

    def test_only_whole_bytes_are_kept_and_the_oldest_go(self):
        with tempfile.TemporaryDirectory() as folder:
            store = package.Store(os.path.join(folder, "kept"), 1)
            paths = []
            for number in (1, 2):
                path = os.path.join(folder, "x-%d.tgz" % number)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("bytes %d" % number)
                paths.append((path, package.of_file(path)))
            first = store.take(paths[0][0], paths[0][1], "x.tgz")
            self.assertEqual(store.find(paths[0][1], "x.tgz"), first)
            with self.assertRaises(ValueError):
                store.take(paths[1][0], paths[0][1], "y.tgz")
            self.assertEqual(os.listdir(os.path.dirname(first)), ["x.tgz"])
            os.utime(os.path.dirname(first), (1, 1))
            second = store.take(paths[1][0], paths[1][1], "x.tgz")
            store.tidy(paths[1][1])
            self.assertFalse(os.path.exists(first))
            # Another task's, which has only just come, is left to it.
            first = store.take(paths[0][0], paths[0][1], "x.tgz")
            store.tidy(paths[1][1])
            self.assertTrue(os.path.exists(first))
            self.assertEqual(os.stat(first).st_mode & 0o777, 0o600 if os.getuid() == 0 else 0o644)
            self.assertTrue(os.path.exists(second))
            with open(second, "a", encoding="utf-8") as file:
                file.write("more")
            self.assertIsNone(store.find(paths[1][1], "x.tgz"))

    def test_a_digest_is_64_hexadecimal_digits(self):
        self.assertEqual(package.digest(" sha256:%s\n" % ("A" * 64)), "a" * 64)
        self.assertIsNone(package.digest("abc"))


class Shown(unittest.TestCase):
    """What is not shown."""

    def test_secrets_are_told_by_their_names(self):
        manifest = {"service": {"environment": {"DB_PASS": "xyzzyx", "API_KEY": "api", "AUTHORS": "ann and bob", "PORT": "1"}}}
        # What is short is a word of many results.
        self.assertEqual(shown.secrets_of(manifest), {"xyzzyx"})
        self.assertEqual(shown.secrets_of(["not a mapping"]), set())

    def test_secrets_are_told_in_what_is_no_json(self):
        text = '{ "service": { "environment": { "API_TOKEN": "xyzzyx, or", DB_PASS: plainer, "AUTHORS": "ann and bob" }'
        self.assertEqual(shown.secrets_in(text), {"xyzzyx, or", "plainer"})
        self.assertEqual(shown.secrets_in(None), set())

    def test_the_password_of_an_address_is_told(self):
        self.assertEqual(shown.passwords_of("https://ann:secret@host/x"), {"secret"})
        self.assertEqual(shown.passwords_of("https://host/x@y"), set())

    def test_the_password_of_an_address_is_left_out(self):
        self.assertEqual(shown.command(["--url", "https://ann:secret@host/x"]), "--url https://…@host/x")
