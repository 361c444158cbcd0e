"""What every page of this room shares: a list to read, and a page whose buttons are steps. Room: mail.

Nothing here is edited: what may be done is a step, a POST form on the row's own page, guarded in the models.
"""

from dataclasses import dataclass, field

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from presessions.accounts import proof
from presessions.mail.admin import history as _words  # noqa: F401 -- gives its words
from presessions.mail.models import Letter, Mailing
from presessions.trail import history
from presessions.trail.steps import WrongStep

MOST_WORDS = 500  # of a reason

PILLS = {
    Mailing.State.HELD: "late",
    Mailing.State.DONE: "done",
    Mailing.State.WRITING: "open",
    Mailing.State.SENDING: "open",
    Mailing.State.NOT_NEEDED: "quiet",
    Mailing.State.CANCELLED: "quiet",
    Letter.State.SENT: "done",
    Letter.State.FAILED: "bad",
    Letter.State.BOUNCED: "bad",
    Letter.State.UNCERTAIN: "late",
    Letter.State.EXPIRED: "late",
    Letter.State.DEFERRED: "open",
}


def pill(state, label):
    return format_html('<span class="pill pill-{}">{}</span>', PILLS.get(state, "open"), label)


@dataclass(frozen=True)
class Question:
    """What staff are asked before a step that cannot be taken back, in words and numbers.

    seen -- what they were shown, in one word: when it is another by the time they agree, they are asked again
    """

    title: str
    sentences: list[str]
    button: str
    seen: str
    danger: bool = False
    sends: bool = True  # letters go to many: whoever agrees has proved lately who they are
    typed: dict[str, str] = field(default_factory=dict)  # fields that the step needs again


class StepsAdmin(admin.ModelAdmin):
    """A list to read, and a page whose buttons are steps. Subclasses give `steps` and `page`."""

    actions = None
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The row's own page. A GET changes nothing."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {}
        if request.method == "POST":
            if not self.has_change_permission(request, row):
                raise PermissionDenied
            context = self.take_step(request, row)
            if context is None:
                return redirect(request.path)
            if isinstance(context, HttpResponseBase):
                return context
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(row),
            "row": row,
            "may_change": self.has_change_permission(request, row),
            "events": history.of(row, request),
            **self.page_for(request, row),
            **context,
        }
        return TemplateResponse(request, self.change_form_template, context)

    def page_for(self, request, row):
        """What the page shows of this row; most pages show everybody the same."""
        return self.page(row)

    def question(self, row, step, request):
        """What to ask before this step, or None when it may be taken at once."""
        return None

    def take_step(self, request, row):
        """Take the step whose button was pressed. None: done, show the page again. A dict: bound forms, because what
        was typed cannot be used. An answer: the question that comes first."""
        name, reason = request.POST.get("step"), request.POST.get("reason", "")[:MOST_WORDS]
        step = self.steps(row, request).get(name)
        if step is None:
            raise Http404
        question = self.question(row, name, request)
        if question and request.POST.get("seen") != question.seen:
            return self.ask(request, row, name, question)
        if question and question.sends and (asked := proof.first(request, now=timezone.now())):
            return asked
        try:
            wrong = step(by=request.user, now=timezone.now(), reason=reason)
        except WrongStep as refusal:
            messages.error(request, str(refusal))
        else:
            if wrong:
                return wrong
            messages.success(request, self.done(row, name))
        return None

    def done(self, row, step):
        return _("Done.")

    def ask(self, request, row, step, question):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "row": row,
            "title": question.title,
            "question": question,
            "step": step,
            "reason": request.POST.get("reason", "")[:MOST_WORDS],
            "changed": "seen" in request.POST,
        }
        return TemplateResponse(request, "admin/mail/_question.html", context)
