"""What stands beside the code: lock files, Makefile, CI, containers."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from applications import scanner
from tests.applications import program

HOME = Path(__file__).resolve().parents[2]
LOCKS = ["runtime", "s3", "dev"]
OURS = ["web", "web-2", "worker", "beat", "watch", "migrate"]
TARGETS = ["help", "run", "test", "lint", "e2e", "storm", "fresh", "bench", "lock", "messages", "demo-reset"]


def read(path):
    return (HOME / path).read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_address(name):
    lock = read(f"requirements/{name}.txt")
    assert "://" not in lock
    assert "--index-url" not in lock


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_is_exact_and_hashed(name):
    packages = re.sub(r"\\\n", "", read(f"requirements/{name}.txt")).strip().splitlines()
    assert packages
    assert [line for line in packages if not re.match(r"[a-z0-9.\-\[\]]+==\S+ .*--hash=sha256:", line)] == []


def test_developers_run_the_versions_that_production_runs():
    runtime, s3, dev = (
        dict(re.findall(r"^([a-z0-9.\-]+)==(\S+)", read(f"requirements/{name}.txt"), re.M)) for name in LOCKS
    )
    assert runtime.items() <= s3.items() <= dev.items()
    assert runtime["celery"].startswith("5.7.")


def test_dateutil_is_celerys_choice_alone():
    for name in LOCKS:
        wishes = [line for line in read(f"requirements/{name}.in").splitlines() if not line.startswith("#")]
        assert "dateutil" not in "".join(wishes)


@pytest.mark.parametrize("target", TARGETS)
def test_make_offers(target):
    done = subprocess.run(["make", "--dry-run", target], cwd=HOME, env=without_make(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_make_alone_lists_its_targets():
    done = subprocess.run(["make"], cwd=HOME, env=without_make(), capture_output=True, text=True)
    assert "make run" in done.stdout
    assert "make demo-reset" in done.stdout


def test_without_a_suitable_python_make_says_what_is_missing(tmp_path):
    fresh_clone(tmp_path)
    done = subprocess.run(["make", "run", "PYTHON="], cwd=tmp_path, env=without_make(), capture_output=True, text=True)
    assert done.returncode != 0
    assert "needs Python 3.11 or 3.12" in done.stdout


def test_without_chromium_the_browser_journeys_stop_and_say_what_to_install():
    command = ["make", "e2e", "CHROMIUM=/nowhere/chromium"]
    done = subprocess.run(command, cwd=HOME, env=without_make(), capture_output=True, text=True)
    assert done.returncode != 0
    assert "need Chromium: install it" in done.stdout


def test_ci_runs_everything_and_stops_at_the_first_failure():
    script = read(".ci/run")
    assert os.access(HOME / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("make lint test e2e")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(read("docker-compose.yml"))


def test_compose_has_one_beat_that_cannot_be_multiplied(compose):
    beats = [name for name, service in compose["services"].items() if "beat" in service.get("command", [])]
    assert beats == ["beat"]
    assert compose["services"]["beat"]["container_name"]  # a service with a fixed name cannot be scaled


def test_compose_migrates_once_before_anything_of_ours_starts(compose):
    services = compose["services"]
    assert services["migrate"]["restart"] == "no"
    assert "manage.py migrate" in services["migrate"]["command"][-1]
    after_migrations = {
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }
    for name in ("web", "worker", "beat", "watch"):
        assert services[name]["depends_on"] == after_migrations
    assert services["web-2"]["depends_on"] == {**after_migrations, "web": {"condition": "service_healthy"}}


def test_compose_runs_one_image_for_all_of_ours(compose):
    services = compose["services"]
    assert {services[name]["image"] for name in OURS} == {"presessions"}


def test_compose_starts_mailpit_and_clamav_only_when_asked(compose):
    profiles = {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service}
    assert profiles == {"mailpit": ["demo"], "clamav": ["scan"], "restore": ["restore"]}


def test_the_scanner_reads_every_file_that_we_take_to_its_end(compose):
    """Beyond its own limits it calls files clean that it has not read."""
    assert "./deploy/clamd.conf:/etc/clamav/clamd.conf:ro" in compose["services"]["clamav"]["volumes"]
    assert compose["services"]["worker"]["environment"]["CLAMAV_URL"] == "${CLAMAV_URL:-}"
    program.load()
    ours = sys.modules["zip_check"]
    lines = read("deploy/clamd.conf").splitlines()
    says = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    sizes = {name: int(value[:-1]) * 1024 * 1024 for name, value in says.items() if value.endswith("M")}
    assert sizes["StreamMaxLength"] > settings.UPLOAD_LIMIT
    assert min(sizes["MaxFileSize"], sizes["MaxScanSize"]) > ours.UNPACKED
    assert int(says["MaxFiles"]) > ours.ENTRIES
    assert int(says["MaxScanTime"]) < scanner.SECONDS * 1000
    assert says["AlertExceedsMax"] == "yes"


def test_compose_keeps_database_and_private_files_on_named_volumes(compose):
    services = compose["services"]
    assert {"database", "private", "journal"} <= compose["volumes"].keys()
    assert services["postgres"]["volumes"][0] == "database:/var/lib/postgresql"
    ours = ["private:/srv/private", "journal:/srv/journal"]  # the journal apart from the database and its backup
    assert services["web"]["volumes"] == services["web-2"]["volumes"] == services["worker"]["volumes"] == ours


def test_the_backup_only_reads_what_it_copies_and_knows_no_key(compose):
    backup, restore = compose["services"]["backup"], compose["services"]["restore"]
    assert {"private:/srv/private:ro", "journal:/srv/journal:ro"} < set(backup["volumes"])
    assert not [volume for volume in backup["volumes"] if volume.startswith("database:")]  # by the network, as its role
    assert backup["environment"]["PGUSER"] == "presessions_backup"
    assert backup["cap_add"] == ["DAC_READ_SEARCH"]
    assert "${BACKUPS:-backups}:/backups:ro" in restore["volumes"]
    for service in (backup, restore):
        assert service["image"] == compose["services"]["postgres"]["image"]
        assert not {"SECRET_KEY", "VAULT_KEYSET"} & service["environment"].keys()


def test_only_the_backup_may_copy_the_whole_database(compose):
    assert "--hba_file=/etc/postgresql/pg_hba.conf" in compose["services"]["postgres"]["command"]
    rules = [line.split() for line in read("deploy/pg_hba.conf").splitlines() if line and not line.startswith("#")]
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}
    assert [rule[2] for rule in rules if rule[1] == "replication"] == ["presessions_backup"]


def test_compose_checks_the_health_of_what_others_wait_for(compose):
    services = compose["services"]
    waited_for = {
        name
        for service in services.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for == {"postgres", "redis", "web", "web-2"}
    assert all("healthcheck" in services[name] for name in waited_for | {"proxy", "worker"})


def test_compose_shows_the_world_one_door_which_buffers(compose):
    services = compose["services"]
    assert [name for name, service in services.items() if "ports" in service and "profiles" not in service] == ["proxy"]
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["inside"]
    assert services["web"]["networks"] == services["web-2"]["networks"] == {"inside": {"aliases": ["web"]}}
    assert compose["networks"]["inside"] == {"internal": True}
    proxy = read("deploy/nginx.conf")
    assert "proxy_request_buffering on;" in proxy
    assert "access_log off;" in proxy  # the paths of personal links are secrets


def test_compose_and_image_contain_no_secret(compose):
    secret = re.compile(r"SECRET|KEYSET|PASSWORD|_URL$")
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if secret.search(name):
                assert re.search(r"\$\{\w+:(\?|-\})", value), name  # asked for, or empty
    assert not re.search(r"^(ENV|ARG).*(SECRET|KEYSET|PASSWORD)", read("Dockerfile"), re.M)
    filled_in = re.findall(r"^(?:SECRET_KEY|VAULT_KEYSET|\w+_PASSWORD)=['\"]?(\w+)", read(".env.example"), re.M)
    assert filled_in == []


def test_compose_asks_for_every_setting_the_example_lists(compose):
    listed = set(re.findall(r"^([A-Z0-9_]+)=", read(".env.example"), re.M))
    assert listed == set(re.findall(r"\$\{(\w+):", read("docker-compose.yml")))


def test_redis_keeps_the_bell_and_throws_nothing_away(compose):
    command = compose["services"]["redis"]["command"][-1]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "--requirepass" in command


def test_the_image_runs_as_a_plain_user_and_writes_no_bytecode():
    dockerfile = read("Dockerfile")
    assert dockerfile.count("FROM ") == 2
    assert "USER presessions" in dockerfile
    assert "PYTHONDONTWRITEBYTECODE=1" in dockerfile
    assert "--require-hashes" in dockerfile


def fresh_clone(folder):
    (folder / "requirements").mkdir()
    for path in ("Makefile", "requirements/dev.txt"):
        shutil.copy(HOME / path, folder / path)


def without_make():
    """Our environment without what an outer `make test` says to its children."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "CHROMIUM")
    }
