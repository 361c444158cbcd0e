"""The page on which a mission says once a year whether what we have of it is right. Room: missions; see `checking`.

GET and HEAD change nothing but the note that the page was fetched. Addresses are shown so that their owners know them
again and nobody else learns them.
"""

from django import forms
from django.conf import settings
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from applications.forms.doors import AddressField
from missions import checking
from missions.models import MissionAddress, RegisterCheck
from missions.rules import shortened
from presessions import vault
from presessions.mail import links
from presessions.trail.steps import WrongStep
from presessions.upr.dates import day_of

MOST_NEW = 3  # addresses of one answer
Status = RegisterCheck.Status


class ChangesForm(forms.Form):
    """What is to be changed: addresses that are no longer the mission's own, new ones, language, form of address."""

    gone = forms.TypedMultipleChoiceField(
        label=_("Which of these addresses are no longer yours?"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    language = forms.ChoiceField(label=_("Language of our letters"), choices=settings.MAIL_LANGUAGES)
    form = forms.CharField(
        label=_("Form of address"),
        help_text=_("The first line of a letter, in that language. Empty: the usual one."),
        max_length=200,
        required=False,
    )

    def __init__(self, *args, mission, addresses, **kwargs):
        """addresses -- (MissionAddress, how it is shown to whoever reads the page)"""
        self.mission = mission
        super().__init__(*args, **kwargs)
        self.fields["gone"].choices = [(one.pk, f"{shown} – {one.get_role_display()}") for one, shown in addresses]
        if not addresses:
            del self.fields["gone"]
        for number in range(1, MOST_NEW + 1):
            self.fields[f"email_{number}"] = AddressField(label=_("New e-mail address"), max_length=254, required=False)
            self.fields[f"role_{number}"] = forms.ChoiceField(
                label=_("Whose is it?"), choices=MissionAddress.Role.choices
            )

    def new_rows(self):
        return [(self[f"email_{number}"], self[f"role_{number}"]) for number in range(1, MOST_NEW + 1)]

    def clean(self):
        said = super().clean()
        if not self.errors and not self.said():
            raise forms.ValidationError(
                _("Nothing is changed here. If all is right, press the first button; otherwise say what is not."),
                code="nothing",
            )
        return said

    def said(self):
        """What was typed, as checking.Wanted: only what differs from what we have."""
        said, mission = self.cleaned_data, self.mission
        new = {}
        for number in range(1, MOST_NEW + 1):
            email = said.get(f"email_{number}")
            if email:
                new.setdefault(vault.normal_email(email), (email, said[f"role_{number}"]))
        language = said["language"] if said["language"] != mission.language else ""
        before = getattr(mission, f"address_form_{said['language']}")
        form = " ".join(said["form"].split())
        return checking.Wanted(
            gone=tuple(sorted(said.get("gone", ()))),
            new=tuple(new.values()),
            language=language,
            form=form if form not in (before, getattr(mission, f"address_form_{mission.language}")) else "",
        )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def register_check(request, token):
    """What we have, one button that says that it is right, and a form for what is not."""
    now = timezone.now()
    link = links.find(token, checking.KIND, now=now)
    if link is None:
        response = render(request, "missions/register_check_ended.html", status=404)
    else:
        if request.method != "POST":
            links.visited(link, request, now)
        checks = RegisterCheck.objects.select_related("mission__state")
        response = _page(request, checks.get(reference=link.target_id), link, token, now)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "strict-origin"
    return response


def _page(request, check, link, token, now):
    mission = check.mission
    today, own = day_of(now), link.letter.to if link.letter else ""
    addresses = [(one, _shown(one, own)) for one in mission.addresses.all() if one.is_valid_on(today)]
    says_changes = request.method == "POST" and request.POST.get("answer") == "changes"
    form = ChangesForm(
        request.POST if says_changes else None,
        mission=mission,
        addresses=addresses,
        initial={"language": mission.language, "form": getattr(mission, f"address_form_{mission.language}")},
    )
    status = 422 if form.errors else 200
    if request.method == "POST" and not form.errors:
        try:
            if says_changes:
                checking.say_changes(check, form.said(), now=now)
            elif request.POST.get("answer") == "same":
                checking.say_same(check, now=now)
        except WrongStep:  # staff have settled it meanwhile: the page says so
            pass
        return redirect("missions:register_check", token)
    context = {
        "check": check,
        "mission": mission,
        "addresses": addresses,
        "form_of_address": getattr(mission, f"address_form_{mission.language}"),
        "form": form,
        "takes_answers": check.status in checking.TAKES_ANSWERS,
        "any_shortened": any(shown != one.email for one, shown in addresses),
        "said": [shortened(email) for email, _role in checking.wanted(check).new],
    }
    return render(request, "missions/register_check.html", context, status=status)


def _shown(address, own):
    """Whole to whom we wrote there; to others so that its owner knows it again."""
    return address.email if vault.normal_email(address.email) == vault.normal_email(own) else shortened(address.email)
