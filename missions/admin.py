"""Missions, their invitations and answers, and the page of a series, on the staff's desk. Room: missions.

The page of a series stands here because this is the highest floor that it shows: meetings, call, mailings, answers.
"""

from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Cast
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.exporting import Exports
from applications.listing import ReadOnly, moment, pill
from applications.models import Call
from missions import (
    admin_checks,  # noqa: F401 -- registers itself
    admin_door,  # noqa: F401 -- registers itself
    admin_register,  # noqa: F401 -- registers itself
    admin_tasks,  # noqa: F401 -- registers itself
    desk_feedback,
    desk_invitation,
    desk_meetings,
    desk_new_session,
    desk_report,
    desk_setting_up,
    events,  # noqa: F401 -- gives its words
    exports,
    overview,
)
from missions.listing import CHANGE_LIST, SeriesFilter, number_of
from missions.models import Invitation, PermanentMission, Reply
from missions.programme import SeriesForm
from presessions.mail.admin import timeline
from presessions.mail.admin.steps import StepsAdmin
from presessions.mail.admin.steps import pill as state_pill
from presessions.mail.models import Letter, LinkVisit
from presessions.trail.steps import WrongStep
from presessions.upr.dates import day_in_words, last_minute_words
from presessions.upr.dialogue import AsksBeforeMovingDates
from presessions.upr.models import CountryMeeting, Series
from presessions.upr.names import fold

# --- Invitations and answers ------------------------------------------------------------------------------------------


class ReplySeriesFilter(SeriesFilter):
    path = "invitation__series"


class AnsweredFilter(admin.SimpleListFilter):
    title = gettext_lazy("answer")
    parameter_name = "answered"

    def lookups(self, request, model_admin):
        return [("no", _("not answered")), ("yes", _("answered"))]

    def queryset(self, request, invitations):
        if self.value() == "no":
            return invitations.not_answered()
        return invitations.answered() if self.value() == "yes" else invitations


@admin.register(Invitation)
class InvitationAdmin(Exports, StepsAdmin):
    audiences = exports.INVITATIONS
    change_list_template = CHANGE_LIST
    list_display = ("mission", "series", "letter", "fetched", "answer", "coming")
    list_filter = (AnsweredFilter, SeriesFilter)
    search_fields = ("reference",)
    search_hint = gettext_lazy("A mission’s name, a whole e-mail address, or a reference")
    ordering = ("-series__session__number", "mission__sort_key")
    change_form_template = "admin/missions/invitation/page.html"

    def get_queryset(self, request):
        letters = Letter.objects.filter(
            mailing__series=OuterRef("series"),
            kind="invitation",
            recipient_kind="mission",
            recipient_id=Cast(OuterRef("mission"), CharField()),
        )
        visits = LinkVisit.objects.filter(link__purpose="invitation", link__target_id=OuterRef("reference"))
        replies = Reply.objects.filter(invitation=OuterRef("pk"))
        annotated = {
            "letter_state": Subquery(letters.order_by("-pk").values("state")[:1]),
            "visited": Exists(visits),
            "surely_visited": Exists(visits.filter(maybe_filter=False)),
            "coming_count": number_of(replies.filter(answer__in=Reply.COMES), "invitation"),
        }
        return super().get_queryset(request).with_names().defer("note").annotate(**annotated)

    def get_search_results(self, request, invitations, term):
        if not term:
            return invitations, False
        found = PermanentMission.objects.found_by(term)
        wanted = Q(mission__in=found.values("pk")) | Q(reference__istartswith=term.strip())
        return invitations.filter(wanted), False

    @admin.display(description=gettext_lazy("letter"))
    def letter(self, invitation):
        state = invitation.letter_state
        return state_pill(state, Letter.State(state).label) if state else pill("late", _("not yet written"))

    @admin.display(description=gettext_lazy("page fetched"))
    def fetched(self, invitation):
        if invitation.surely_visited:
            return _("yes")
        return _("may be a mail filter") if invitation.visited else _("no")

    @admin.display(description=gettext_lazy("answered"), ordering="answered_at")
    def answer(self, invitation):
        if invitation.answered_at is None:
            return pill("quiet", _("not answered"))
        return moment(invitation.answered_at)

    @admin.display(description=gettext_lazy("comes to"))
    def coming(self, invitation):
        return invitation.coming_count

    def steps(self, invitation, request):
        return desk_invitation.steps(invitation, request.POST)

    def page_for(self, request, invitation):
        return {**desk_invitation.shown(invitation, request.user), "letter": self.letter(invitation)}


@admin.register(Reply)
class ReplyAdmin(Exports, ReadOnly):
    """Answers of missions, to look through; they are changed by the missions alone."""

    audiences = (exports.REPLIES,)
    change_list_template = CHANGE_LIST
    list_display = ("mission", "state", "answer", "wants_floor", "when")  # and by whom
    list_display_links = None
    list_filter = (ReplySeriesFilter, "answer", "wants_floor")
    list_select_related = ("invitation__mission__state", "meeting__state_under_review__state", "colleague")
    search_fields = ("invitation__mission__search_key", "meeting__state_under_review__state__search_key")
    ordering = ("-at", "-pk")

    def get_search_results(self, request, replies, term):
        return super().get_search_results(request, replies, fold(term))

    @admin.display(description=gettext_lazy("mission of"), ordering="invitation__mission__sort_key")
    def mission(self, reply):
        return reply.invitation.mission

    @admin.display(description=gettext_lazy("meeting on"))
    def state(self, reply):
        return reply.meeting.state

    @admin.display(description=gettext_lazy("when"), ordering="at")
    def when(self, reply):
        return moment(reply.at)

    def get_list_display(self, request):
        @admin.display(description=gettext_lazy("by"))
        def by(reply):
            return desk_invitation.by_whom(reply, request.user) or _("the mission’s own link")

        return (*self.list_display, by)


