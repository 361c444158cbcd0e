"""What this room forgets, and when; and what of it a restored backup must forget again. Room: applications.

The rules stand here, with the condition of each; what is done is `erasure`, and what each model says of itself.
"""

from datetime import timedelta

from django.db.models import Case, DateField, DateTimeField, F, Q, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest, TruncDate
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from applications import erasure, seat, uploads
from applications.models import Application, Consent, Contact, Needs, Panel, Upload
from presessions import retention, trail
from presessions.mail import forgetting
from presessions.mail.models import Letter
from presessions.retention import tombstones
from presessions.upr.dates import GENEVA

CALL, MEETING = "state_call__call", "state_call__meeting"
SERIES, REVIEW = f"{CALL}__series", f"{MEETING}__state_under_review"


# --- Applications -----------------------------------------------------------------------------------------------------


def over_on(path=""):
    """The last day of the Pre-sessions, or the day of the meeting itself where that is later; where neither is known,
    the last day of the Working Group session. path -- to the application"""
    return Coalesce(
        Greatest(f"{path}{SERIES}__last_day", TruncDate(f"{path}{MEETING}__starts_at", tzinfo=GENEVA)),
        f"{path}{SERIES}__session__ends_on",
    )


def reviewed_on():
    """The last day of the Working Group session in which the State is reviewed; a session lasts two weeks where only
    its first day is known."""
    return Coalesce(
        f"{REVIEW}__session__ends_on",
        f"{SERIES}__session__ends_on",
        Cast(F(f"{SERIES}__session__starts_on") + Value(timedelta(days=14)), DateField()),
    )


NEVER_SENT = Q(submitted_at=None)
SEATED = Q(status__in=Application.HOLDS_SEAT)


def deadline():
    return Coalesce("state_call__closes_at", f"{CALL}__closes_at")


def never_before_the_meeting(day):
    """That day; where the meeting or the deadline is known to be later, that one: a year that somebody mistypes must
    not erase overnight what nobody can bring back. Not known as long as the day is not."""
    last = Greatest(day, over_on(), TruncDate(deadline(), tzinfo=GENEVA))
    return Case(When(IsNull(day, False), then=last), output_field=DateField())


def drafts():
    kept_since = Coalesce(Greatest(deadline(), "late_until"), Cast(over_on(), DateTimeField()))
    return Application.objects.filter(NEVER_SENT, erased_at=None).alias(kept_since=kept_since)


def not_selected():
    return Application.objects.filter(~NEVER_SENT & ~SEATED, erased_at=None).alias(
        kept_since=never_before_the_meeting(over_on())
    )


def selected():
    return Application.objects.filter(~NEVER_SENT & SEATED, erased_at=None).alias(
        kept_since=never_before_the_meeting(reviewed_on())
    )


@retention.rule(
    "drafts",
    what=_("Applications that were begun and never sent"),
    when=ngettext_lazy("%(days)d day after their deadline", "%(days)d days after their deadline", "days"),
    kept=drafts,
    stays=_("that one was begun, for which State, and when"),
    once=1,
)
def forget_drafts(rows, *, now):
    for application in rows:
        erasure.erase(application, now=now)


@retention.rule(
    "not_selected",
    what=_("Applications that were declined, withdrawn or left on the waiting list"),
    when=ngettext_lazy(
        "%(days)d day after the last day of the Pre-sessions", "%(days)d days after the last day of the Pre-sessions",
        "days",
    ),
    kept=not_selected,
    dated=True,
    stays=_("the State, the themes, the steps and their moments, under a random reference"),
    once=1,
)  # fmt: skip
@retention.rule(
    "selected",
    what=_("Applications of those who had a seat on a panel"),
    when=ngettext_lazy(
        "%(days)d day after the last day of the Working Group session",
        "%(days)d days after the last day of the Working Group session",
        "days",
    ),
    kept=selected,
    dated=True,
    stays=_("besides, the kind of institution, and whether a woman or a man spoke: the published figures"),
    once=1,
)
def forget_applications(rows, *, now):
    for application in rows:
        erasure.forget(application, now=now)


