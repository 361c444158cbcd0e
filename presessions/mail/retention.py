"""What mail forgets, and when; and whether the nights' rounds take place. Room: mail."""

from django.db.models import DateTimeField, F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from presessions import retention, trail
from presessions.mail import forgetting, registry, watch
from presessions.mail.models import Alarm, Letter, LinkVisit, Report
from presessions.retention import running

ALARM = "forgetting"


def letters():
    """Those that are settled. A letter to somebody who is erased before has nothing left to forget."""
    return Letter.objects.settled().filter(forgotten_at=None).alias(kept_since=Coalesce("sent_at", "created_at"))


@retention.rule(
    "letters",
    what=_("Addresses and texts of letters that were sent"),
    when=ngettext_lazy(
        "%(days)d day after the letter; earlier with whom it was written to",
        "%(days)d days after the letter; earlier with whom it was written to",
        "days",
    ),
    kept=letters,
    stays=_("that a letter of a kind went, and when"),
)
def forget_letters(rows, *, now):
    forgetting.forget_contents(rows, now=now)


def reports():
    """What nobody deals with is not kept for ever: it goes a year after it came."""
    kept_since = Coalesce("handled_at", retention.a_year_after("read_at", rule="reports"), output_field=DateTimeField())
    return Report.objects.filter(retention.with_words(Report)).alias(kept_since=kept_since)


@retention.rule(
    "reports",
    what=_("Texts of mails that came back to the inbox"),
    when=ngettext_lazy(
        "%(days)d day after they were dealt with; unread, after a year",
        "%(days)d days after they were dealt with; unread, after a year",
        "days",
    ),
    kept=reports,
    stays=_("that a letter came back, and why"),
)  # fmt: skip
def forget_reports(rows, *, now):
    numbers = [str(pk) for pk in rows.values_list("pk", flat=True)]
    retention.empty(rows, now=now)
    trail.forget_reasons(Report._meta.label_lower, numbers)


def visits():
    counted = [purpose.name for purpose in registry.PURPOSES.values() if purpose.counted]
    return LinkVisit.objects.exclude(link__purpose__in=counted).alias(kept_since=F("at"))


retention.rule(
    "visits",
    what=_("When a page was opened by a personal link"),
    when=ngettext_lazy("%(days)d day after the visit", "%(days)d days after the visit", "days"),
    kept=visits,
    stays=_("visits to the invitations of missions, which are counted"),
)(retention.delete)


def alarms():
    return Alarm.objects.filter(retention.with_words(Alarm)).alias(kept_since=F("ended_at"))


retention.rule(
    "alarms",
    what=_("Details of alarms that are over"),
    when=ngettext_lazy("%(days)d day after their end", "%(days)d days after their end", "days"),
    kept=alarms,
    stays=_("that there was an alarm, from when to when"),
)(retention.empty)


@registry.looked_at
def look(now):
    """Nobody must rely on what does not take place: a round that is missing or did not get through is an alarm."""
    last = running.last_round()
    if running.is_late(now) or (last and last.failed):
        watch.alarm(ALARM, now=now)
    else:
        watch.ended(ALARM, now=now)
