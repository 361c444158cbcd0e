"""What is forgotten of staff and of their ways in. Room: accounts."""

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import CharField, F, OuterRef, Subquery
from django.db.models.functions import Cast, Greatest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from presessions import retention
from presessions.accounts.models import Try, User
from presessions.trail.models import Event


def staff():
    """Inactive, and not forgotten yet; since the last thing that the trail says they did, or that was done to them."""
    about = Event.objects.filter(room=User._meta.label_lower, reference=OuterRef("number")).order_by("-at")
    did = Event.objects.filter(staff_id=OuterRef("pk")).order_by("-pk")
    last = Greatest("joined_at", "last_login", Subquery(about.values("at")[:1]), Subquery(did.values("at")[:1]))
    rows = User.objects.filter(is_active=False).exclude(email__endswith=User.NOBODY)
    return rows.alias(number=Cast("pk", CharField())).alias(kept_since=last)


@retention.rule(
    "staff",
    what=_("Names and addresses of former members of staff"),
    when=ngettext_lazy(
        "%(days)d day after the last thing they did, or that was done to their log-in",
        "%(days)d days after the last thing they did, or that was done to their log-in",
        "days",
    ),
    kept=staff,
    stays=_("the number under which the trail knows them"),
)
def forget_staff(rows, *, now):
    for user in rows:
        user.forget(now=now)


def history():
    return LogEntry.objects.alias(kept_since=F("action_time"))


retention.rule(
    "history",
    what=_("The short list of what each member of staff changed on the desk"),
    when=ngettext_lazy("%(days)d day after the change", "%(days)d days after the change", "days"),
    kept=history,
)(retention.delete)


def sessions():
    return Session.objects.alias(kept_since=F("expire_date"))


retention.rule(
    "sessions",
    what=_("Sessions of browsers"),
    when=ngettext_lazy("%(days)d day after they ended", "%(days)d days after they ended", "days"),
    kept=sessions,
)(retention.delete)


def tries():
    return Try.objects.alias(kept_since=F("at"))


retention.rule(
    "tries",
    what=_("Tries to log in"),
    when=ngettext_lazy("%(days)d day after the try", "%(days)d days after the try", "days"),
    kept=tries,
)(retention.delete)
