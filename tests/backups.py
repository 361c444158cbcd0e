"""A whole installation for tests of deploy/backup.sh and deploy/restore.sh: a PostgreSQL whose commits are durable, a
folder of private files, and the scripts as an administrator runs them."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from presessions import devservers
from tests import servers

HOME = Path(__file__).resolve().parents[1]
SCRIPTS = HOME / "deploy"


class House:
    """A database server with its folders. The scripts get these by their environment, and nothing else of ours; they
    log in with the role that a deployment gives them."""

    password = "of-the-backup-and-of-nobody-else"

    def __init__(self, folder):
        self.folder = Path(folder)
        self.private, self.backups = self.folder / "private", self.folder / "backups"
        self.private.mkdir(mode=0o700)
        self.postgres = devservers.Postgres(self.folder / "server", durable=True)

    def environment(self, **more):
        server = urlsplit(self.postgres.url)
        known = {
            "PATH": f"{self.postgres.programs}:{os.environ['PATH']}",
            "PGHOST": server.hostname,
            "PGPORT": str(server.port),
            "PGUSER": "presessions_backup",
            "PGPASSWORD": self.password,
            "PGDATABASE": server.path[1:],
            "BACKUPS": str(self.backups),
            "PRIVATE_FILES": str(self.private),
            "MAIL_JOURNAL": os.environ.get("MAIL_JOURNAL", ""),
        }
        return known | more

    def backup(self, *verb, **environment):
        """`backup.sh once`, or another verb. What it said is in `stdout`, complaints too."""
        return self._run("backup.sh", *(verb or ["once"]), **environment)

    def restore(self, *arguments, **environment):
        return self._run("restore.sh", *arguments, **environment)

    def begin(self, **environment):
        """`backup.sh run`, until its process is ended."""
        command = ["sh", SCRIPTS / "backup.sh", "run"]
        log = (self.folder / "backup.log").open("wb")
        return subprocess.Popen(command, env=self.environment(**environment), stdout=log, stderr=log, cwd="/")

    def _run(self, script, *arguments, **environment):
        return subprocess.run(
            ["sh", SCRIPTS / script, *map(str, arguments)],
            env=self.environment(**environment),
            cwd="/",
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=1800,
        )

    def fill(self):
        """The product's tables: as the test run has them, where it has any, else by migrating. The roles, and who may
        connect, are those of a deployment."""
        (self.postgres.data / "pg_hba.conf").write_bytes((SCRIPTS / "pg_hba.conf").read_bytes())
        self.postgres.restart()
        for setting, role in servers.make_roles(self.postgres.url, BACKUP_PASSWORD=self.password).items():
            setattr(settings, setting, role)
        known = connection.settings_dict
        url = f"postgresql://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
        is_made = "mail_pulse" in connection.introspection.table_names()
        with django_in(self.postgres.url):
            if not is_made:
                return call_command("migrate", verbosity=0)
        programs, ours = self.postgres.programs, self.postgres.url.replace("postgres://", "postgresql://")
        dump = [programs / "pg_dump", "--no-owner", f"--dbname={url}"]
        load = [programs / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", ours]
        with subprocess.Popen(dump, stdout=subprocess.PIPE, env=devservers.Server.environment) as whole:
            subprocess.run(load, stdin=whole.stdout, stdout=subprocess.DEVNULL, check=True)
        assert whole.returncode == 0

    def lose_the_disk(self):
        """The database as it stands, gone in one moment. Where its data was."""
        self.postgres.kill()
        data = self.postgres.data.resolve()
        shutil.rmtree(data)
        return data

    def files(self):
        """{name: SHA-256} of all private files that have arrived."""
        found = (path for path in self.private.glob("??/*") if path.is_file())
        return {str(path.relative_to(self.private)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@contextmanager
def django_in(url):
    """The product works with another database than the test run's, until the end."""
    server, known = urlsplit(url), connection.settings_dict
    ours = {"HOST": server.hostname, "PORT": server.port, "USER": server.username, "PASSWORD": server.password}
    before = {name: known[name] for name in (*ours, "NAME")}
    connection.close()
    known.update(ours, NAME=server.path[1:])
    try:
        yield
    finally:
        connection.close()
        known.update(before)


def rows():
    """{table: (how many rows, a hash over all of them)} of the whole database."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        each = (
            f"""SELECT '{table}', count(*), md5(coalesce(string_agg(row, '' ORDER BY row), ''))"""
            f""" FROM (SELECT t::text COLLATE "C" AS row FROM "{table}" t) rows"""
            for table in tables
        )
        cursor.execute(" UNION ALL ".join(each))
        return {table: facts for table, *facts in cursor.fetchall()}


def whole_content(folder):
    """The bytes of every file below a folder; of compressed ones also what is in them."""
    for path in Path(folder).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield path, content
            if re.search(r"\.gz$", path.name):
                yield path, gzip.decompress(content)