def _about(lines, applications):
    """Those of the lines that are about one of these applications, if it is not empty yet."""
    rows = applications.filter(reference__in=[line.name for line in lines], erased_at=None)
    there = set(rows.values_list("reference", flat=True))
    return [line for line in lines if line.name in there]


def _standing_applications(lines):
    return _about(lines, Application.objects)


def _forgotten_applications(since):
    for reference, status, at in Application.objects.filter(erased_at__gte=since).values_list(
        "reference", "status", "erased_at"
    ):
        how = "erased" if status == Application.Status.WITHDRAWN else "forgotten"
        yield tombstones.Line("application", reference, at, {"how": how})


@tombstones.kind("application", standing=_standing_applications, known=_forgotten_applications)
def bury_application(line, *, now):
    application = Application.objects.get(reference=line.name)
    if line.facts.get("how") == "forgotten":
        erasure.forget(application, now=now)
    else:
        erasure.erase(application, now=now)


def _standing_withdrawals(lines):
    return _about(lines, Application.objects.live())


def _withdrawn(since):
    rows = Application.objects.filter(withdrawn_at__gte=since, status=Application.Status.WITHDRAWN)
    for reference, at in rows.values_list("reference", "withdrawn_at"):
        yield tombstones.Line("withdrawn", reference, at)


@tombstones.kind("withdrawn", standing=_standing_withdrawals, known=_withdrawn)
def bury_withdrawn(line, *, now):
    """Taken back after the backup: as good as taken back now."""
    living = Application.objects.live().filter(reference=line.name, erased_at=None).with_state().first()
    if living:  # or it has been erased this very moment
        living.withdraw(now=now)


# --- Leave to publish -------------------------------------------------------------------------------------------------


def _standing_consents(lines):
    standing = Consent.objects.filter(application__reference__in=[line.name for line in lines], withdrawn_at=None)
    given = list(standing.values_list("application__reference", "item", "given_at"))
    return [
        line
        for line in lines
        if any(name == line.name and item in line.facts["items"] and at < line.at for name, item, at in given)
    ]


def _consents_taken_back(since):
    rows = Consent.objects.filter(withdrawn_at__gte=since).order_by("withdrawn_at", "item")
    for reference, item, at in rows.values_list("application__reference", "item", "withdrawn_at"):
        yield tombstones.Line("consent", reference, at, {"items": [item]})


@tombstones.kind("consent", standing=_standing_consents, known=_consents_taken_back, needs=("items",))
def bury_consent(line, *, now):
    """What was agreed to before and taken back since the backup; what was given anew in the same step, or later,
    stands."""
    application = Application.objects.get(reference=line.name)
    given = application.consents.filter(item__in=line.facts["items"], given_at__lt=line.at, withdrawn_at=None)
    if given.update(withdrawn_at=line.at):
        trail.record(application, "saved_safety", now=now)


# --- What only the meeting needs --------------------------------------------------------------------------------------

AFTER_THE_MEETING = ngettext_lazy(
    "%(days)d day after the meeting; at once of whoever has no seat any more",
    "%(days)d days after the meeting; at once of whoever has no seat any more",
    "days",
)


def needs():
    without_seat = When(~Q(application__status__in=Application.HOLDS_SEAT), then=Value(retention.AT_ONCE))
    path = "application__"
    hour, session = f"{path}{MEETING}__starts_at", f"{path}{SERIES}__session__ends_on"
    met_on = Coalesce(TruncDate(hour, tzinfo=GENEVA), f"{path}{SERIES}__last_day", session)
    return Needs.objects.alias(kept_since=Case(without_seat, default=met_on, output_field=DateField()))


