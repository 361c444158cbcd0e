"""The next session of the Working Group, entered so that its Pre-sessions can be set up. Room: missions.

States are reviewed in the same order each cycle, so those of the session fourteen before stand there already.
"""

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from missions.pages import page, require
from missions.setting_up_forms import DayInput
from presessions import trail
from presessions.upr.dates import month_named
from presessions.upr.models import State, StateUnderReview, WorkingGroupSession

NEEDS = ("upr.add_workinggroupsession", "upr.add_stateunderreview")
OF_A_CYCLE = 14  # sessions, since the second cycle
MORE = 6  # States beside those proposed, in one go


class NewSessionForm(forms.Form):
    number = forms.IntegerField(
        label=gettext_lazy("Number"),
        min_value=1,
        max_value=999,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 4}),
    )
    starts_on = forms.DateField(label=gettext_lazy("First day"), widget=DayInput, required=False)
    ends_on = forms.DateField(label=gettext_lazy("Last day"), widget=DayInput, required=False)
    month_label = forms.CharField(
        label=gettext_lazy("Month"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("While the days are not known: January 2027."),
    )

    def __init__(self, data=None, *, number, proposed, states):
        super().__init__(data, initial={"number": number}, label_suffix="")
        choices = [(state.pk, state.name) for state in proposed]
        if proposed:
            self.fields["proposed"] = forms.MultipleChoiceField(
                label=_("States reviewed in this order in the last cycle"),
                choices=choices,
                initial=[state.pk for state in proposed],
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
        listed = [("", "–"), *((state.pk, state.name) for state in states)]
        for place in range(1, MORE + 1):
            label = _("Another State (%(number)s)") % {"number": place}
            self.fields[f"more_{place}"] = forms.ChoiceField(label=label, choices=listed, required=False)

    @property
    def dates(self):
        return [self[name] for name in ("number", "starts_on", "ends_on", "month_label")]

    @property
    def more(self):
        return [self[f"more_{place}"] for place in range(1, MORE + 1)]

    def clean_number(self):
        number = self.cleaned_data["number"]
        if WorkingGroupSession.objects.filter(number=number).exists():
            raise forms.ValidationError(_("This session is in the calendar already."))
        return number

    def clean_month_label(self):
        label = self.cleaned_data["month_label"].strip()
        if label and not month_named(label):
            raise forms.ValidationError(_("Write the month in English, with its year: January 2027."))
        return label

    def clean(self):
        answers = super().clean()
        first, last = answers.get("starts_on"), answers.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The session cannot end before it starts."))
        if not self.chosen():
            self.add_error(None, _("Choose the States that are reviewed in this session."))
        return answers

    def chosen(self):
        """Codes of the States, those proposed first, each once: in the order of review."""
        answers = self.cleaned_data
        more = [answers.get(f"more_{place}") for place in range(1, MORE + 1)]
        return list(dict.fromkeys([*answers.get("proposed", []), *filter(None, more)]))


@require_http_methods(["GET", "POST"])
def new_session(request, site):
    """The session's dates and States; then to the plan of its Pre-sessions."""
    require(request, *NEEDS)
    number = (WorkingGroupSession.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    before = _fourteen_before(_asked(request.POST.get("number")) or number)
    states = State.objects.all().sorted_by_name((get_language() or "en")[:2])
    form = NewSessionForm(request.POST or None, number=number, proposed=before, states=states)
    if request.method == "POST" and form.is_valid():
        inferred = {state.pk for state in before}
        try:
            session = _write(form, inferred, by=request.user, now=timezone.now())
        except IntegrityError:  # somebody entered the same session at the same moment
            form.add_error("number", _("This session is in the calendar already."))
        else:
            messages.success(request, _("%(session)s is in the calendar.") % {"session": session})
            return redirect("admin:upr_series_set_up_plan", session.number)
    return page(request, site, "set_up_session", _("Enter the next session"), form=form, step=1)


def _asked(number):
    return int(number) if str(number or "").isdecimal() and len(number) < 4 else None


def _fourteen_before(number):
    """The States that were reviewed, or were to be, in the session of the same place in the last cycle."""
    before = StateUnderReview.objects.filter(session__number=number - OF_A_CYCLE)
    before = before.exclude(status=StateUnderReview.Status.MOVED).select_related("state")
    return [row.state for row in before.order_by("review_order", "state__sort_key")]


def _write(form, inferred, *, by, now):
    answers, basis = form.cleaned_data, StateUnderReview.Basis
    facts = {name: answers[name] for name in ("number", "starts_on", "ends_on", "month_label")}
    with transaction.atomic():
        last = WorkingGroupSession.objects.filter(number=answers["number"] - OF_A_CYCLE).first()
        session = WorkingGroupSession.objects.create(**facts, cycle=last.cycle + 1 if last and last.cycle else None)
        trail.record(session, "added", now=now, by=by)
        for order, code in enumerate(form.chosen(), start=1):
            row = StateUnderReview.objects.create(
                session=session,
                state_id=code,
                review_order=order,
                basis=basis.INFERRED if code in inferred else basis.SOURCED,
            )
            trail.record(row, "added", now=now, by=by)
    return session


PAGES = (("set-up/session/", new_session, "series_set_up_session"),)
