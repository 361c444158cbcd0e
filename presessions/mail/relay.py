"""The second way to reach staff, for when mail itself is down: another relay, past the outbox. Room: mail.

It carries nothing but "mail is down, look": no name, no State, no mailing.
"""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from django.conf import settings

from presessions.mail.letters import new_message_id

SECONDS = 15  # for each command: who watches must soon watch again


def is_there():
    return bool(settings.ALERT_SMTP_URL and settings.ALERT_TO)


def send(subject, text, now):
    """Tell everybody in ALERT_TO. Raises OSError or SMTPException when the relay did not take it, and ValueError for a
    URL that leads nowhere."""
    message = EmailMessage()
    message["From"], message["To"] = settings.MAIL_FROM, ", ".join(settings.ALERT_TO)
    message["Subject"], message["Date"] = subject, format_datetime(now.astimezone(settings.GENEVA))
    message["Message-ID"], message["Auto-Submitted"] = new_message_id(), "auto-generated"
    message.set_content(text)
    with _connected() as smtp:
        smtp.send_message(message, settings.MAIL_FROM, settings.ALERT_TO)


def _connected():
    url = urlsplit(settings.ALERT_SMTP_URL)
    port = url.port or {"smtps": 465, "smtp+tls": 587}.get(url.scheme, 25)
    options = {"local_hostname": settings.MAIL_DOMAIN, "timeout": SECONDS}
    if url.scheme == "smtps":
        smtp = smtplib.SMTP_SSL(url.hostname, port, context=ssl.create_default_context(), **options)
    else:
        smtp = smtplib.SMTP(url.hostname, port, **options)
    try:
        if url.scheme == "smtp+tls":
            smtp.starttls(context=ssl.create_default_context())
        if url.username:
            smtp.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        smtp.close()
        raise
    return smtp
