"""The sign-up of who wants to be told of a call: address, language, States. Room: applications.

193 States are many for a phone: those that can be applied for soon stand first, all others under their regional group,
folded up. It needs no script.
"""

from dataclasses import dataclass

from crispy_forms.layout import Field
from django import forms
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from applications.forms.doors import EMAIL, AddressField, DoorForm, language_field
from presessions.upr.dates import day_of
from presessions.upr.models import CountryMeeting, State, StateUnderReview


@dataclass(frozen=True)
class Group:
    """States under one heading. folded -- whether they are only shown when asked for"""

    name: str
    states: list
    chosen: int
    folded: bool


class ContactForm(DoorForm):
    button = _("Ask to be told")
    email = AddressField(
        label=_("Your e-mail address"),
        max_length=254,
        error_messages=EMAIL,
        help_text=_("We send one mail to confirm it. Only UPR Info sees the address."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    language = language_field()
    states = forms.ModelMultipleChoiceField(
        State.objects.all(),
        label=_("States you are interested in"),
        required=False,
        help_text=_("Choose none to hear of every call."),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["states"].widget.choices = ()  # the template shows groups; the list is not read a second time
        names = self.helper.layout.fields
        names[names.index("states")] = Field("states", template="applications/_states_of_interest.html")

    def groups(self):
        """The States of series that one can still apply for, then all others by regional group; each sorted as the
        reader's language sorts them."""
        language, soon = get_language() or "en", coming(self.now)
        by_heading = {number: [] for number in sorted(set(soon.values()))} | {group: [] for group in State.Group}
        states = State.objects.only("iso2", "regional_group", "name_en", f"name_{language[:2]}")
        for state in states.sorted_by_name(language):
            by_heading[soon.get(state.pk) or state.regional_group].append(state)
        chosen = set(self["states"].value() or ())
        return [_group(heading, those, chosen) for heading, those in by_heading.items() if those]


def _group(heading, states, chosen):
    """heading -- the number of a series, or a regional group"""
    folded = heading in State.Group
    return Group(
        name=State.Group(heading).label if folded else gettext("Pre-sessions %(number)s") % {"number": heading},
        states=[(state.pk, state.name, state.pk in chosen) for state in states],
        chosen=sum(state.pk in chosen for state in states),
        folded=folded,
    )


def coming(now):
    """{State: number of the series}: those of Pre-sessions ahead whose call is not over."""
    ahead = CountryMeeting.objects.going_ahead().filter(
        state_under_review__session__series__isnull=False, state_under_review__status__in=StateUnderReview.EXPECTED
    )
    today = day_of(now)
    ahead = ahead.filter(
        Q(state_under_review__session__starts_on__gte=today) | Q(state_under_review__session__starts_on=None)
    ).annotate(deadline=Coalesce("state_call__closes_at", "state_call__call__closes_at"))
    ahead = ahead.filter(Q(deadline=None) | Q(deadline__gt=now))
    nearest_last = ahead.order_by("-state_under_review__session__number")
    return dict(nearest_last.values_list("state_under_review__state", "state_under_review__session__number"))
