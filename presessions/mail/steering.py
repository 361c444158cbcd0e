"""What staff do with a mailing before it goes: put letters back, try it on themselves, be told of it. Room: mail.

Imports the outbox, the watch and the models; `tasks` imports us. Steps that touch no letter are the Mailing's own.
"""

import logging
import re
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.signals import post_delete, post_save
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions import trail
from presessions.mail import corrections, outbox, registry, watch
from presessions.mail.letters import STRUCK_OUT, Unwritable
from presessions.mail.models import Alarm, Letter, Mailing, PersonalLink, SeriesText
from presessions.mail.registry import Priority, Recipient
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA, day_of, in_words
from presessions.upr.signals import dates_changed

State, Held = Mailing.State, Mailing.Held

NOTICE = timedelta(hours=24)
PATIENCE = timedelta(hours=24)  # a question to staff is no trouble before they had a working day to answer it
PERSONAL = re.compile(rf"https?://[^\s<>]*?{re.escape(STRUCK_OUT)}[\w/?=&-]*")

registry.occasion(
    "mailing_test", label=gettext_lazy("test of a mailing"), template="mail/mailing_test", priority=Priority.NOW
)
registry.occasion(
    "mailing_notice",
    label=gettext_lazy("notice of a mailing"),
    template="mail/mailing_notice",
    priority=Priority.SOON,
)


def listen():
    """An approval is one of a date and of a text: when either changes, somebody must approve again."""
    dates_changed.connect(_dates_changed, dispatch_uid="presessions.mail.steering")
    for signal in (post_save, post_delete):
        signal.connect(_text_changed, sender=SeriesText, dispatch_uid=f"presessions.mail.steering.{id(signal)}")


def _dates_changed(series, now, **kwargs):
    _forget_approvals(series.mailings.all(), now)


def _text_changed(instance, **kwargs):
    _forget_approvals(Mailing.objects.filter(series=instance.series_id, kind=instance.kind), timezone.now())


def _forget_approvals(mailings, now):
    approved = mailings.filter(approved_at__isnull=False, state__in=Mailing.BEFORE_WRITING)
    with transaction.atomic():
        for mailing in approved.select_for_update():
            Mailing.objects.filter(pk=mailing.pk).update(**Mailing.UNAPPROVED)
            trail.record(mailing, "approval_ended", now=now)


# --- Frozen letters go, or are put back ------------------------------------------------------------------------------


OUT_OF_DATE = gettext_lazy(
    "A date has changed since its letters were written. Throw them away and plan again, or cancel it."
)


def is_out_of_date(mailing):
    """Whether letters are written that would go, and tell what is not so any more."""
    return mailing.is_frozen and corrections.is_out_of_date(mailing, None)


def send_now(mailing, *, by, now, reason=""):
    """Mailing.send_now, but not of letters that the schedule would hold again the same second: then nobody is told
    that they go."""
    mailing.refresh_from_db(fields=["state", "held_reason", "writing_at", "told"])
    if is_out_of_date(mailing):
        mailing.refuse("send_now", OUT_OF_DATE, by=by, now=now)
    mailing.send_now(by=by, now=now, reason=reason)


def thaw(mailing, *, by, now, reason=""):
    """Throw its written letters away with their links, and let the schedule plan again. Raises WrongStep once a
    letter has been tried: what may have arrived cannot be taken back."""
    with transaction.atomic():
        Mailing.objects.select_for_update().get(pk=mailing.pk)
        letters = Letter.objects.filter(mailing=mailing.pk)
        list(letters.select_for_update().values_list("pk"))  # a worker that is claiming one is waited for
        tried = letters.filter(Q(attempts__gt=0) | Q(sent_at__isnull=False) | Q(links__visits__isnull=False)).exists()
        if not tried:
            mailing.refresh_from_db()
            late = mailing.due_at is None or mailing.due_at <= now  # then it must not go by itself the next second
            facts = {
                "state": State.HELD if late else State.PLANNED,
                "held_reason": Held.STAFF if late else "",
                "writing_at": None,
                "written_at": None,
                "told": mailing.told and {**mailing.told, "at": ""},  # nobody has been told it
                **Mailing.UNAPPROVED,
            }
            refusal = mailing.try_step(
                "thaw", (State.HELD,), Q(writing_at__isnull=False), by=by, now=now, reason=reason, **facts
            )
            if not refusal:
                _throw_away(letters, now)
    if tried:
        mailing.refuse("thaw", _("A letter of %(mailing)s has been tried already: it can only go on."), by=by, now=now)
    if refusal:
        raise WrongStep(refusal)


def _throw_away(letters, now):
    """Letters without a history leave no trace. One that has a history keeps it, and gives up its place: its person is
    written to again when the mailing is."""
    PersonalLink.objects.filter(letter__in=letters).delete()
    for letter in letters.filter(history__isnull=False).distinct().defer(*Letter.SEALED):
        letter.step(Q(), state=Letter.State.CANCELLED, now=now, code="thawed")
        Letter.objects.filter(pk=letter.pk).update(mailing=None, key=f"{letter.key}~{letter.pk}")
    letters.delete()


# --- A test to myself ---------------------------------------------------------------------------------------------


def send_test(mailing, language, *, by, now, reason=""):
    """Send this member of staff what the first person of a language would get. Personal links lead to the home page,
    and none is minted. Raises WrongStep."""
    key = f"mailing_test:{mailing.pk}:{by.pk}:{language}:{now.timestamp() // 60:.0f}"
    if Letter.objects.filter(key=key).exists():
        mailing.refuse("test", _("This test went to you less than a minute ago."), by=by, now=now)
    text = _as_the_first_would_get_it(mailing, language, by=by, now=now)
    context = {"series": mailing.series, "subject": text.subject, "text": PERSONAL.sub(_harmless(), text.body)}
    with transaction.atomic():
        trail.record(mailing, "test", now=now, by=by, reason=reason)
        return outbox.put(kind="mailing_test", key=key, recipient=_staff(by, language, context), now=now)


