"""Staff ask an applicant for more: which sections, what, until when; seen as the applicant will see it, then sent.
Room: applications; part of `desk`."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from applications import asking, at_risk
from applications.desk import require
from applications.forms import SECTION_FORMS
from applications.forms.last_minute import LastMinuteField
from applications.models import Application
from presessions.trail.steps import WrongStep
from presessions.upr import dates

USUAL_DAYS = 5  # to answer; what the form offers first


class AskForm(forms.Form):
    sections = forms.MultipleChoiceField(
        label=gettext_lazy("Parts that are open again"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    words = forms.CharField(
        label=gettext_lazy("What we ask for"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy(
            "In the applicant’s language, if you can. It stands on the applicant’s page and not in the mail, because a "
            "mailbox may be watched."
        ),
    )
    until = LastMinuteField(
        label=gettext_lazy("Last minute to answer"), help_text=gettext_lazy("Geneva time, for instance 23:59.")
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["sections"].choices = [(name, SECTION_FORMS[name].title) for name in asking.SECTIONS]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request, site, pk):
    """The form; then, with what was typed, the applicant's page and the letter; then it is sent."""
    require(request, "view_application", "decide")
    now = timezone.now()
    application = get_object_or_404(Application.objects.with_state().exclude(submitted_at=None), pk=pk)
    form = AskForm(request.POST or None, initial={"until": _usual(application, now)})
    looked = False
    if form.is_valid():
        facts, looked = form.cleaned_data, True
        if refusal := asking.why_not(application, **facts, now=now):
            form.add_error(None, refusal)
            looked = False
        elif "send" in request.POST:
            try:
                asking.ask(application, **facts, by=request.user, now=now)
            except WrongStep as refusal:
                messages.error(request, str(refusal))
            else:
                words = _("Asked. %(application)s may answer until %(moment)s.")
                moment = dates.last_minute_words(facts["until"])
                messages.success(request, words % {"application": application, "moment": moment})
                return redirect("admin:applications_application_change", pk)
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Ask %(reference)s for more") % {"reference": application.reference},
        "application": application,
        "name": at_risk.visible_name(request, application),
        "can_ask": application.status == Application.Status.SUBMITTED,
        "open_request": application.requests.filter(ended_at=None, until__gt=now).first(),
        "titles": {name: SECTION_FORMS[name].title for name in asking.SECTIONS},
        "form": form,
        "looked": looked,
        "text": asking.preview(application, form.cleaned_data["until"]) if looked else None,
        "chosen": [SECTION_FORMS[name].title for name in form.cleaned_data["sections"]] if looked else [],
    }
    return TemplateResponse(request, "admin/applications/decisions/ask.html", context)


def _usual(application, now):
    """The first instant too late that is offered: some days from now, and not after the meeting has begun."""
    today = dates.day_of(now)
    until = dates.closes_after(today + timedelta(days=USUAL_DAYS))
    starts_at = application.meeting.starts_at
    return min(until, starts_at) if starts_at and starts_at > now else until


@require_POST
def take_back(request, site, pk):
    """Close the sections again before they were answered."""
    require(request, "view_application", "decide")
    application = get_object_or_404(Application.objects.with_state(), pk=pk)
    try:
        asking.take_back(application, by=request.user, now=timezone.now())
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The question is taken back. Its sections are closed again."))
    return redirect("admin:applications_application_change", pk)


PAGES = [("<int:pk>/ask/", ask, "ask"), ("<int:pk>/ask/back/", take_back, "ask_back")]
