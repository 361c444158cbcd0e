"""What the names of a mail domain say to those who receive its mail: MX, SPF, DKIM, DMARC. Room: mail; rules only.

    findings = maildomain.look(domain, ask, relay=..., selectors=..., bounce_domain=..., reply_domain=...)

`ask(name, kind)` answers with a list of texts, [] where there is nothing, and raises Silence when nobody answers; how
it asks is the caller's business. Each Finding says in plain words what was found and what to change.
"""

from presessions.mail.maildomain import dkim, dmarc, mx, spf
from presessions.mail.maildomain.findings import Finding, Grade, Silence

__all__ = ["Finding", "Grade", "Silence", "look"]


def look(domain, ask, *, bounce_domain="", reply_domain="", message_domain="", selectors=(), relay=""):
    """Everything about one sending domain, in the order in which somebody would put it right.

    domain -- right of the @ in From; bounce_domain -- where bounces go, the same when not said
    reply_domain -- where people answer to; message_domain -- right of the @ in Message-IDs
    selectors -- names of DKIM keys; relay -- the server that sends for us
    """
    bounce_domain, reply_domain = bounce_domain or domain, reply_domain or domain
    purposes = {reply_domain: "replies"}
    purposes.setdefault(bounce_domain, "bounces")
    looks = [
        *(("MX", name, lambda name=name, what=what: mx.look(name, what, ask)) for name, what in purposes.items()),
        ("SPF", bounce_domain, lambda: spf.look(bounce_domain, relay.lower().rstrip("."), ask)),
        *(("DKIM", domain, lambda one=selector: dkim.look(domain, one, ask)) for selector in selectors or ("",)),
        ("DMARC", domain, lambda: dmarc.look(domain, bounce_domain, ask)),
        *([("Name", message_domain, lambda: mx.name(message_domain, ask))] if message_domain else []),
    ]
    findings = []
    for subject, name, look_at in looks:
        try:
            findings += look_at()
        except Silence as silence:
            words = f"{name} could not be looked up: {silence}."
            findings.append(
                Finding(subject, Grade.WRONG, words, "Try again; if it stays so, ask whoever runs the name servers.")
            )
    return findings
