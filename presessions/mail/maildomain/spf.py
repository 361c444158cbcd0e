"""SPF: which servers may send for a domain. Room: mail; pure. RFC 7208.

Receivers look at the domain of the envelope, where bounces go, and not at From.
"""

import ipaddress

from presessions.mail.maildomain.findings import Finding, Grade

MOST_LOOKUPS = 10  # RFC 7208 4.6.4: then a receiver gives up
MOST_VOID = 2  # and of those, so many may find nothing
END = "Let it end in “~all”, or in “-all” once every server that sends for us is listed."


def look(domain, relay, ask):
    """relay -- name or address of the server that sends for us, or "" """
    records = records_of(domain, ask)
    if not records:
        term = _term_for(relay) if relay else "include:…"
        words = f"{domain} does not say which servers may send its mail; many receivers refuse or hide such mail."
        change = f"Add one TXT record to {domain}: “v=spf1 {term} ~all”, or what the relay’s people tell you."
        return [_wrong(words, change)]
    if len(records) > 1:
        words = f"{domain} has {len(records)} SPF records; of more than one, receivers take none."
        return [_wrong(words, "Merge them into one TXT record that begins with v=spf1, and delete the others.")]
    walk = Walk(ask, relay)
    walk.visit(domain, records[0])
    findings = [*_ending(domain, records[0]), *_faults(walk), *_questions(walk)]
    return [*findings, _relay(domain, relay, walk)]


class Walk:
    """Follows a record as a receiver does, counts what that asks, and sees whether our relay is let through."""

    def __init__(self, ask, relay):
        self.ask, self.relay = ask, relay
        self.lookups, self.void, self.lets_relay, self.faults, self.seen = 0, 0, False, [], set()
        self.addresses = {ipaddress.ip_address(address) for address in _addresses(relay, ask)} if relay else set()

    def visit(self, domain, record):
        if domain in self.seen:
            self.faults.append(f"it leads back to {domain}, and so goes in a circle")
            return
        self.seen.add(domain)
        for term in record.lower().split()[1:]:
            if self.lookups > MOST_LOOKUPS:  # enough to know
                return
            self._take(term, domain)

    def _take(self, term, domain):
        name, _colon, value = term.lstrip("+-~?").partition(":")
        passes = term[0] not in "-~?"
        if name.startswith("redirect="):
            self._follow(name.removeprefix("redirect="))
        elif name == "include":
            self.lets_relay |= passes and value == self.relay
            self._follow(value)
        elif name in ("ip4", "ip6"):
            self._network(value, term, passes)
        elif name.split("/")[0] in ("a", "mx"):
            self._hosts(name, value or domain, passes)
        elif name == "exists":
            self.lookups += 1
        elif name == "ptr":
            self.lookups += 1
            self.faults.append("“ptr” is slow, and must not be used any more")
        elif name != "all" and "=" not in term:
            self.faults.append(f"“{term}” means nothing")

    def _follow(self, domain):
        self.lookups += 1
        if "%" in domain:  # a macro, which only a receiver can fill in
            return
        records = records_of(domain, self.ask)
        if len(records) == 1:
            self.visit(domain, records[0])
        else:
            self.void += not records
            self.faults.append(
                f"it sends receivers to {domain}, which has {'no' if not records else 'two'} SPF records"
            )

    def _hosts(self, name, target, passes):
        self.lookups += 1
        target = target.split("/")[0]
        hosts = [target]
        if name.startswith("mx"):
            hosts = [line.split()[-1].rstrip(".") for line in self.ask(target, "MX")][:10]
        found = {ipaddress.ip_address(address) for host in hosts for address in _addresses(host, self.ask)}
        self.void += not found
        self.lets_relay |= passes and (bool(found & self.addresses) or self.relay in hosts)

    def _network(self, value, term, passes):
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            self.faults.append(f"“{term}” is no address")
            return
        self.lets_relay |= passes and any(one.version == network.version and one in network for one in self.addresses)


def _ending(domain, record):
    terms = record.lower().split()[1:]
    last = next((term for term in terms if term.lstrip("+-~?") == "all"), "")
    if last in ("all", "+all"):
        return [_wrong(f"The SPF record of {domain} ends in “+all”: it lets the whole world send in our name.", END)]
    if last == "?all" or not (last or any(term.startswith("redirect=") for term in terms)):
        return [
            _wrong(f"The SPF record of {domain} does not say what other servers may not do: it protects nobody.", END)
        ]
    return [Finding("SPF", Grade.GOOD, f"{domain} has one SPF record, and it ends in “{last or 'redirect'}”.")]


def _faults(walk):
    return [
        _wrong(f"The record has a fault: {fault}.", "Take that part out, or put it right.") for fault in walk.faults
    ]


def _questions(walk):
    if walk.lookups > MOST_LOOKUPS:
        words = f"To read the record takes more than {MOST_LOOKUPS} questions to name servers; then receivers give up."
        return [_wrong(words, "Take out what no longer sends for us, or give addresses (ip4:, ip6:) in its place.")]
    if walk.void > MOST_VOID:
        words = f"{walk.void} names in the record lead nowhere; after {MOST_VOID} receivers give up."
        return [_wrong(words, "Take those names out.")]
    return [Finding("SPF", Grade.GOOD, f"To read it takes {walk.lookups} of the {MOST_LOOKUPS} questions allowed.")]


def _relay(domain, relay, walk):
    if not relay:
        words = "Whether it lets our relay send was not looked at: nobody said which one that is."
        return Finding(
            "SPF", Grade.WEAK, words, "Give the name or the address from which the relay sends: --relay NAME."
        )
    if walk.lets_relay:
        return Finding("SPF", Grade.GOOD, f"It lets {relay} send for {domain}.")
    words = f"It does not let {relay} send for {domain}: our mail looks forged."
    return _wrong(words, f"Add “{_term_for(relay)}” to the record, before its last word.")


def _term_for(relay):
    if not _is_address(relay):
        return f"include:{relay}"
    return f"ip6:{relay}" if ":" in relay else f"ip4:{relay}"


def _wrong(words, change):
    return Finding("SPF", Grade.WRONG, words, change)


def records_of(domain, ask):
    return [text for text in ask(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1"]


def _addresses(host, ask):
    return [host] if _is_address(host) else [address for kind in ("A", "AAAA") for address in ask(host, kind)]


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
