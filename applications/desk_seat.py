"""What staff see of a seat: by when it is answered, what the speaker needs, the papers, what may be published.
Room: applications; part of `desk`.

The passport stands on no list and not on the application's page: who may read documents asks for it by a button, so
that each reading is in the history.
"""

from django.db.models import Count, Max
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from applications import agenda, at_risk, rules, seat
from applications.models import Application, Consent, Needs
from presessions import trail
from presessions.trail.models import Event
from presessions.upr import dates

Status = Application.Status


def context(application, now):
    """For the application's page; empty where there never was a seat."""
    if not application.holds_seat and application.status != Status.RELEASED:
        return {}
    minutes = agenda.minutes_of(application)
    cleared = application.cleared_items()
    return {
        "has_seat": True,
        "seat_late": seat.is_late(application, now),
        "needs": Needs.objects.filter(application=application).first(),
        "letters": _letters_made(application),
        "papers": [_paper(file) for file in application.attachments.all() if file.kind in seat.OF_THE_PAPER],
        "minutes": minutes,
        "cleared": [(item.label, item in cleared) for item in Consent.Item],
        "due_on": seat.due_on(application),
    }


def _letters_made(application):
    """How many letters for a visa the applicant has made, and when the last."""
    made = Event.objects.about(application).filter(code="visa_letter_made", refused=False)
    return made.aggregate(number=Count("pk"), last=Max("at"))


def _paper(file):
    reading = seat.minutes_in_words(rules.reading_minutes(file.words)) if file.words else ""
    return {"file": file, "reading": reading}


def heading(person):
    """Whose answers these are, in a word: the speaker's, a replacement's, somebody's who was replaced."""
    if person.replaced_at:
        day = dates.day_in_words(dates.day_of(person.replaced_at))
        return _("Speaker until %(day)s, then replaced") % {"day": day}
    return _("Replacement") if person.role == person.Role.REPLACEMENT else _("Speaker")


@require_POST
def passport(request, site, pk):
    """What the passport says. Each reading stands in the history."""
    from applications import desk

    desk.require(request, "view_application", "read_document")
    application = get_object_or_404(Application.objects.filter(status__in=Application.HOLDS_SEAT), pk=pk)
    at_risk.refuse_masked(request, application)
    needs = Needs.objects.wanting_papers().filter(application=application).first()
    if needs is None:
        raise Http404
    trail.record(application, "passport_read", now=timezone.now(), by=request.user)
    shown = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Passport of the speaker of %(reference)s") % {"reference": application.reference},
        "application": application,
        "facts": [(Needs._meta.get_field(name).verbose_name, getattr(needs, name)) for name in Needs.PASSPORT],
    }
    response = TemplateResponse(request, "admin/applications/application/passport.html", shown)
    response["Cache-Control"] = "private, no-store"
    return response
