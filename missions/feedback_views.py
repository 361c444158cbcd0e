"""The page on which a mission answers two questions when the meetings are over. Room: missions."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Layout, Submit
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from applications.feedback import closed_words, is_open, window
from applications.forms.base import typed
from applications.forms.feedback import TwoQuestions, as_typed
from missions import feedback
from missions.models import MissionFeedback
from missions.views import by_invitation
from presessions.trail.steps import WrongStep


class MissionFeedbackForm(TwoQuestions):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["useful"].label = _("How useful were the meetings to your Mission?")
        self.fields["words"].help_text = gettext_lazy("Only UPR Info’s staff read it.")
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}  # our words in the reader's language, not the browser's
        self.helper.layout = Layout("useful", "words", ButtonHolder(Submit("save", _("Send"))))


@require_http_methods(["GET", "HEAD", "POST"])
@by_invitation
def give(request, invitation, *, now, token):
    """Two questions; until the last day for them what was said can be changed."""
    series = invitation.series
    said = MissionFeedback.objects.filter(invitation=invitation).first()
    form = MissionFeedbackForm(request.POST or None, initial=as_typed(said))
    closed = "" if is_open(series, now) else closed_words(series, now)
    if not closed and form.is_valid():
        try:
            feedback.give(invitation, **form.said(), now=now, link=request.link)
        except WrongStep as refusal:
            closed = str(refusal)
        else:
            messages.success(
                request, _("Thank you. We have what you told us, and you can change it until the last day.")
            )
            return redirect("missions:feedback", token)
    context = {
        "invitation": invitation,
        "token": token,
        "form": form,
        "said": said,
        "closed": closed,
        "typed": typed(form) if closed and form.is_bound else [],
        "window": window(series),
    }
    status = 410 if closed and request.method == "POST" else 422 if form.errors else 200
    return render(request, "missions/feedback.html", context, status=status)
