"""Writes one JSON line for each result of each task, to the file that RECORD names: for suites and measurements."""

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: notification
short_description: Writes the results of tasks to a file
description: [One JSON line for each result, to the file that the variable RECORD names.]
"""
KEPT = ("changed", "msg", "steps", "version", "version_before", "exit_code", "kept_version", "operations", "problems",
        "help", "causes", "instances", "tool_version", "downtime_ms", "skipped", "diff")


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.began = time.time()
        self.file = open(os.environ["RECORD"], "a", buffering=1)

    def write(self, outcome, result):
        values = result._result
        self.file.write(json.dumps({
            "at": round(time.time() - self.began, 3), "outcome": outcome, "host": result._host.get_name(),
            "task": result._task.get_name(), "action": result._task.action.rpartition(".")[2],
            **{key: values[key] for key in KEPT if key in values}}, default=str) + "\n")

    def v2_runner_on_ok(self, result):
        self.write("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.write("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result):
        self.write("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self.write("skipped", result)

    def v2_playbook_on_stats(self, stats):
        self.file.write(json.dumps({"at": round(time.time() - self.began, 3), "outcome": "end",
                                    "hosts": {host: stats.summarize(host) for host in stats.processed}}) + "\n")
