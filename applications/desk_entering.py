"""Staff enter an application that came by e-mail: where it begins, goes on and is left. Room: applications.

The form itself is the applicant's, opened in the session of staff: see `entering`.
"""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from applications import at_risk, entering
from applications.desk import require
from applications.forms.doors import EMAIL, AddressField
from applications.models import Application, StateCall
from presessions.mail import languages
from presessions.trail.steps import WrongStep


class CallField(forms.ModelChoiceField):
    def label_from_instance(self, state_call):
        words = {
            "state": state_call.state.name,
            "series": state_call.series,
            "deadline": state_call.deadline_in_words or _("no deadline yet"),
        }
        return _("%(state)s, %(series)s: %(deadline)s") % words


class ReceivedForm(forms.Form):
    """What is known of the e-mail; the rest is asked by the applicant's own pages."""

    state_call = CallField(None, label=gettext_lazy("State"))
    email = AddressField(
        label=gettext_lazy("The applicant’s e-mail address"),
        max_length=254,
        error_messages=EMAIL,
        widget=forms.EmailInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text=gettext_lazy("The receipt with the personal link goes there once the application is sent."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of our letters"), choices=settings.MAIL_LANGUAGES)
    received_at = forms.SplitDateTimeField(
        label=gettext_lazy("When the e-mail arrived"),
        widget=AdminSplitDateTime,
        help_text=gettext_lazy("Geneva time. It counts as the moment of the application."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Comment"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("For staff, kept in the history."),
    )

    def __init__(self, *args, now, **kwargs):
        super().__init__(*args, **kwargs)
        begun = StateCall.objects.taking_place().with_state().filter(call__opens_at__lte=now)
        self.fields["state_call"].queryset = begun.order_by(
            "-call__series__session__number", "meeting__state_under_review__state__sort_key"
        )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request, site):
    """Begin one, or go on with one that was begun and not sent."""
    require(request, "enter")
    now = timezone.now()
    form = ReceivedForm(request.POST or None, now=now, initial={"language": languages.spoken(get_language())})
    known = None
    if form.is_valid():
        try:
            application = entering.begin(**form.cleaned_data, by=request.user, now=now)
        except entering.Known as refusal:
            known = at_risk.one_by_address(request, refusal.application)
            form.add_error("email", str(refusal))
        except WrongStep as refusal:
            form.add_error("received_at", str(refusal))
        else:
            return _open(request, application)
    begun = Application.objects.filter(status=Application.Status.DRAFT, received_at__isnull=False)
    begun = begun.with_state().select_related("entered_by").without_words().order_by("-created_at", "-pk")
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Enter an application received by e-mail"),
        "form": form,
        "known": known,
        "known_is_ours": known is not None and entering.may_be_continued(known),
        "may_view": request.user.has_perm("applications.view_application"),
        "begun": begun,
    }
    return TemplateResponse(request, "admin/applications/application/enter.html", context)


@require_POST
def go_on(request, site, pk):
    """Open one that staff have begun and not sent."""
    require(request, "enter")
    application = get_object_or_404(Application, pk=pk)
    if not entering.may_be_continued(application):
        words = _("%(application)s cannot be opened here: it is sent, or not begun by staff.")
        messages.error(request, words % {"application": application})
        return redirect("admin:applications_enter")
    return _open(request, application)


def _open(request, application):
    entering.open_here(request, application)
    return redirect("applications:tasks")


@require_POST
def stop(request, site):
    """Close the form in this session; what was entered is kept."""
    entering.leave(request)
    messages.success(request, _("The form is closed here. What you entered is kept."))
    return redirect("admin:applications_enter")


def ended(request):
    """Away from the applicant's pages, once the form may not be filled in here any more: it was sent, most of all."""
    application = Application.objects.filter(pk=entering.opened(request)).first()
    entering.leave(request)
    if application is None or not application.was_sent:
        messages.warning(request, _("This form is not open here any more."))
        return redirect("admin:applications_enter")
    words = _("%(application)s is sent. The receipt, with the personal link, goes to the applicant.")
    messages.success(request, words % {"application": application})
    if request.user.has_perm("applications.view_application"):
        return redirect("admin:applications_application_change", application.pk)
    return redirect("admin:applications_enter")