retention.rule(
    "needs",
    what=_("Passports, letters for visas, and what speakers need"),
    when=AFTER_THE_MEETING,
    kept=needs,
    dated=True,
)(seat.forget_some_needs)


def notes():
    """Also of meetings that were never given an hour."""
    session = "meeting__state_under_review__session"
    met_on = Coalesce(
        TruncDate("meeting__starts_at", tzinfo=GENEVA), f"{session}__series__last_day", f"{session}__ends_on"
    )
    return Panel.objects.filter(retention.with_words(Panel)).alias(kept_since=met_on)


retention.rule(
    "notes",
    what=_("Notes for moderators"),
    when=ngettext_lazy("%(days)d day after the meeting", "%(days)d days after the meeting", "days"),
    kept=notes,
    dated=True,
)(retention.empty)


def unfinished_uploads():
    return Upload.objects.alias(kept_since=F("touched_at"))


@retention.rule(
    "uploads",
    what=_("Files that were not sent to their end"),
    when=ngettext_lazy("%(days)d day after their last piece", "%(days)d days after their last piece", "days"),
    kept=unfinished_uploads,
)
def forget_uploads(rows, *, now):
    uploads.remove(rows)


# --- Contacts, and people who are none --------------------------------------------------------------------------------


def unconfirmed():
    return Contact.objects.waiting().alias(kept_since=F("asked_at"))


@retention.rule(
    "contacts_unconfirmed",
    what=_("Addresses that signed up and did not confirm it"),
    when=ngettext_lazy("%(days)d day after the sign-up", "%(days)d days after the sign-up", "days"),
    kept=unconfirmed,
)
def forget_unconfirmed(rows, *, now):
    for contact in rows:
        contact.give_up(now=now)


def _gone(lines):
    return Contact.objects.filter(reference__in=[line.name for line in lines])


def _standing_contacts(lines):
    """Those on the list again, and those of whom nothing is known any more, so that an old list could bring them."""
    rows = dict(_gone(lines).values_list("reference", "email_index"))
    living = set(_gone(lines).filter(left_at=None, bounced_at=None).values_list("reference", flat=True))
    indexes = [line.facts["index"] for line in lines]
    known = set(Contact.objects.filter(email_index__in=indexes).values_list("email_index", flat=True))
    lost = {line.name for line in lines if line.name not in rows and line.facts["index"] not in known}
    return [line for line in lines if line.name in living | lost]


def _contacts_gone(since):
    for field, how in (("left_at", "left"), ("bounced_at", "bounced")):
        rows = Contact.objects.gone().filter(**{f"{field}__gte": since})
        for reference, index, at in rows.values_list("reference", "email_index", field):
            yield tombstones.Line("contact", reference, at, {"index": index, "how": how})


@tombstones.kind("contact", standing=_standing_contacts, known=_contacts_gone, needs=("index", "how"))
def bury_contact(line, *, now):
    """Off the list once more; one that the backup has never heard of leaves its keyed hash, as it had before."""
    contact = Contact.objects.filter(reference=line.name).first()
    how = line.facts["how"]
    if contact is None:
        gone = {"left_at" if how == "left" else "bounced_at": line.at}
        Contact.objects.create(
            reference=line.name, email="", email_index=line.facts["index"], asked_at=line.at, **gone
        )  # fmt: skip
    elif how == "left":
        contact.leave(now=now)
    else:
        contact.bounce(now=now)


def visitors():
    rows = Letter.objects.settled().filter(recipient_kind="visitor", forgotten_at=None)
    return rows.alias(kept_since=F("created_at"))


@retention.rule(
    "visitors",
    what=_("Letters to addresses that asked for a link and had no application"),
    when=ngettext_lazy("%(days)d day after the letter", "%(days)d days after the letter", "days"),
    kept=visitors,
    stays=_("that a letter went"),
)
def forget_visitors(rows, *, now):
    forgetting.forget_contents(rows, now=now)
