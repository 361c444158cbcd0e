"""Staff give one applicant more time, with a reason: a draft that was not sent, or somebody who has not begun. Room:
applications; part of `desk`."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from applications import at_risk, late
from applications.desk import require
from applications.desk_entering import CallField
from applications.forms.doors import EMAIL, AddressField
from applications.forms.last_minute import LastMinuteField
from applications.models import Application, StateCall
from presessions.mail import languages
from presessions.trail.steps import WrongStep
from presessions.upr import dates
from presessions.upr.models import CountryMeeting


class MoreTimeForm(forms.Form):
    """For a draft that is there."""

    until = LastMinuteField(
        label=gettext_lazy("Last minute to send it"), help_text=gettext_lazy("Geneva time, for instance 23:59.")
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("For staff, kept in the history. The applicant does not see it."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)


class LateLinkForm(MoreTimeForm):
    """For an address; where it has a draft for that State, that one goes on."""

    state_call = CallField(None, label=gettext_lazy("State"))
    email = AddressField(
        label=gettext_lazy("The applicant’s e-mail address"),
        max_length=254,
        error_messages=EMAIL,
        widget=forms.EmailInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text=gettext_lazy("The personal link goes there at once."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of our letters"), choices=settings.MAIL_LANGUAGES)

    field_order = ("state_call", "email", "language", "until", "reason")

    def __init__(self, *args, now, **kwargs):
        super().__init__(*args, **kwargs)
        begun = StateCall.objects.with_state().filter(call__opens_at__lte=now, call__series__closed_at=None)
        ahead = begun.exclude(meeting__status__in=(CountryMeeting.Status.NOT_HELD, CountryMeeting.Status.HELD))
        self.fields["state_call"].queryset = ahead.order_by(
            "-call__series__session__number", "meeting__state_under_review__state__sort_key"
        )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request, site):
    """A link for somebody who has not begun in time; below it, those that are open now."""
    require(request, "view_application", "decide")
    now = timezone.now()
    initial = {"language": languages.spoken(get_language()), "state_call": request.GET.get("state_call")}
    form = LateLinkForm(request.POST or None, now=now, initial=initial)
    sent = None
    if form.is_valid():
        try:
            application = late.begin(**form.cleaned_data, by=request.user, now=now)
        except late.Sent as refusal:
            sent = at_risk.one_by_address(request, refusal.application)
            form.add_error("email", str(refusal))
        except WrongStep as refusal:
            form.add_error(None, str(refusal))
        else:
            return _done(request, application)
    drafts = late.open_drafts(Application.objects.with_state().without_words(), now).order_by("late_until", "pk")
    context = {"title": _("A late link for one applicant"), "form": form, "sent": sent, "drafts": drafts}
    return _show(request, site, context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def allow(request, site, pk):
    """More time for a draft. Its answers belong to its writer, and are not shown."""
    require(request, "view_application", "decide")
    now = timezone.now()
    application = get_object_or_404(Application.objects.with_state().without_words(), pk=pk)
    form = MoreTimeForm(request.POST or None, initial={"until": application.late_until})
    if form.is_valid():
        try:
            late.allow(application, **form.cleaned_data, by=request.user, now=now)
        except WrongStep as refusal:
            form.add_error(None, str(refusal))
        else:
            return _done(request, application)
    title = _("More time for %(reference)s") % {"reference": application.reference}
    return _show(request, site, {"title": title, "form": form, "application": application})


def _show(request, site, context):
    shown = {**site.each_context(request), "opts": Application._meta, **context}
    return TemplateResponse(request, "admin/applications/decisions/late.html", shown)


def _done(request, application):
    words = _("%(application)s may be sent until %(moment)s. The link leaves within seconds.")
    moment = dates.last_minute_words(application.late_until)
    messages.success(request, words % {"application": application, "moment": moment})
    return redirect("admin:applications_late")


PAGES = [("late/", begin, "late"), ("<int:pk>/late/", allow, "late_allow")]
