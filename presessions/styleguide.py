"""The look of the house on one page, for whoever changes it: every component with its markup. Room: wiring.

Only where settings.STYLEGUIDE is on; elsewhere there is no such page. Its form keeps nothing.
"""

from datetime import UTC, datetime, timedelta

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Fieldset, Layout, Submit
from django import forms
from django.conf import settings
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from applications.rules import AtMostWords
from presessions.upr.models import State

NOON = datetime(2026, 12, 17, 12, tzinfo=UTC)


class EveryField(forms.Form):
    """Each kind of field that our pack dresses, in words that the real forms use."""

    email = forms.EmailField(
        label=_("Your e-mail address"), help_text=_("We send your personal link there. Only UPR Info sees the address.")
    )
    website = forms.URLField(label=_("Website"), required=False, assume_scheme="https")
    aims = forms.CharField(
        label=_("Aims and work"), widget=forms.Textarea(attrs={"rows": 4}), validators=[AtMostWords(200)]
    )
    state = forms.ChoiceField(label=_("State"), choices=[("", "–"), ("1", State.Group.AFRICAN.label)])
    kind = forms.ChoiceField(label=_("Language"), widget=forms.RadioSelect, choices=[*settings.LANGUAGES][:3])
    days = forms.MultipleChoiceField(
        label=_("Applications"), widget=forms.CheckboxSelectMultiple, choices=State.Group.choices, required=False
    )
    day = forms.DateField(label=_("first day"), widget=forms.DateInput(attrs={"type": "date"}))
    paper = forms.FileField(label=_("File"))
    agreed = forms.BooleanField(label=_("Yes, write to me"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout(
            Fieldset(_("Your application"), *self.fields),
            ButtonHolder(Submit("", _("Send")), Submit("", _("Search"), css_class="button-quiet")),
        )


@require_safe
def styleguide(request):
    if not settings.STYLEGUIDE:
        raise Http404("This installation does not show its styleguide.")
    form = EveryField({"email": "nobody"} if "errors" in request.GET else None)
    colours = ("paper", "sheet", "ink", "soft", "rule", "edge", "band", "gold", "link", "red", "amber", "green")
    context = {"form": form, "colours": colours, "moment": NOON, "later": NOON + timedelta(days=1)}
    return render(request, "styleguide.html", context)