# --- The page of a series ---------------------------------------------------------------------------------------------


@admin.register(Series)
class SeriesAdmin(AsksBeforeMovingDates, admin.ModelAdmin):
    change_list_template = "admin/upr/series/change_list.html"
    form = SeriesForm
    fields = ("session", ("first_day", "last_day", "days_confirmed"), "venue", "format", "reply_to")
    list_display = ("__str__", "first", "last", "days_confirmed", "working_group", "meeting_count", "answers")
    list_select_related = ("session",)
    search_fields = ("session__number",)
    ordering = ("-session__number",)
    show_full_result_count = False
    actions = None
    add_form_template = "admin/upr/series/change_form.html"
    change_form_template = "admin/upr/series/change_form.html"

    def get_queryset(self, request):
        meetings = CountryMeeting.objects.going_ahead().filter(state_under_review__session=OuterRef("session"))
        answered = Invitation.objects.answered().filter(series=OuterRef("pk"))
        counted = {
            "meeting_number": number_of(meetings, "state_under_review__session"),
            "answered_number": number_of(answered, "series"),
        }
        return super().get_queryset(request).annotate(**counted)

    def get_urls(self):
        def page(route, view, name):
            return path(route, self.admin_site.admin_view(partial(view, site=self.admin_site)), name=f"upr_{name}")

        answers = path("<int:pk>/answers/", self.admin_site.admin_view(self.answers_view), name="upr_series_answers")
        rooms = (desk_new_session, desk_setting_up, desk_meetings, desk_report, desk_feedback)
        ours = [page(*one) for room in rooms for one in room.PAGES]
        return [answers, *ours, *super().get_urls()]

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)  # a class made for this request alone
        form.now = timezone.now()
        return form

    def get_readonly_fields(self, request, obj=None):
        return ("session",) if obj else ()

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=gettext_lazy("Working Group"), ordering="session__starts_on")
    def working_group(self, series):
        starts_on = series.session.starts_on
        return day_in_words(starts_on) if starts_on else series.session.month_label

    @admin.display(description=gettext_lazy("first day"), ordering="first_day")
    def first(self, series):
        return series.first_day and day_in_words(series.first_day)

    @admin.display(description=gettext_lazy("last day"), ordering="last_day")
    def last(self, series):
        return series.last_day and day_in_words(series.last_day)

    @admin.display(description=gettext_lazy("meetings"))
    def meeting_count(self, series):
        return series.meeting_number

    @admin.display(description=gettext_lazy("missions that answered"))
    def answers(self, series):
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:upr_series_answers", args=[series.pk]), series.answered_number
        )

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except WrongStep as refusal:  # somebody else was faster
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(request.get_full_path())

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj:
            items = timeline.of(obj, timezone.now())
            call = Call.objects.filter(series=obj).first()
            context |= {
                "call": call,
                "call_closes": call and call.closes_at and last_minute_words(call.closes_at),
                "timeline": items,
                "warnings": [item for item in items if item.row.warning],
                "not_told": desk_meetings.who_is_not_told(obj, request.user, timezone.now()),
            }
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def save_model(self, request, obj, form, change):
        now = timezone.now()
        if not change:
            opened = Series.open_for(**form.cleaned_data, now=now, by=request.user)
            obj.pk = opened.pk
            obj.refresh_from_db()
        elif form.changed_data:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            Series.objects.select_related("session").get(pk=obj.pk).reschedule(now=now, by=request.user, **changed)

    def save_related(self, request, form, formsets, change):
        now = timezone.now()
        concerned = {}
        if change and {"venue", "format"} & set(form.changed_data):
            concerned = {line.instance.pk: True for line in form.programme.forms if line.instance.goes_ahead}
        for meeting_form in form.programme.forms if change else ():
            if meeting_form.has_changed():
                meeting_form.save_by_steps(now=now, by=request.user)
                if meeting_form.concerns_people():
                    concerned[meeting_form.instance.pk] = meeting_form.only_place()
        if concerned:
            desk_meetings.say_who_is_not_told(request, form.instance, concerned, now)

    def response_add(self, request, obj, post_url_continue=None):
        """To its page, where the mailings stand with their dates: that is what to look at now."""
        self.message_user(request, _("%(series)s are set up. Please look at the dates below.") % {"series": obj})
        return redirect("admin:upr_series_change", obj.pk)

    def answers_view(self, request, pk):
        """Missions and meetings in one table; who is silent; who was not reached, and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        series = get_object_or_404(Series.objects.select_related("session"), pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Answers of missions: %(series)s") % {"series": series},
            "series": series,
            "overview": overview.of(series, now=timezone.now()),
        }
        return TemplateResponse(request, "admin/upr/series/answers.html", context)