def _as_the_first_would_get_it(mailing, language, *, by, now):
    people = mailing.people()
    person = as_spoken(people, language)
    if person is None:
        mailing.refuse("test", _("Nobody would get %(mailing)s today."), by=by, now=now)
    try:
        return outbox.preview(mailing.kind, person, mailing=mailing).without(*person.secrets)
    except Unwritable:
        mailing.refuse("test", _("%(mailing)s cannot be written in this language: see its page."), by=by, now=now)


def as_spoken(people, language):
    """The first of some people who reads a language; else the first of all, as if they did; None when there is none."""
    person = next((person for person in people if person.language == language), None)
    return person or (replace(people[0], language=language) if people else None)


def _staff(person, language, context):
    return Recipient("staff", str(person.pk), to=person.email, language=language, context=context)


def _harmless():
    return f"{settings.PUBLIC_URL}/#personal-link"


# --- Staff are told the day before, and when something is held ------------------------------------------------------


def give_notice(now):
    """One letter to each of staff for what goes within 24 hours, once for each hour that it was given; one for all
    meetings whose mailings go together. What would reach nobody is not told. Returns how many mailings were told of."""
    goes = Q(state=State.PLANNED) | Q(state=State.HELD, held_reason=Held.LOOK)
    soon = Mailing.objects.with_series().filter(goes, due_at__gt=now, due_at__lte=now + NOTICE)
    together = {}
    for mailing in soon.exclude(noticed_for=F("due_at")).order_by("due_at", "pk"):
        count = _count(mailing)
        if count != 0:
            key = (mailing.series_id, mailing.kind, mailing.step, mailing.due_at, mailing.state)
            together.setdefault(key, {})[mailing.pk] = (mailing, count)
    return sum(_notify(those, now) for those in together.values())


def _notify(those, now):
    """Tell each of staff of these mailings, unless they are told already, or are being told: never wait for that."""
    with transaction.atomic():
        untold = Mailing.objects.filter(pk__in=those).exclude(noticed_for=F("due_at"))
        ours = list(untold.select_for_update(skip_locked=True).order_by("pk").values_list("pk", "due_at"))
        ours = [pk for pk, due_at in ours if due_at == those[pk][0].due_at]
        if not ours:
            return 0
        Mailing.objects.filter(pk__in=ours).update(noticed_for=F("due_at"))
        context = _told([those[pk] for pk in ours], now)
        for person in watch.staff_to_tell():
            outbox.put(
                kind="mailing_notice",
                key=f"mailing_notice:{ours[0]}:{now.timestamp():.0f}:{person.pk}",
                recipient=_staff(person, person.language, context),
                now=now,
                not_after=context["mailing"].due_at,
            )
    return len(ours)


def _told(those, now):
    mailing = those[0][0]
    due = mailing.due_at.astimezone(GENEVA)
    count = None if any(count is None for _mailing, count in those) else sum(count for _mailing, count in those)
    page = settings.PUBLIC_URL + reverse("admin:mail_mailing_change", args=[mailing.pk])
    most = settings.MAIL_TWO_PERSONS_ABOVE
    return {
        "series": mailing.series,
        "mailing": mailing,
        "places": [(one.meeting.state, number) for one, number in those if one.meeting_id],
        "count": count,
        "is_tomorrow": due.date() > day_of(now),
        "hour": f"{due:%H:%M}",
        "at": lazy(in_words, str)(mailing.due_at),  # in the reader's language
        "is_frozen": mailing.state == State.HELD,
        "needs_two": bool(most) and any((number or 0) > most for _mailing, number in those),
        "page": page if len(those) == 1 else settings.PUBLIC_URL + reverse("admin:mail_mailing_changelist"),
    }


def _count(mailing):
    """How many people would get it; None when the room above cannot list them."""
    try:
        return len(mailing.people())
    except Exception:  # staff are told all the more
        return None


def sound_alarms(now):
    """An alarm for each mailing that is held by anything but staff's own hand; ended when it goes on."""
    system = Mailing.objects.held().exclude(held_reason=Held.STAFF)
    wrong = {f"held:{mailing.pk}": mailing for mailing in system.with_series() if _is_wrong(mailing, now)}
    known = set(Alarm.objects.filter(code__startswith="held:", ended_at=None).values_list("code", flat=True))
    for code in wrong.keys() - known:
        words = {"mailing": wrong[code], "reason": wrong[code].get_held_reason_display()}
        asked = wrong[code].held_reason == Held.PROPOSED
        level = logging.INFO if asked else logging.ERROR
        watch.alarm(code, now=now, detail=_("%(mailing)s: %(reason)s") % words, level=level)
    for code in known - wrong.keys():
        watch.ended(code, now=now)


def _is_wrong(mailing, now):
    """Written to be looked at is as staff wanted it, until its hour has come; a proposal waits for their decision."""
    if mailing.held_reason == Held.PROPOSED and corrections.only_repeats(mailing):
        return False
    if mailing.held_reason == Held.PROPOSED and mailing.due_at is not None:  # since then it has been proposed
        return mailing.due_at + PATIENCE <= now
    return mailing.held_reason != Held.LOOK or (mailing.due_at is not None and mailing.due_at <= now)
