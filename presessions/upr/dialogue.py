"""Before a date is changed in the admin, staff see what changes with it. Room: upr, ground floor; imports its signals.

The page is saved as always, in a transaction. If anything above the calendar has changed with it (see
signals.Consequence), all of it is undone and shown, before and after, with what was typed kept in the page; saved again
with the mark of what was seen, it stands. If something else would follow by then, that is shown first.
"""

import hashlib
from functools import partial

from django.contrib.messages.storage import default_storage
from django.db import transaction
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from presessions.trail.steps import refusals_kept
from presessions.upr.signals import in_sum, listening

SEEN, BACK = "dates_seen", "dates_back"


class AsksBeforeMovingDates:
    """A ModelAdmin on whose pages, and by whose actions, dates are changed."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        save = partial(super().changeform_view, request, object_id, form_url, extra_context)
        with refusals_kept():
            if request.method != "POST" or object_id is None or BACK in request.POST:
                return save()
            return self._ask_first(request, save, keeps_typed=True)

    def changelist_view(self, request, extra_context=None):
        act = partial(super().changelist_view, request, extra_context)
        return self._ask_first(request, act, keeps_typed=False) if request.method == "POST" else act()

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        return _not_yet(form) if BACK in request.POST else form

    def _ask_first(self, request, save, *, keeps_typed):
        said = request._messages
        with transaction.atomic(), listening() as heard:
            request._messages = default_storage(request)  # "was changed successfully" must go with what is undone
            response = save()
            found = in_sum(heard)
            seen = _mark(found)
            if response.status_code != 302 or not found or request.POST.get(SEEN) == seen:
                return response
            transaction.set_rollback(True)
        request._messages = said
        ours = ("csrfmiddlewaretoken", SEEN, BACK)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Change the dates?"),
            "consequences": _together(found),
            "typed": [(name, value) for name, values in request.POST.lists() if name not in ours for value in values],
            "seen": seen,
            "keeps_typed": keeps_typed,
        }
        return TemplateResponse(request, "admin/upr/dates_dialogue.html", context)


def _not_yet(form):
    """The same form, never valid: it comes back with what was typed."""

    class NotYet(form):
        def clean(self):
            answers = super().clean()
            self.add_error(None, _("Nothing has been saved. What you typed stands below."))
            return answers

    return NotYet


def _mark(consequences):
    """Says whether staff have seen exactly these."""
    words = repr([(one.what, one.where, one.before, one.after, one.warning) for one in consequences])
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _together(consequences):
    """What is the same for several States, as one: (consequence, all of the kind)."""
    groups = {}
    for one in consequences:
        groups.setdefault((one.what, one.before, one.after, one.warning), []).append(one)
    return [(same[0], same) for same in groups.values()]
