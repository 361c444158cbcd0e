"""A run in which a test did not run as a test must has failed: with and without xdist."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
GOOD = "def test_good(): pass\n"


@pytest.fixture
def gate(tmp_path):
    """Run pytest over files of tests, with our gate and none of our servers."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(*options, **files):
        for name, tests in files.items():
            (tmp_path / f"{name}.py").write_text("import pytest\n" + tests)
        command = [sys.executable, "-m", "pytest", "-p", "tests.gate", "-p", "xdist.plugin", *options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment |= {"PYTHONPATH": str(HOME), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


@pytest.mark.parametrize("processes", ["-n0", "-n1"])
def test_a_test_that_did_not_run_as_it_must_fails_the_run_and_is_named(gate, processes):
    bad = (
        "@pytest.mark.skip\ndef test_marked(): pass\n"
        "def test_in_the_middle(): pytest.skip()\n"
        "@pytest.mark.xfail\ndef test_expected(): assert False\n"
        "@pytest.mark.xfail(strict=False)\ndef test_unexpected(): pass\n"
        "def test_left_out(): pass\n"
    )
    whole = "pytest.importorskip('no_such_module')\n"
    done = gate(processes, "-k", "not left_out", test_one=GOOD + bad, test_whole=whole)
    assert done.returncode == 1
    for line in (
        "deselected: test_one.py::test_left_out",
        "expected to fail: test_one.py::test_expected",
        "expected to fail: test_one.py::test_unexpected",
        "skipped: test_one.py::test_in_the_middle",
        "skipped: test_one.py::test_marked",
        "skipped: test_whole.py",
    ):
        assert line in done.stdout


@pytest.mark.parametrize("bad", ["@pytest.mark.skip\ndef test_bad(): pass\n", "def test_left_out(): pass\n"])
def test_one_of_them_is_enough(gate, bad):
    assert gate("-n0", "-k", "not left_out", test_one=GOOD + bad).returncode == 1


@pytest.mark.parametrize("processes", ["-n0", "-n1"])
def test_a_run_without_any_test_fails(gate, processes):
    assert gate(processes, test_none="").returncode == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_run_of_good_tests_passes(gate):
    assert gate("-n1", test_one=GOOD).returncode == 0


def test_our_own_pytest_settings_load_the_gate(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("gate")
