"""Is a weakness known in anything we depend on? Asks OSV (osv.dev) about each locked version, through pip-audit.

    .venv/bin/python requirements/audit.py [--osv-url ADDRESS] [file ...]

Ends with 0 where nothing is known, with 1 where something is, and with 2 where not everything could be asked: nobody
should take silence for an answer, and pip-audit by itself calls "not found" safe.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOCKED = [HERE / name for name in ("runtime.txt", "s3.txt", "dev.txt")]
SAFE, WEAK, UNASKED = 0, 1, 2


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--osv-url")
    parser.add_argument("files", nargs="*", type=Path, default=LOCKED)
    options = parser.parse_args(arguments)
    asked, weak, unasked = ask(options.files, options.osv_url)
    for package in weak:
        for weakness in package["vulns"]:
            mended = ", ".join(weakness["fix_versions"]) or "nothing yet"
            print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}")
    if weak:
        return WEAK
    if unasked or not asked:
        print("Nobody could be asked about weaknesses of" + (f": {', '.join(unasked)}." if unasked else " anything."))
        return UNASKED
    print(f"No weakness is known in the {len(asked)} packages that we depend on.")
    return SAFE


def ask(files, url=None):
    """(names that were asked about, packages with a known weakness, names that nobody could be asked about)"""
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off", "--disable-pip"]
    command += ["--require-hashes", "--vulnerability-service=osv", *(["--osv-url", url] if url else [])]
    command += [part for file in files for part in ("--requirement", str(file))]
    said = subprocess.run(command, capture_output=True, text=True).stdout  # noqa: S603 -- our own words
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, KeyError):
        return [], [], []
    asked = [package["name"] for package in packages if "skip_reason" not in package]
    return (
        asked,
        [one for one in packages if one.get("vulns")],
        [one["name"] for one in packages if "skip_reason" in one],
    )


if __name__ == "__main__":
    sys.exit(main())
