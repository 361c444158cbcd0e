"""A snapshot: the demonstration as an earlier release made it, for the test that migrations keep what they find.

    python -m tests.setup.take_snapshot 598b0b0 2026-11-26

takes the code of that commit out of git, lets it migrate and make its demonstration beside throwaway servers, and keeps
the database as tests/setup/snapshots/2026-11-26.sql.gz. Take one of each release that real installations may run.
Files of applicants are not in it. Its keys are those of `KEYSET`, which are good for a demonstration only.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from presessions import devservers

HOME = Path(__file__).resolve().parents[2]
SNAPSHOTS = Path(__file__).parent / "snapshots"
KEYSET = json.dumps(
    {
        "primary": "snapshot",
        "keys": {
            "snapshot": base64.b64encode(hashlib.sha256(b"the demonstration of an earlier release").digest()).decode()
        },
    }
)


def main(commit, name):
    with devservers.throwaway_environment() as ours, devservers.temporary_folder() as folder:
        code = folder / "code"
        git = subprocess.run(["git", "archive", commit], cwd=HOME, stdout=subprocess.PIPE, check=True)
        with tarfile.open(fileobj=io.BytesIO(git.stdout)) as archive:
            archive.extractall(code, filter="data")
        password = "a-password-for-one-snapshot"
        staff = {"DEMO_STAFF_EMAIL": "staff@example.org", "DEMO_STAFF_PASSWORD": password, "DEMO_STAFF_PHONE": "A" * 32}
        environment = {
            **os.environ,
            **ours,
            **staff,
            "VAULT_KEYSET": KEYSET,
            "DJANGO_SETTINGS_MODULE": "presessions.settings",
        }
        for command in ("migrate --verbosity=0", "load_calendar", "demo"):
            subprocess.run([sys.executable, "manage.py", *command.split()], cwd=code, env=environment, check=True)
        dump(ours["DATABASE_URL"], SNAPSHOTS / f"{name}.sql.gz")


def dump(url, target):
    """The whole database as plain SQL: owned by nobody in particular, and the same bytes for the same rows."""
    program = devservers.programs() / "pg_dump"
    command = [program, "--no-owner", "--no-privileges", f"--dbname={url.replace('postgres://', 'postgresql://')}"]
    done = subprocess.run(command, check=True, capture_output=True, env=devservers.Server.environment)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(gzip.compress(done.stdout, 9, mtime=0))
    print(f"{target.name}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
