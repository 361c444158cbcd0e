"""What a mission's page posts, and what the database holds of a mission's business."""

from django.db import connection

from missions.models import Invitation
from presessions.upr.models import CountryMeeting

ADDED_BY_LOOKING = {"trail_event", "mail_linkvisit"}  # the two tables that a GET may add to


def answers(invitation, *, note="", delegates=(), version=None, **chosen):
    """The form as somebody who opened the page just now would send it: KE="in_person", floor_KE="on",
    question_PE="When?"."""
    meetings = CountryMeeting.objects.for_series(invitation.series).with_state()
    keys = {meeting.state.pk: meeting.pk for meeting in meetings}
    saved = Invitation.objects.get(pk=invitation.pk)
    asked = {
        "version": saved.version if version is None else version,
        "note": note,
        "delegate-TOTAL_FORMS": len(delegates) + 2,
        "delegate-INITIAL_FORMS": 0,
    }
    for name, value in chosen.items():
        asked[name if name.startswith(("floor_", "question_")) else f"answer_{name}"] = value
    for number, (name, function, iso2) in enumerate(delegates):
        line = {"name": name, "function": function, "meeting": keys.get(iso2, "")}
        asked |= {f"delegate-{number}-{field}": value for field, value in line.items()}
    return asked


def dump():
    """A fingerprint of all rows of every table but those two, as the database writes them."""
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - ADDED_BY_LOOKING)
        rows = 'SELECT %s, count(*), md5(string_agg(one::text, chr(10) ORDER BY one::text)) FROM "{}" AS one'
        cursor.execute(" UNION ALL ".join(rows.format(table) for table in tables), tables)
        return {table: fingerprint for table, *fingerprint in cursor.fetchall()}
