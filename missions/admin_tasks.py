"""Missions to reach by other means, on the staff's desk: the list opens on those that nobody has reached yet.

Room: missions.
"""

from functools import partial

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from applications.forms.doors import AddressField
from missions import remedies
from missions.listing import SeriesFilter
from missions.models import MissionAddress, MissionTask, PermanentMission
from missions.pages import require
from presessions.mail.admin.steps import StepsAdmin
from presessions.mail.admin.steps import pill as state_pill
from presessions.mail.models import Letter
from presessions.upr.dates import in_words

MOST_LETTERS = 20


class DoneFilter(admin.SimpleListFilter):
    title = gettext_lazy("what to see")
    parameter_name = "done"

    def lookups(self, request, model_admin):
        return [("yes", _("done")), ("all", _("all"))]

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [{**first, "display": _("to do")}, *others]

    def queryset(self, request, tasks):
        if self.value() == "yes":
            return tasks.exclude(done_at=None)
        return tasks if self.value() == "all" or request.GET.get("q") else tasks.open()


class AddressForm(forms.Form):
    """A new address, on the page of a task."""

    email = AddressField(label=gettext_lazy("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=gettext_lazy("Whose"), choices=MissionAddress.Role.choices)


@admin.register(MissionTask)
class MissionTaskAdmin(StepsAdmin):
    change_list_template = "admin/applications/change_list.html"  # with the hint under the search
    list_display = ("mission", "reason_words", "series", "opened", "done_words")
    list_filter = (DoneFilter, SeriesFilter, "reason")
    search_fields = ("mission__search_key",)
    search_hint = gettext_lazy("A mission’s name in any language, a code, or a whole e-mail address")
    ordering = ("-opened_at", "-pk")
    change_form_template = "admin/missions/missiontask/page.html"

    def get_queryset(self, request):
        return super().get_queryset(request).with_names().defer("note")

    def get_search_results(self, request, tasks, term):
        if not term:
            return tasks, False
        found = PermanentMission.objects.found_by(term)
        return tasks.filter(mission__in=found.values("pk")), False

    def changelist_view(self, request, extra_context=None):
        number = MissionTask.objects.open().count()
        title = ngettext(
            "%(number)d mission to reach by other means", "%(number)d missions to reach by other means", number
        )
        title = title % {"number": number} if number else _("No mission to reach by other means")
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(description=gettext_lazy("why"), ordering="reason")
    def reason_words(self, task):
        return task.get_reason_display()

    @admin.display(description=gettext_lazy("since"), ordering="opened_at")
    def opened(self, task):
        return in_words(task.opened_at)

    @admin.display(description=gettext_lazy("done"), ordering="done_at")
    def done_words(self, task):
        return in_words(task.done_at) if task.done_at else _("not yet")

    def steps(self, task, request):
        return {
            "done": task.close,
            "add_address": partial(self._add_address, task, request),
            "works_again": partial(self._one, remedies.works_again, task, request),
            "send_again": partial(self._one, remedies.send_again, task, request),
            "write": partial(remedies.write, task.mission, task.series),
        }

    def take_step(self, request, row):
        """A new address needs the right that the register asks for."""
        if request.POST.get("step") in ("add_address", "works_again"):
            require(request, "missions.change_permanentmission")
        return super().take_step(request, row)

    def _add_address(self, task, request, *, by, now, reason):
        form = AddressForm(request.POST)
        if not form.is_valid():
            return {"address_form": form}
        remedies.add_address(task.mission, **form.cleaned_data, by=by, now=now)

    def _one(self, step, task, request, **why):
        key = request.POST.get("which", "")
        step(task.mission, int(key) if key.isdecimal() else 0, **why)

    def done(self, task, step):
        said = {
            "add_address": _("The address stands in the register. Now send it the letter that it has missed."),
            "works_again": _("Letters go to this address again. Now send it the letter that it has missed."),
            "send_again": _("A new letter was written; it goes at once."),
            "write": _("The letter is written within a minute."),
        }
        return said.get(step) or super().done(task, step)

    def page(self, task):
        letters = remedies.with_replaced(
            Letter.objects.filter(recipient_kind="mission", recipient_id=str(task.mission_id))
        )
        if task.series_id:
            letters = letters.filter(Q(mailing__series=task.series_id) | Q(mailing=None))
        letters = letters.select_related("mailing__series__session", "mailing__meeting").defer(*Letter.SEALED)
        return {
            "title": f"{task.mission}, {task.series}" if task.series else str(task.mission),
            "reason": task.get_reason_display(),
            "complained": task.reason == MissionTask.Reason.COMPLAINT,
            "addresses": task.mission.addresses.all(),
            "address_form": AddressForm(),
            "missed": remedies.not_written(task.mission, task.series, timezone.now()),
            "letters": [
                (letter, state_pill(letter.state, letter.get_state_display()), remedies.may_be_sent_again(letter))
                for letter in letters.order_by("-pk")[:MOST_LETTERS]
            ],
            "by": task.done_by,
        }
