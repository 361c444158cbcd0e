"""Whether mail to a domain has anywhere to go, and a name exists at all. Room: mail; pure. RFC 5321, RFC 7505."""

from presessions.mail.maildomain.findings import Finding, Grade


def look(domain, what, ask):
    """what -- "replies" or "bounces": what is lost when there is nowhere to go"""
    subject = f"MX for {what}"
    servers = [line.split()[-1] for line in ask(domain, "MX")]
    if "." in servers:
        words = f"{domain} says that it takes no mail at all (a null MX), and many servers refuse mail from it as well."
        return [Finding(subject, Grade.WRONG, words, f"Put the name of a mail server into the MX record of {domain}.")]
    if servers:
        names = ", ".join(sorted(server.rstrip(".") for server in servers))
        return [Finding(subject, Grade.GOOD, f"Mail to {domain} goes to {names}.")]
    if ask(domain, "A") or ask(domain, "AAAA"):
        words = f"{domain} has no MX record; mail goes to the address of the domain itself."
        return [
            Finding(subject, Grade.WEAK, words, "Add an MX record that names the mail server: nobody has to guess.")
        ]
    words = f"{domain} has no mail server, so no {what} reach us."
    return [Finding(subject, Grade.WRONG, words, f"Add an MX record to {domain} that names the server for its mail.")]


def name(domain, ask):
    """The domain in our Message-IDs and greetings: one that does not exist makes receivers suspicious."""
    if any(ask(domain, kind) for kind in ("A", "AAAA", "MX")):
        return [Finding("Name", Grade.GOOD, f"{domain}, which stands in our Message-IDs, exists.")]
    words = (
        f"{domain}, which stands in our Message-IDs and greetings, does not exist; some receivers hold that against us."
    )
    return [
        Finding("Name", Grade.WEAK, words, f"Add an A record to {domain}, or set MAIL_DOMAIN to a name that exists.")
    ]
