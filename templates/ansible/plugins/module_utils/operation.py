# Copyright the mainstay authors
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Carrying out commands and gathering what they came to."""

from __future__ import annotations

import re

from ansible_collections.mainstay.mainstay.plugins.module_utils.decision import needless
from ansible_collections.mainstay.mainstay.plugins.module_utils.tool import Failed, told


def carry_out(tool, commands, result, text=None, origin="the manifest", status_words=None, renamed=None):
    """Runs commands, or in check mode only their `--dry-run`, and fills in the result. Fails the module where one fails."""
    check = tool.module.check_mode
    documents = []
    try:
        for words in commands:
            if needless(words, documents):
                continue
            given = text if "--manifest" in words else None
            document = tool.change(words + (["--dry-run"] if check else []), given)
            documents.append(document)
            gather(result, document, renamed)
    except Failed as failed:
        result.update(told(failed.answer, origin), commands=tool.commands)
        after = None
        if status_words and not check:
            after = _quietly(tool, status_words)
        if after:
            result.update(status=after, version=after.get("version"))
        if failed.answer.code == 7 and after:
            result["kept_version"] = after.get("version")
        # What was done before it failed was done.
        tool.module.fail_json(**result)
    result["commands"] = tool.commands
    return documents


def recover(tool, words, result):
    """Has an operation that was broken off brought to its end, or in check mode says that this comes first."""
    result["operations"].append("recover")
    if tool.module.check_mode:
        result["changed"] = True
        result["notices"].append(
            "an operation was broken off here: it is finished or undone first, and only then is it known what remains to do"
        )
        return
    document = tool.change(["recover"] + words)
    result["changed"] = result["changed"] or bool(document.get("recovered"))


def _quietly(tool, words):
    try:
        return tool.status(words)
    except Failed:
        return None


# A receipt holds the time, whose text is not always as long; and what is put away until it is removed is named by the time.
TIMES = ((re.compile(r"(/receipt\.json \()\d+ bytes, "), r"\1"), (re.compile(r"(/\.trash-\S+)-\d{12,}"), r"\1"))


def gather(result, document, renamed=None):
    """Adds what one command came to. A package that was only sent to be looked at is told by the path that it will have."""
    result["changed"] = result["changed"] or bool(document.get("changed"))
    result["operations"].append(document.get("operation"))
    for step in document.get("steps") or []:
        for pattern, kept in TIMES:
            step = pattern.sub(kept, step)
        result["steps"].append(step.replace(*renamed) if renamed else step)
    for here, there in (("notices", "notices"), ("settings", "fields"), ("drift", "drift")):
        result[here] += document.get(there) or []
    for diff in document.get("diffs") or []:
        result["diff"].append({"prepared": diff["diff"]})
    if document.get("to") and document.get("changed"):
        result["version"] = document["to"]
    if document.get("downtimeMs") is not None:
        result["downtime_ms"] = result.get("downtime_ms", 0) + document["downtimeMs"]


def empty():
    """A result in which nothing has happened."""
    return {
        "changed": False,
        "operations": [],
        "steps": [],
        "notices": [],
        "settings": [],
        "drift": [],
        "diff": [],
        "version": None,
        "version_before": None,
    }
