# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is carried out, and what of it is said."""

from __future__ import annotations

import unittest

from ansible_collections.mainstay.mainstay.plugins.module_utils.operation import empty, recover


class Module:
    """A module, in check mode or not."""

    def __init__(self, check_mode):
        self.check_mode = check_mode


class Tool:
    """A mainstay that notes what it is asked."""

    def __init__(self, check_mode=False):
        self.module = Module(check_mode)
        self.asked = []

    def change(self, words):
        """Carries out a command."""
        self.asked.append(words)
        return {"schema": "recover.v1", "recovered": 1}


class Recovery(unittest.TestCase):
    """An operation that was broken off."""

    def test_it_is_brought_to_its_end(self):
        tool, result = Tool(), empty()
        recover(tool, ["--name", "api"], result)
        self.assertEqual(tool.asked, [["recover", "--name", "api"]])
        self.assertTrue(result["changed"])
        self.assertEqual((result["operations"], result["notices"]), (["recover"], []))

    def test_check_mode_says_that_it_would_be(self):
        tool, result = Tool(check_mode=True), empty()
        recover(tool, ["--name", "api"], result)
        self.assertEqual(tool.asked, [])
        self.assertTrue(result["changed"])
        self.assertEqual(result["operations"], ["recover"])
        self.assertIn("broken off", result["notices"][0])
