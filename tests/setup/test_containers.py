"""The containers: nobody is root or can write where it need not, each has its limits, and every setting arrives."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from presessions import serving

HOME = Path(__file__).resolve().parents[2]
ROOT_FOR_A_REASON = {"backup", "restore"}  # they copy files of several owners; all other rights are taken from them
NOT_READ_ONLY = {"clamav"}
OURS = {"web", "web-2", "worker", "beat", "watch", "migrate"}
# What differs between two of our containers, and is therefore not among the settings that all have in common.
ONLY_SOMEWHERE = {"DATABASE_APP_ROLE", "DATABASE_READER_ROLE", "DATABASE_BACKUP_ROLE"}
IN_THE_IMAGE = {"PRIVATE_FILES", "STATIC_ROOT"}
# Whoever wants another value than ours adds it to x-app; nobody needs to.
LEFT_AS_THEY_ARE = {
    "DEBUG",
    "STYLEGUIDE",
    "VAULT_KEYSET_FILE",
    "INBOX_CA_FILE",
    "CLAMAV_SIGNATURE_DAYS",
    "MAIL_SILENCE",
    "SECURE_SSL_REDIRECT",
}


def read(path):
    return (HOME / path).read_text()


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load(read("docker-compose.yml"))["services"]


def asked_of_the_environment():
    """The names that presessions/settings.py reads."""
    for node in ast.walk(ast.parse(read("presessions/settings.py"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            whose = node.func.value
            if isinstance(whose, ast.Name) and whose.id == "env" and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def test_nobody_is_root_who_need_not_be(services):
    users = {name: service.get("user", "presessions" if name in OURS else "") for name, service in services.items()}
    assert "" not in users.values(), users
    assert {name for name, user in users.items() if user in ("root", "0")} == ROOT_FOR_A_REASON
    assert re.search(r"^USER presessions$", read("Dockerfile"), re.M)


def test_everybody_has_limits_and_no_right_of_the_kernel(services):
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"] and service["pids_limit"], name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert "privileged" not in service and service.get("network_mode", "none") == "none", name
    assert {name for name, service in services.items() if "cap_add" in service} == ROOT_FOR_A_REASON
    assert {name for name, service in services.items() if not service["read_only"]} == NOT_READ_ONLY


def test_every_image_has_a_version(services):
    images = {service["image"] for name, service in services.items() if name not in OURS}
    images |= set(re.findall(r"^FROM (\S+)", read("Dockerfile"), re.M))
    assert [image for image in images if not re.fullmatch(r"[a-z/]+:v?\d+(\.\d+)*(-[a-z-]+)?", image)] == []


def test_the_image_holds_what_runs_and_nothing_that_builds():
    build, final = read("Dockerfile").split("\nFROM ")[-2:]
    assert "apt-get" in build and "apt-get" not in final
    assert "--without-pip" in build and "pip uninstall" in final
    assert "compileall" in build  # a read-only image cannot keep what Python compiles: each start would do so anew
    assert "COPY . ." not in final
    kept = [line for line in read(".dockerignore").splitlines() if line.startswith("!")]
    assert "!tests" not in kept and "!docs" not in kept and "!deploy" not in kept and "!.env" not in kept


def test_every_setting_arrives_in_each_of_our_containers(services):
    known = set(asked_of_the_environment()) | {"VAULT_KEYSET"}
    given = set(services["web"]["environment"])
    assert given <= known, "no setting reads this"
    assert known - given == ONLY_SOMEWHERE | IN_THE_IMAGE | LEFT_AS_THEY_ARE
    assert set(re.findall(r"^(?:ENV |    )([A-Z_]+)=/", read("Dockerfile"), re.M)) >= IN_THE_IMAGE
    for name in OURS - {"migrate"}:
        assert services[name]["environment"] == services["web"]["environment"], name
    assert services["migrate"]["environment"].keys() == given | ONLY_SOMEWHERE


def test_only_the_migrations_come_as_the_owner_of_the_tables(services):
    roles = {name: re.match(r"postgres://(\w+):", services[name]["environment"]["DATABASE_URL"])[1] for name in OURS}
    assert {name for name, role in roles.items() if role == "presessions_owner"} == {"migrate"}
    assert {role for name, role in roles.items() if name != "migrate"} == {"presessions_app"}
    assert "./deploy/roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro" in services["postgres"]["volumes"]


def test_who_is_asked_to_end_gets_the_time_it_needs(services):
    for name in ("web", "web-2"):
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > serving.graceful_timeout
    assert services["worker"]["stop_grace_period"] == "60s"
    assert all(services[name]["init"] for name in OURS)  # or the first process would take no notice of a signal


def test_the_proxy_goes_to_every_replica_and_hands_no_post_over_twice(services):
    proxy = read("deploy/nginx.conf")
    assert "resolver 127.0.0.11" in proxy and "set $web web:8000;" in proxy
    assert re.search(r"^\s*proxy_next_upstream error timeout;$", proxy, re.M)
    assert "non_idempotent;" not in proxy
    listens = re.search(r"listen (\d+);", proxy)[1]
    assert services["proxy"]["ports"][0].endswith(f":{listens}")
    assert serving.bind.endswith(":8000")
    assert services["proxy"]["depends_on"].keys() == {"web", "web-2"}


PAIR = re.compile(r"^([A-Z0-9_]+)=(.*)$", re.M)


@pytest.fixture(scope="module")
def first_env():
    done = subprocess.run(["sh", HOME / "deploy" / "first_env.sh"], capture_output=True, text=True, check=True)
    return dict(PAIR.findall(done.stdout))


def test_the_first_env_has_every_line_of_the_example_and_every_secret_once(first_env):
    example = dict(PAIR.findall(read(".env.example")))
    assert first_env.keys() == example.keys()
    secrets = {name for name in first_env if first_env[name] != example[name]}
    assert secrets == {"SECRET_KEY", "VAULT_KEYSET"} | {name for name in first_env if name.endswith("_PASSWORD")}
    assert all(len(first_env[name]) >= 40 for name in secrets)
    assert len({first_env[name] for name in secrets}) == len(secrets)


@pytest.mark.parametrize("service", ["web", "migrate"])
def test_what_the_first_env_says_is_good_enough_to_start_with(service, services, first_env):
    """Once somebody has decided about the scanner. As docker-compose puts it together."""
    decided = {name: value.strip("'") for name, value in first_env.items()} | {"CLAMAV_URL": "none"}

    def put_in(asked):
        name, how, otherwise = re.match(r"(\w+):([?-])(.*)", asked[1]).groups()
        return decided[name] or (otherwise if how == "-" else pytest.fail(f"{name} is asked for"))

    environment = {
        name: re.sub(r"\$\{([^}]+)\}", put_in, value) for name, value in services[service]["environment"].items()
    }
    done = subprocess.run(
        [sys.executable, "-c", "import presessions.settings as all; print(all.PUBLIC_URL)"],
        cwd=HOME,
        env={"PATH": os.environ["PATH"], "PRIVATE_FILES": "/srv/private", **environment},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "http://localhost:8000", done.stderr[-2000:]
