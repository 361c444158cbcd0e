"""Mailings in the admin: the timetable of every live series, and each mailing's own page. Room: mail.

A GET changes nothing. What may be done is a step; what sets letters going asks first, in words and numbers.
"""

from functools import partial

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from presessions.mail import registry, restoring, schedule, steering
from presessions.mail.admin import frame, history, people, questions, texts, timeline
from presessions.mail.admin.listing import KindFilter
from presessions.mail.admin.steps import MOST_WORDS, StepsAdmin, pill
from presessions.mail.forms import AsOnForm, MoveForm, RuleForm
from presessions.mail.models import Letter, Mailing, Switch
from presessions.trail.steps import WrongStep
from presessions.upr.dates import in_words


def _letters_of(**states):
    """How many letters a mailing has, without counting those of the others."""
    letters = Letter.objects.filter(mailing=OuterRef("pk"), **states).order_by().values("mailing")
    return Coalesce(Subquery(letters.annotate(number=Count("pk")).values("number")), 0)


@admin.register(Mailing)
class MailingAdmin(StepsAdmin):
    list_display = ("due", "label", "series", "state_pill", "letters")
    list_display_links = ("due", "label")
    list_filter = ("state", KindFilter)
    search_fields = ("kind", "series__session__number")
    ordering = ("due_at", "pk")
    change_list_template = "admin/mail/mailing/change_list.html"
    change_form_template = "admin/mail/mailing/page.html"

    # The list

    def get_queryset(self, request):
        counted = {
            "letter_count": _letters_of(),
            "sent_count": _letters_of(state=Letter.State.SENT),
            "failed_count": _letters_of(state=Letter.State.FAILED),
        }
        mailings = super().get_queryset(request).with_series().select_related("approved_by", "released_by", "corrects")
        return mailings.annotate(**counted)

    @admin.display(description=gettext_lazy("goes out"), ordering="due_at")
    def due(self, mailing):
        return in_words(mailing.due_at) if mailing.due_at else _("waits for a date")

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def label(self, mailing):
        parts = [mailing.label, mailing.step, mailing.meeting and mailing.meeting.state.name]
        return ", ".join(filter(None, parts))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_pill(self, mailing):
        return timeline.pill_of(mailing)

    @admin.display(description=gettext_lazy("letters"))
    def letters(self, mailing):
        if not mailing.letter_count:
            return self.admin_site.empty_value_display
        words = _("%(sent)s of %(all)s sent") % {"sent": mailing.sent_count, "all": mailing.letter_count}
        failed = _("%(n)s failed") % {"n": mailing.failed_count} if mailing.failed_count else ""
        return ", ".join(filter(None, [words, failed]))

    def get_urls(self):
        view = self.admin_site.admin_view
        ours = [
            path("switch/", view(self.switch_view), name="mail_switch"),
            path("as-on/", view(self.as_on_view), name="mail_mailing_as_on"),
            path("<int:pk>/text/<slug:language>/", view(self.text_view), name="mail_mailing_text"),
        ]
        return [*ours, *texts.urls(self), *super().get_urls()]

    def switch_view(self, request):
        """Stop and start all mail."""
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        if restoring.why():  # what has been sent meanwhile comes first
            return redirect("admin:mail_restored")
        step = Switch.start if request.POST.get("step") == "start" else Switch.stop
        step(by=request.user, now=timezone.now(), reason=request.POST.get("reason", "")[:MOST_WORDS])
        return redirect("admin:mail_mailing_changelist")

    def changelist_view(self, request, extra_context=None):
        switch = Switch.objects.select_related("paused_by").first()
        context = {
            "title": _("Timed mail"),
            "switch": switch,
            "is_restored": bool(restoring.why()),
            "switch_reason": history.last_reason(switch, "stop") if switch and switch.paused_by_id else "",
            "may_change": self.has_change_permission(request),
            # what somebody searches or filters is in the list
            "timelines": [] if request.GET else timeline.live(timezone.now()),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @method_decorator(require_safe)
    def as_on_view(self, request):
        """What would be open, and what would have gone, at any instant. Nothing is written, nothing is sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        form = AsOnForm(request.GET or None, initial={"at": now})
        at = form.cleaned_data["at"] if form.is_valid() else now
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("As on another day"),
            "form": form,
            "asked": not form.is_bound or form.is_valid(),
            **timeline.as_on(at),
        }
        return TemplateResponse(request, "admin/mail/mailing/as_on.html", context)

    @method_decorator(require_safe)
    def text_view(self, request, pk, language):
        """The HTML that the first person of a language would get, for the frame on the mailing's page."""
        mailing = Mailing.objects.with_series().select_related("corrects").filter(pk=pk).first()
        if not self.has_view_permission(request, mailing):
            raise PermissionDenied
        found = mailing and people.text_in(mailing, language)
        if not found or not found.html:
            raise Http404
        return frame.answer(found.html)

    # A mailing's page

    def page_for(self, request, mailing):
        audience = people.of(mailing)
        count = None if audience.trouble else len(audience.everybody)
        two = 0 < settings.MAIL_TWO_PERSONS_ABOVE < mailing.still_to_go(audience.everybody)
        line = registry.find_plan(mailing.kind, mailing.step)
        return {
            "title": capfirst(str(mailing)),
            "explanation": schedule.explain(mailing, count=count),
            "warnings": self._warnings(mailing, two),
            "follows": bool(line and line.instead_of),
            "state_pill": self.state_pill(mailing),
            "audience": audience,
            "recipients": people.listed(audience, request.GET.get("people")),
            "counts": self._counts(mailing),
            "in_numbers": timeline.in_numbers(timeline.counts_of(mailing)),
            "texts": people.texts_of(mailing, audience),
            "languages": people.languages_of(audience),
            **self._forms(mailing, two),
        }

    def _warnings(self, mailing, two):
        found = [schedule.short_notice(mailing)]
        if steering.is_out_of_date(mailing):
            found.append(steering.OUT_OF_DATE)
        if two and mailing.state not in (Mailing.State.WRITING, Mailing.State.CANCELLED):
            found.append(self._two_persons(mailing))
        return [one for one in found if one]

    def _two_persons(self, mailing):
        words = {"n": settings.MAIL_TWO_PERSONS_ABOVE, "first": mailing.approved_by, "second": mailing.released_by}
        if mailing.two_persons_agreed:
            return _("Approved by %(first)s, released by %(second)s.") % words
        if mailing.is_approved:
            return _("Approved by %(first)s. Somebody else must release it.") % words
        return _("More than %(n)s people: one of you must approve it, and another release it.") % words

    def _counts(self, mailing):
        link = f"{reverse('admin:mail_letter_changelist')}?eyes=all&mailing__id__exact={mailing.pk}&state__exact="
        counts = timeline.counts_of(mailing)
        return [(pill(state, Letter.State(state).label), number, link + state) for state, number in counts.items()]

    # What can be done

    def steps(self, mailing, request):
        return {
            "move": partial(self._move, mailing, request.POST),
            "follow_rule": mailing.follow_rule,
            "see_rule": partial(self._see_rule, mailing, request.POST),
            "rule": partial(self._change_rule, mailing, request.POST),
            "hold": mailing.hold,
            "resume": mailing.resume,
            "send_now": partial(steering.send_now, mailing),
            "cancel": mailing.cancel,
            "catch_up": mailing.catch_up,
            "freeze": mailing.freeze,
            "thaw": partial(steering.thaw, mailing),
            "approve": mailing.approve,
            "release": mailing.release,
            "test": partial(self._test, mailing, request.POST.get("language", "")),
        }

    def question(self, mailing, step, request):
        return questions.before(mailing, step, timezone.now())

    def done(self, mailing, step):
        said = {
            "send_now": _("It is going out now. The numbers below grow as letters leave; look again in a minute."),
            "freeze": _("The letters are being written and will be held. Look again in a few seconds."),
            "test": _("The test is on its way to you."),
            "rule": _("The rule is saved."),
        }
        return said.get(step) or super().done(mailing, step)

    def _test(self, mailing, language, **why):
        if language not in dict(settings.MAIL_LANGUAGES):
            raise Http404
        steering.send_test(mailing, language, **why)

    def _move(self, mailing, data, **why):
        form = MoveForm(data)
        if form.is_valid():
            try:
                return mailing.move_to(form.cleaned_data["moved_to"], **why)
            except WrongStep as refusal:
                if not mailing.date_may_change:  # the page has no such form any more
                    raise
                form.add_error("moved_to", str(refusal))
        return {"move_form": form, "move_reason": data.get("reason", "")[:MOST_WORDS]}

    def _see_rule(self, mailing, data, *, now, **why):
        """What a rule would do, said before it is saved; what was typed stays typed."""
        form, context = RuleForm(data, mailing=mailing), {}
        if form.is_valid():
            try:
                would = schedule.would(mailing, now=now, count=people.count_of(mailing), **form.rule())
                context = {"would": would, "distance": would.due.at and timeline.distance(mailing, would.due.at)}
            except WrongStep as refusal:
                form.add_error(None, str(refusal))
        return {"rule_form": form, "rule_reason": data.get("reason", "")[:MOST_WORDS], **context}

    def _change_rule(self, mailing, data, **why):
        form = RuleForm(data, mailing=mailing)
        if not form.is_valid() or data.get("seen") != form.seen:  # saved is what was shown, or it is shown first
            return self._see_rule(mailing, data, **why)
        return mailing.change_rule(**form.rule(), **why)

    def _forms(self, mailing, two):
        return {
            "acts": self._acts(mailing, two),
            "move_form": MoveForm() if mailing.date_may_change else None,
            "moved": bool(mailing.moved_to),
            "rule_form": RuleForm(mailing=mailing) if mailing.date_may_change and not mailing.corrects_id else None,
        }

    def _acts(self, mailing, two):
        """(step, words, what it means, whether it is grave) for each step that its state allows; what is likeliest
        wanted comes first."""
        state, State, written = mailing.state, Mailing.State, mailing.writing_at is not None
        waits = state in Mailing.BEFORE_WRITING
        frozen, held = mailing.is_frozen, state == State.HELD
        gone = state in (State.SENDING, State.DONE)
        acts = [
            ("approve", _("Approve"), _("You agree; somebody else must then release it."), False,
             two and not mailing.is_approved and (waits or gone)),
            ("release", _("Release it"), _("You are the second person: it goes at its hour, or at once when that is "
             "past."), True, two and mailing.is_approved and not mailing.two_persons_agreed and
             (state == State.PLANNED or mailing.held_reason in (Mailing.Held.SECOND, Mailing.Held.LOOK))),
            ("resume", _("Let it go"), _("It goes at its hour, or at once when that is past."), True,
             held and mailing.held_reason != Mailing.Held.SECOND),
            ("freeze", _("Write the letters and hold them"), _("Every letter is written now as it will go, and none "
             "leaves. You read them in the outbox and then let them go, or throw them away."), False,
             state in (State.PLANNED, State.HELD) and not written and mailing.due_at is not None),
            ("hold", _("Hold"), _("Nothing leaves until somebody lets it go."), False,
             state in (State.PLANNED, State.WRITING, State.SENDING)),
            ("thaw", _("Throw these letters away and plan again"), _("None of them has left. They are written anew "
             "when the mailing goes, with the text and the dates of that day."), False, held and written),
            ("catch_up", _("Write to those not yet written to"), _("Those who joined its audience after it went. "
             "Nobody gets it twice."), True, gone),
            ("send_now", _("Send now"), _("At once, whatever its date."), True,
             waits and (frozen or not written) and not schedule.is_stopped(mailing)),
            ("cancel", _("Cancel for good"), _("What has not gone never goes."), True,
             state not in (State.DONE, State.CANCELLED)),
        ]  # fmt: skip
        return [act[:4] for act in acts if act[4]]
