"""`manage.py check_mail_domain`: what receivers find out about the domain we send from, and what to change."""

import ipaddress

import dns.exception
import dns.resolver
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from presessions.mail import maildomain
from presessions.mail.maildomain import Grade, Silence

SECONDS = 5
SIGNS = {Grade.GOOD: "✓", Grade.WEAK: "–", Grade.WRONG: "✗"}


class Command(BaseCommand):
    help = "Look up MX, SPF, DKIM and DMARC of the domain we send from, and say in words what to change."

    def add_arguments(self, parser):
        parser.add_argument("--domain", default="", help="instead of the domain of MAIL_FROM")
        parser.add_argument("--selector", action="append", help="name of the relay's DKIM key; may be given twice")
        parser.add_argument("--relay", default="", help="name or address of the server from which our mail goes out")
        parser.add_argument("--nameserver", default="", help="ask this one, ADDRESS or ADDRESS:PORT")

    def handle(self, *, domain, selector, relay, nameserver, **options):
        domain = name_of(domain or settings.MAIL_FROM)
        bounce_domain = name_of(settings.MAIL_BOUNCE_DOMAIN or settings.MAIL_FROM)
        reply_domain = name_of(settings.MAIL_REPLY_TO)
        findings = maildomain.look(
            domain,
            asking(nameserver),
            bounce_domain=bounce_domain,
            reply_domain=reply_domain,
            message_domain=name_of(settings.MAIL_DOMAIN),
            selectors=selector or settings.MAIL_DKIM_SELECTOR,
            relay=relay,
        )
        self.stdout.write(f"Mail from {domain}, bounces to {bounce_domain}, replies to {reply_domain}.\n\n")
        for finding in findings:
            self.stdout.write(f"{SIGNS[finding.grade]} {finding.subject}: {finding.words}")
            if finding.change:
                self.stdout.write(f"    → {finding.change}")
        wrong = sum(finding.grade is Grade.WRONG for finding in findings)
        if wrong:
            raise CommandError(f"{wrong} {'thing' if wrong == 1 else 'things'} must change.")
        self.stdout.write("\nNothing must change.")


def name_of(address):
    """The domain of an address, or a domain, as name servers know it."""
    try:
        return address.rpartition("@")[2].strip("<> .").lower().encode("idna").decode()
    except UnicodeError as error:
        raise CommandError(f"{address} is no name of a domain.") from error


def asking(nameserver=""):
    """The function `ask(name, kind)` that the rules use; it remembers what it was told."""
    resolver = dns.resolver.Resolver(configure=not nameserver)
    if nameserver:
        host, _colon, port = nameserver.rpartition(":") if nameserver.count(":") == 1 else (nameserver, "", "")
        try:
            resolver.nameservers, resolver.port = [str(ipaddress.ip_address(host))], int(port or 53)
        except ValueError as error:
            raise CommandError("--nameserver takes an address, such as 192.0.2.53 or 192.0.2.53:5353.") from error
    resolver.timeout, resolver.lifetime = SECONDS / 2, SECONDS
    known = {}

    def ask(name, kind):
        if (name, kind) not in known:
            known[name, kind] = _ask(resolver, name, kind)
        return known[name, kind]

    return ask


def _ask(resolver, name, kind):
    try:
        answer = resolver.resolve(name, kind, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.resolver.LifetimeTimeout as error:
        raise Silence(f"the name servers did not answer within {SECONDS} seconds") from error
    except dns.resolver.NoNameservers as error:
        raise Silence("the name servers answer with a failure") from error
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise Silence(f"it is no name that can be asked for ({type(error).__name__})") from error
    if kind == "TXT":
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
    return [record.to_text() for record in answer]
