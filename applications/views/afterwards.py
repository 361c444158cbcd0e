"""What comes after a meeting: the recommendations that were made, for everybody; and two questions to who spoke.
Room: applications."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from applications import afterwards, feedback
from applications.forms.feedback import SpeakerFeedbackForm, as_typed
from applications.models import SpeakerFeedback
from applications.views.after import own_hand
from applications.views.form import applicants_page
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting


@require_safe
@never_cache  # leave to publish that is taken back is gone at once, from copies on the way too
def recommendations(request, number, iso2):
    """All that were made to one State, by theme, with its answers; nothing before staff have published them."""
    meeting = get_object_or_404(
        CountryMeeting.objects.with_state(),
        state_under_review__session__number=number,
        state_under_review__session__series__isnull=False,
        state_under_review__state=iso2,
    )
    found = afterwards.published(meeting, timezone.now())
    if found is None:
        raise Http404
    context = {"meeting": meeting, "series": meeting.series, "published": found}
    return render(request, "applications/recommendations.html", context)


def _feedback(request, application, now):
    series = application.state_call.series
    if application.status != application.Status.CONFIRMED:
        messages.info(request, _("We ask those for feedback who spoke. This is where your application stands."))
        return redirect("applications:status")
    said = SpeakerFeedback.objects.filter(application=application).first()
    form = SpeakerFeedbackForm(request.POST or None, application=application, initial=as_typed(said))
    closed = "" if feedback.is_open(series, now) else feedback.closed_words(series, now)
    if not closed and form.is_valid():
        try:
            feedback.give(application, **form.said(), now=timezone.now())
        except WrongStep as refusal:
            closed = str(refusal)
        else:
            messages.success(
                request, _("Thank you. We have what you told us, and you can change it until the last day.")
            )
            return redirect("applications:feedback")
    context = {
        "application": application,
        "form": form,
        "said": said,
        "closed": closed,
        "typed": form.typed() if closed and form.is_bound else [],
        "window": feedback.window(series),
    }
    status = 410 if closed and request.method == "POST" else 422 if form.errors else 200
    return render(request, "applications/feedback.html", context, status=status)


_feedback.form = SpeakerFeedbackForm
feedback_page = applicants_page(own_hand(_feedback))
