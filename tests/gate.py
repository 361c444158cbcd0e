"""A pytest plugin: a run in which a test was skipped, deselected or expected to fail has failed, and says which.

Loaded by `-p tests.gate` in pyproject.toml. A promise whose test did not run is not kept. Works with and without xdist:
the workers hand what they saw to the controller, which decides.
"""

import pytest


def pytest_configure(config):
    config.pluginmanager.register(Gate(), "gate")


class Gate:
    def __init__(self):
        self.found = {}  # test -> what became of it

    def pytest_deselected(self, items):
        self.found |= {item.nodeid: "deselected" for item in items}

    def pytest_collectreport(self, report):
        if report.skipped:
            self.found[report.nodeid] = "skipped"

    def pytest_runtest_logreport(self, report):
        if hasattr(report, "wasxfail"):
            self.found[report.nodeid] = "expected to fail"
        elif report.skipped:
            self.found[report.nodeid] = "skipped"

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self.found |= getattr(node, "workeroutput", {}).get("gate", {})

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session, exitstatus):
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["gate"] = self.found
        elif self.found and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        if self.found:
            terminalreporter.section("not run as a test must be: this run has failed", red=True)
            for test, what in sorted(self.found.items()):
                terminalreporter.line(f"{what}: {test}")
