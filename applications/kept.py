"""How long what is kept, in words, for the pages that tell of it. Room: applications; basement only.

Every number is read from the code or the setting that keeps to it, so that no page can promise something else.
"""

from django.conf import settings
from django.utils.translation import ngettext

from presessions import retention
from presessions.retention import ORDER as RULES

HOUR, MINUTE = 3600, 60  # seconds
LINK_DAYS = 30  # an applicant's link opens so many days after the end of the Working Group
TYPED_SECONDS = 600  # that an address waits in a cookie for the page that shows it


def in_words(name):
    """ "30 days". name -- of a rule of presessions/retention, or one of OTHERS. Raises KeyError for anything else."""
    return _days(retention.days(name)) if name in RULES else OTHERS[name]()


def _days(number):
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}


def _hours(seconds):
    return ngettext("%(n)s hour", "%(n)s hours", seconds // HOUR) % {"n": seconds // HOUR}


def _minutes(seconds):
    return ngettext("%(n)s minute", "%(n)s minutes", seconds // MINUTE) % {"n": seconds // MINUTE}


OTHERS = {
    "backups": lambda: _days(settings.BACKUP_DAYS),
    "links": lambda: _days(LINK_DAYS),
    "form": lambda: _hours(settings.SESSION_COOKIE_AGE),
    "typed": lambda: _minutes(TYPED_SECONDS),
}
