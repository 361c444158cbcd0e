"""DMARC: what receivers do with mail that nothing proves to be ours. Room: mail; pure. RFC 7489.

A domain without a policy of its own has its parent's. Where the parents end is not ours to know without a list of all
registries; so the names are climbed one by one, and the last one, a whole country's, is left out.
"""

from presessions.mail.maildomain.findings import Finding, Grade, tags

POLICIES = ("none", "quarantine", "reject")


def look(domain, bounce_domain, ask):
    """domain -- of From; bounce_domain -- of the envelope, which SPF is about"""
    home, records = _records(domain, ask)
    example = (
        f"Add a TXT record at _dmarc.{domain}: “v=DMARC1; p=none; rua=mailto:” and a mailbox. Read its reports for "
        "some weeks; then go on to p=quarantine."
    )
    if not records:
        words = (
            f"{domain} does not say what to do with mail that is not proven to be its own. Large providers ask it of "
            "everybody who sends many mails."
        )
        return [_finding(Grade.WRONG, words, example)]
    if len(records) > 1:
        words = f"_dmarc.{home} has {len(records)} records; of more than one, receivers take none."
        return [_finding(Grade.WRONG, words, "Keep one of them.")]
    fields = tags(records[0])
    policy = (fields.get("p", "") if home == domain else fields.get("sp") or fields.get("p", "")).lower()
    if policy not in POLICIES:
        return [_finding(Grade.WRONG, f"The record at _dmarc.{home} names no policy that means anything.", example)]
    return [_policy(policy, home), _alignment(domain, bounce_domain, fields, home), _reports(fields, home)]


def _policy(policy, home):
    if policy == "none":
        words = f"{home} has DMARC with p=none: mail that somebody forges in our name is still delivered."
        return _finding(Grade.WEAK, words, "Once the reports show that our own mail is proven, go on to p=quarantine.")
    fate = "is put among the spam" if policy == "quarantine" else "is refused"
    return _finding(Grade.GOOD, f"{home} has DMARC: mail that is not proven to be ours {fate} (p={policy}).")


def _alignment(domain, bounce_domain, fields, home):
    """SPF counts for DMARC only where envelope and From belong together; strictly, where they are the same."""
    strict = fields.get("aspf", "r").lower() == "s"
    if bounce_domain == domain or (not strict and _belong_together(bounce_domain, domain, home)):
        return _finding(Grade.GOOD, f"Bounces go to {bounce_domain}, which belongs to {domain}: SPF counts.")
    words = f"Bounces go to {bounce_domain}, which does not count as {domain}: only DKIM can prove our mail."
    wanted = f"{domain} itself, because of aspf=s" if strict else f"a name under {home}"
    return _finding(Grade.WRONG, words, f"Set MAIL_BOUNCE_DOMAIN to {wanted}.")


def _belong_together(one, other, home):
    under_one_roof = all(name == home or name.endswith(f".{home}") for name in (one, other))
    return under_one_roof or one.endswith(f".{other}") or other.endswith(f".{one}")


def _reports(fields, home):
    mailboxes = [
        uri.strip()[7:] for uri in fields.get("rua", "").split(",") if uri.strip().lower().startswith("mailto:")
    ]
    if mailboxes:
        return _finding(Grade.GOOD, f"The daily reports go to {', '.join(mailboxes)}.")
    words = "Nobody gets the daily reports on who sends mail in our name."
    return _finding(Grade.WEAK, words, f"Add “rua=mailto:” and a mailbox to the record at _dmarc.{home}.")


def _records(domain, ask):
    """(where, records) of the policy in force."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        home = ".".join(labels[start:])
        texts = ask(f"_dmarc.{home}", "TXT")
        records = [text for text in texts if text.replace(" ", "").lower().startswith("v=dmarc1")]
        if records:
            return home, records
    return domain, []


def _finding(grade, words, change=""):
    return Finding("DMARC", grade, words, change)
