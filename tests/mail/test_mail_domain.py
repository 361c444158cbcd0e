"""`check_mail_domain`: asked of a real name server, it says in plain words what to change."""

import base64
from functools import cache
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command

from presessions.mail.management.commands import check_mail_domain
from tests.mail.nameserver import SERVFAIL, SILENT, NameServer

RELAY = "192.0.2.25"


@cache
def key(bits):
    """A public key as it stands in a TXT record."""
    made = ed25519.Ed25519PrivateKey.generate() if not bits else rsa.generate_private_key(65537, bits)
    encoding = (Encoding.Raw, PublicFormat.Raw) if not bits else (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(made.public_key().public_bytes(*encoding)).decode()


@pytest.fixture(scope="module")
def server():
    with NameServer() as server:
        yield server


@pytest.fixture
def zone(server, settings):
    """A domain in good order. A test breaks one thing of it."""
    settings.MAIL_FROM, settings.MAIL_REPLY_TO = "pre-sessions@example.org", "staff@example.org"
    settings.MAIL_BOUNCE_DOMAIN, settings.MAIL_DKIM_SELECTOR = "bounces.example.org", ["s1"]
    settings.MAIL_DOMAIN = "presessions.example.org"
    server.asked.clear()
    server.zone = {
        ("example.org", "MX"): ["10 mx.example.org."],
        ("example.org", "A"): ["192.0.2.80"],
        ("presessions.example.org", "A"): ["192.0.2.80"],
        ("bounces.example.org", "MX"): ["10 mx.example.org."],
        ("bounces.example.org", "TXT"): ["some-site-verification=1", f"v=spf1 ip4:{RELAY} -all"],
        ("s1._domainkey.example.org", "TXT"): [f"v=DKIM1; k=rsa; p={key(2048)}"],
        ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"],
    }
    return server.zone


def check(server, *options):
    """(whether nothing must change, all that was said)"""
    said = StringIO()
    try:
        call_command("check_mail_domain", "--nameserver", server.address, *options, stdout=said)
    except CommandError as error:
        return False, f"{said.getvalue()}{error}"
    return True, said.getvalue()


def test_a_domain_in_good_order_has_nothing_to_change(server, zone):
    fine, said = check(server, "--relay", RELAY)
    assert fine
    assert "→" not in said and "✗" not in said
    for words in ("goes to mx.example.org", f"lets {RELAY} send", "2048 bits", "(p=quarantine)", "SPF counts"):
        assert words in said


SPF, DKIM, DMARC = ("bounces.example.org", "TXT"), ("s1._domainkey.example.org", "TXT"), ("_dmarc.example.org", "TXT")
NONE = []

WRONG = {  # what stands there instead, what is said, and what is advised
    "no mail server for replies": (
        {("example.org", "MX"): NONE, ("example.org", "A"): NONE},
        "example.org has no mail server, so no replies reach us",
        "Add an MX record to example.org",
    ),
    "no mail server for bounces": (
        {("bounces.example.org", "MX"): NONE},
        "bounces.example.org has no mail server, so no bounces reach us",
        "Add an MX record to bounces.example.org",
    ),
    "null MX": ({("bounces.example.org", "MX"): ["0 ."]}, "takes no mail at all", "Put the name of a mail server"),
    "no SPF": ({SPF: ["other=1"]}, "does not say which servers may send", f"“v=spf1 ip4:{RELAY} ~all”"),
    "two SPF records": (
        {SPF: ["v=spf1 -all", f"v=spf1 ip4:{RELAY} ~all"]},
        "has 2 SPF records; of more than one, receivers take none",
        "Merge them",
    ),
    "SPF for others": (
        {SPF: ["v=spf1 ip4:203.0.113.0/24 -all"]},
        f"does not let {RELAY} send for bounces.example.org",
        f"Add “ip4:{RELAY}” to the record",
    ),
    "SPF against the relay": ({SPF: [f"v=spf1 -ip4:{RELAY} ~all"]}, f"does not let {RELAY} send", "Add “ip4"),
    "SPF for everybody": ({SPF: [f"v=spf1 ip4:{RELAY} +all"]}, "lets the whole world send in our name", "“~all”"),
    "SPF without an end": ({SPF: [f"v=spf1 ip4:{RELAY}"]}, "it protects nobody", "“~all”"),
    "SPF with a neutral end": ({SPF: [f"v=spf1 ip4:{RELAY} ?all"]}, "it protects nobody", "“~all”"),
    "SPF with a slip": ({SPF: [f"v=spf1 ip:{RELAY} ip4:{RELAY} -all"]}, f"“ip:{RELAY}” means nothing", "put it right"),
    "SPF with half an address": ({SPF: [f"v=spf1 ip4:192.0.2 ip4:{RELAY} -all"]}, "is no address", "put it right"),
    "SPF with ptr": ({SPF: [f"v=spf1 ptr ip4:{RELAY} -all"]}, "“ptr” is slow", "Take that part out"),
    "SPF that includes nothing": (
        {SPF: [f"v=spf1 include:gone.example ip4:{RELAY} -all"]},
        "sends receivers to gone.example, which has no SPF records",
        "Take that part out",
    ),
    "SPF with too many questions": (
        {SPF: [f"v=spf1 {' '.join(f'a:h{n}.example' for n in range(11))} ip4:{RELAY} -all"]}
        | {(f"h{n}.example", "A"): ["203.0.113.9"] for n in range(11)},
        "more than 10 questions",
        "Take out what no longer sends",
    ),
    "SPF in a circle": (
        {SPF: [f"v=spf1 include:r.example ip4:{RELAY} -all"], ("r.example", "TXT"): ["v=spf1 include:r.example -all"]},
        "goes in a circle",
        "Take that part out",
    ),
    "SPF with names that lead nowhere": (
        {SPF: [f"v=spf1 a:x1.example a:x2.example a:x3.example ip4:{RELAY} -all"]},
        "3 names in the record lead nowhere",
        "Take those names out",
    ),
    "no DKIM key": ({DKIM: NONE}, "nobody can check a signature", "Switch on DKIM"),
    "two DKIM keys": ({DKIM: ["v=DKIM1; p=AA", "v=DKIM1; p=BB"]}, "There are 2 records", "Delete the old"),
    "no key at all": ({DKIM: ["hello"]}, "is no DKIM key", "Copy the TXT record"),
    "key taken back": ({DKIM: ["v=DKIM1; p="]}, "has been taken back", "make a new key"),
    "key cut short": ({DKIM: [f"v=DKIM1; p={key(2048)[:200]}"]}, "cut short or mistyped", "Copy the TXT record"),
    "no DMARC": ({DMARC: NONE}, "does not say what to do with mail that is not", "at _dmarc.example.org: “v=DMARC1"),
    "two DMARC records": ({DMARC: ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, "has 2 records", "Keep one"),
    "DMARC without a policy": ({DMARC: ["v=DMARC1; rua=mailto:a@example.org"]}, "no policy that means", "p=none"),
    "strict alignment": (
        {DMARC: ["v=DMARC1; p=reject; aspf=s; rua=mailto:a@example.org"]},
        "bounces.example.org, which does not count as example.org",
        "MAIL_BOUNCE_DOMAIN to example.org itself",
    ),
    "name servers that fail": ({DMARC: SERVFAIL}, "the name servers answer with a failure", "Try again"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_must_change_is_said_and_how(server, zone, case):
    records, words, advice = WRONG[case]
    zone |= records
    fine, said = check(server, "--relay", RELAY)
    assert not fine
    wrong = said[said.index("✗") :]
    assert words in wrong and advice in wrong
    assert said.rstrip().endswith("must change.")


WEAK = {
    "no relay named": ({}, [], "nobody said which one that is", "--relay"),
    "mail to the bare domain": ({("example.org", "MX"): NONE}, ["--relay", RELAY], "has no MX record", "Add an MX"),
    "Message-IDs of no domain": (
        {("presessions.example.org", "A"): NONE},
        ["--relay", RELAY],
        "presessions.example.org, which stands in our Message-IDs and greetings, does not exist",
        "set MAIL_DOMAIN",
    ),
    "a short key": ({DKIM: [f"p={key(1024)}"]}, ["--relay", RELAY], "has 1024 bits", "2048 bits"),
    "a modern key": ({DKIM: [f"k=ed25519; p={key(0)}"]}, ["--relay", RELAY], "Ed25519", "RSA key of 2048 bits as well"),
    "a key for a test": ({DKIM: [f"t=y:s; p={key(2048)}"]}, ["--relay", RELAY], "only a test", "Take t=y out"),
    "DMARC that only looks": (
        {DMARC: ["v=DMARC1; p=none; rua=mailto:a@example.org"]},
        ["--relay", RELAY],
        "is still delivered",
        "go on to p=quarantine",
    ),
    "DMARC without reports": (
        {DMARC: ["v=DMARC1;p=reject"]},
        ["--relay", RELAY],
        "Nobody gets the daily reports",
        "rua",
    ),
}


@pytest.mark.parametrize("case", WEAK)
def test_what_could_be_better_is_said_and_stops_nobody(server, zone, case):
    records, options, words, advice = WEAK[case]
    zone |= records
    fine, said = check(server, *options)
    assert fine
    assert words in said and advice in said


LETS_RELAY = {
    "by its include": ("v=spf1 include:relay.example -all", "relay.example"),
    "through an include": ("v=spf1 include:relay.example -all", RELAY),
    "through a redirect": ("v=spf1 redirect=relay.example", RELAY),
    "by its name": ("v=spf1 a:out.relay.example -all", RELAY),
    "by the servers that take mail": ("v=spf1 mx:relay.example -all", "out.relay.example"),
    "by its network": ("v=spf1 ip4:192.0.2.0/27 -all", RELAY),
    "by its newer address": ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8::25"),
}


@pytest.mark.parametrize("case", LETS_RELAY)
def test_a_relay_is_found_in_whatever_way_the_record_names_it(server, zone, case):
    record, relay = LETS_RELAY[case]
    zone |= {
        SPF: [record],
        ("relay.example", "TXT"): [f"v=spf1 ip4:{RELAY} -all"],
        ("relay.example", "MX"): ["10 out.relay.example."],
        ("out.relay.example", "A"): [RELAY],
    }
    fine, said = check(server, "--relay", relay)
    assert fine, said
    assert f"It lets {relay} send" in said


def test_the_policy_of_a_parent_holds_for_a_name_below_it(server, zone, settings):
    settings.MAIL_FROM = "pre-sessions@mail.example.org"
    zone["s1._domainkey.mail.example.org", "TXT"] = zone[DKIM]
    zone[DMARC] = ["v=DMARC1; p=reject; sp=none; rua=mailto:a@example.org"]
    fine, said = check(server, "--relay", RELAY)
    assert fine
    assert "example.org has DMARC with p=none" in said
    assert "bounces.example.org, which belongs to mail.example.org" in said
    assert ("_dmarc.org", "TXT") not in server.asked


def test_bounces_to_somebody_else_s_domain_leave_dkim_alone_to_prove_us(server, zone, settings):
    settings.MAIL_BOUNCE_DOMAIN = "relay.example"
    zone["relay.example", "MX"] = ["10 mx.relay.example."]
    zone["relay.example", "TXT"] = [f"v=spf1 ip4:{RELAY} -all"]
    fine, said = check(server, "--relay", RELAY)
    assert not fine
    assert "relay.example, which does not count as example.org: only DKIM can prove our mail" in said
    assert "a name under example.org" in said


def test_without_a_domain_for_bounces_and_a_selector_it_says_so(server, zone, settings):
    settings.MAIL_BOUNCE_DOMAIN, settings.MAIL_DKIM_SELECTOR = "", []
    zone["example.org", "TXT"] = zone[SPF]
    fine, said = check(server, "--relay", RELAY)
    assert fine
    assert "bounces to example.org" in said and "nobody said under which name" in said


def test_name_servers_that_do_not_answer_are_waited_for_and_named_once(server, zone, monkeypatch):
    monkeypatch.setattr(check_mail_domain, "SECONDS", 0.4)
    zone[SPF] = SILENT
    fine, said = check(server, "--relay", RELAY)
    assert not fine
    assert said.count("bounces.example.org could not be looked up: the name servers did not answer within") == 1
    assert "2048 bits" in said  # the others are looked at all the same


def test_a_domain_that_is_none_and_a_name_server_that_is_none(server, zone):
    for domain in (f"{'x' * 70}.example.org", "pre..sessions.example"):
        assert check(server, "--domain", domain) == (False, f"{domain} is no name of a domain.")
    with pytest.raises(CommandError, match="takes an address"):
        call_command("check_mail_domain", "--nameserver", "ns.example.org")


def test_each_name_is_asked_for_once(server, zone):
    check(server, "--relay", RELAY)
    assert len(server.asked) == len(set(server.asked))


def test_nothing_is_asked_of_the_world_when_a_name_server_is_named(server, zone):
    check(server, "--relay", RELAY)
    assert {name for name, _kind in server.asked} <= {name for name, _kind in zone} | {"_dmarc.example.org"}
