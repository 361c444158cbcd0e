"""The letters that applicants and contacts get because of something they did. Room: applications; imports mail.

They say little: a mailbox may be watched. No name, State or theme stands in a subject, and bodies know an application
by its reference. `mailings` registers the kinds named here.
"""

from datetime import timedelta

from django.db import transaction

from presessions import vault
from presessions.mail import outbox
from presessions.mail.models import Letter
from presessions.mail.registry import Recipient

ONE_LINK_IN = timedelta(minutes=5)  # asked twice within it, a link is mailed once
A_DAY, MOST_A_DAY = timedelta(days=1), 3  # times that one mailbox is written to because somebody asked, whoever did


def of_application(application, **context):
    """The applicant as the recipient of a letter. Its personal link opens the application."""
    return Recipient(
        "application",
        application.reference,
        to=application.email,
        language=application.language,
        context={"reference": application.reference, "series": application.state_call.series, **context},
    )


def of_contact(contact, **context):
    """Somebody on the list, or about to be, as the recipient of a letter."""
    return Recipient(
        "contact",
        contact.reference,
        to=contact.email,
        language=contact.language,
        context=context,
        since=contact.confirmed_at,
    )


def send_link(application, *, now, is_new=False):
    """Its personal link; None once it is erased, and once that mailbox had enough today. A link of each application
    gets through, or who begins several would miss some.

    is_new -- begun in this very transaction: nobody else can have erased it, nor was it written to
    """
    with transaction.atomic():
        living = type(application).objects.filter(pk=application.pk, erased_at=None)
        is_there = is_new or living.select_for_update(of=("self",)).values_list("pk").first()
        if not is_there or _has_enough("application_link", application.email, now, but_for=application.reference):
            return None
        return outbox.put(
            kind="application_link",
            key=f"application_link:{application.reference}:{_window(now)}",
            recipient=of_application(application),
            now=now,
            is_new=is_new,
        )


def say_nothing_found(email, *, language, now):
    """The answer to a lost link nobody has: the same work, and the truth only to who reads that mailbox."""
    if _has_enough("no_application", email, now):
        return None
    kind, id = visitor(vault.blind_index("email", email))
    return outbox.put(
        kind="no_application",
        key=f"no_application:{id}:{_window(now)}",
        recipient=Recipient(kind, id, to=email, language=language),
        now=now,
    )


def visitor(email_index):
    """(kind, id) of somebody of whom we know an address and nothing else."""
    return "visitor", email_index[:32]


def receipt(application):
    """The recipient of a receipt, with what it proves."""
    return of_application(
        application,
        submitted_at=application.submitted_at,
        received_at=application.received_at,
        file=application.last_sent("upr_submission"),
    )


def send_receipt(application, *, now):
    """One for each version of the file: the first when the application is sent, another whenever it is exchanged."""
    recipient = receipt(application)
    key = f"receipt:{application.reference}:{recipient.context['file'].version}"
    return outbox.put(kind="receipt", key=key, recipient=recipient, now=now, is_new=True)


def withdrawal(application):
    """The recipient of the proof that an application was taken back."""
    return of_application(application, withdrawn_at=application.withdrawn_at)


def confirm_withdrawal(application, *, now):
    return outbox.put(
        kind="withdrawn", key=f"withdrawn:{application.reference}:1", recipient=withdrawal(application), now=now
    )


def acceptance(application):
    """The recipient of the good news, with the date by which the seat is to be confirmed."""
    return of_application(application, confirm_by=application.confirm_by)


def on_waiting_list(application, place=None, of=None):
    """The recipient of the news that all seats are given, with the place in the order of those who wait, where staff
    have made one."""
    return of_application(application, place=place, waiting=of)


def asked_for_more(application, until=None):
    """The recipient of the news that staff ask for something, and until when. What, stands on the page only."""
    return of_application(application, until=until or application.requests.first().until)


def send_more_information(application, request, *, now):
    return outbox.put(
        kind="more_information",
        key=f"more_information:{application.reference}:{request.pk}",
        recipient=asked_for_more(application, request.until),
        now=now,
    )


def more_time(application):
    """The recipient of a link that is open longer than the call."""
    return of_application(application, until=application.late_until)


def send_late_link(application, *, now):
    return outbox.put(
        kind="late_link",
        key=f"late_link:{application.reference}:{int(now.timestamp())}",  # more time may be given twice
        recipient=more_time(application),
        now=now,
    )


def seat_answer(application):
    """The recipient of the proof that a seat was confirmed or given up."""
    return of_application(application, answered_at=application.seat_answered_at)


def send_seat_confirmed(application, *, now):
    return outbox.put(
        kind="seat_confirmed",
        key=f"seat_confirmed:{application.reference}:{int(now.timestamp())}",  # a seat may be offered a second time
        recipient=seat_answer(application),
        now=now,
    )


def send_seat_given_up(application, *, now):
    return outbox.put(
        kind="seat_given_up",
        key=f"seat_given_up:{application.reference}:{int(now.timestamp())}",
        recipient=seat_answer(application),
        now=now,
    )


def paper(application, file):
    """The recipient of the proof that a statement or a fact sheet came."""
    return of_application(application, file=file)


def send_paper_received(application, file, *, now):
    return outbox.put(
        kind="statement_received",
        key=f"statement_received:{application.reference}:{file.kind}:{file.version}",
        recipient=paper(application, file),
        now=now,
    )


def refused_file(file):
    """The recipient of the news that a file could not be kept: why, and what to do."""
    return of_application(file.application, sentences=file.refusal)


def tell_of_refused_file(file, *, now):
    return outbox.put(
        kind="file_refused",
        key=f"file_refused:{file.application.reference}:{file.kind}:{file.version}",
        recipient=refused_file(file),
        now=now,
    )


def ask_to_confirm(contact, *, now):
    if _has_enough("contact_confirm", contact.email, now):
        return None
    return outbox.put(
        kind="contact_confirm",
        key=f"contact_confirm:{contact.reference}:{_window(now)}",
        recipient=of_contact(contact),
        now=now,
    )


def _has_enough(kind, email, now, *, but_for=None):
    """Whether a mailbox was written to so often today that whoever asks once more would only be a nuisance. Letters of
    one moment count as one: a lost link is answered with one for each application.

    but_for -- a recipient who is written to at least once
    """
    today = Letter.objects.to_address(email).filter(kind=kind, created_at__gt=now - A_DAY).exclude(created_at=now)
    asked = today.values_list("created_at", "recipient_id")
    moments, recipients = {moment for moment, _id in asked}, {id for _moment, id in asked}
    return len(moments) >= MOST_A_DAY and (but_for is None or but_for in recipients)


def _window(now):
    """A number that stays the same for some minutes: part of the key of letters that people ask for twice."""
    return int(now.timestamp() // ONE_LINK_IN.total_seconds())
