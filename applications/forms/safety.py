"""The section about safety and consent: who may see what, asked one by one; and the last words before sending."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Fieldset, Layout, Submit
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications.forms.base import SectionForm, text, tick, whose
from applications.models import Consent
from presessions.upr import dates

PAPERS_SEEN = _(
    "Seen by all Permanent Missions, the State’s own included, from the evening before the meeting, and on the web "
    "once it is over."
)


class SafetyForm(SectionForm):
    section = "safety"
    title = _("Safety and consent")
    intro = _(
        "Pre-sessions are public, and the State’s own mission is in the room. Nothing you agree to here is used unless "
        "you get a seat, and before anything is published we ask you again. You may change your answers whenever you "
        "like, also after the deadline."
    )
    consent_name = tick(
        _("The speaker’s name may stand in the programme"),
        _(
            "Seen by all Permanent Missions, the State’s own included, and on the web, from the day on which the "
            "programme is published. Without it the programme names nobody."
        ),
    )
    consent_organisation = tick(
        _("Our institution’s name may stand in the programme"),
        _(
            "Seen by all Permanent Missions, the State’s own included, and on the web, from the day on which the "
            "programme is published. Without it we write “a national CSO”."
        ),
    )
    consent_statement = tick(
        _("Our statement may be given to missions and published"),
        PAPERS_SEEN,
    )
    consent_fact_sheet = tick(
        _("Our fact sheet may be given to missions and published"),
        PAPERS_SEEN,
    )
    consent_recommendations = tick(
        _("Our recommendations may be given to missions and published"),
        PAPERS_SEEN,
    )
    consent_photo = tick(
        _("The speaker may be photographed during the meeting"),
        _("Seen on the web and in reports of UPR Info, once the meeting is over."),
    )
    consent_recording = tick(
        _("The speaker may be recorded during the meeting"),
        _("Sound or film, seen on the web, once the meeting is over."),
    )
    security_note = text(
        _("Is there a risk for you or for others that we should know of?"),
        who=_("Seen by UPR Info only. Kept encrypted, and never sent by mail."),
        longest=4000,
        rows=5,
    )

    groups = (
        Fieldset(_("What may be published if you are chosen"), *[f"consent_{item}" for item in Consent.Item.values]),
        Fieldset(_("Private note"), "security_note"),
    )

    def in_words(self, field):
        """Of a consent that stands, also since when."""
        item = field.name.removeprefix("consent_")
        since = next((one.given_at for one in self._standing() if one.item == item), None)
        if since is None:
            return super().in_words(field)
        return gettext("Yes, since %(day)s") % {"day": dates.day_in_words(since.astimezone(dates.GENEVA))}

    def _standing(self):
        return [consent for consent in self.application.consents.all() if consent.withdrawn_at is None]

    def facts(self):
        return self.cleaned_data | {"seen": True}  # an empty answer to this page is an answer


class SendForm(forms.Form):
    """The last word before sending."""

    understood = forms.BooleanField(
        label=_("I have understood that Pre-sessions are public and that the State’s own mission is invited."),
        error_messages={"required": _("Please tick that you have understood that Pre-sessions are public.")},
    )

    def __init__(self, data=None, *, application):
        super().__init__(data)
        if application and application.by:  # staff cannot say for anybody what that person has understood
            self.fields["understood"].label = _("I have compared every answer with the e-mail.")
            self.fields["understood"].error_messages["required"] = _("Please compare the answers with the e-mail.")
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout(
            *whose(application), "understood", ButtonHolder(Submit("send", _("Send the application")))
        )


class WithdrawForm(forms.Form):
    sure = forms.BooleanField(
        label=_("Yes, take my application back"),
        error_messages={"required": _("Tick the box if you want to take your application back.")},
    )

    def __init__(self, data=None, *, application):
        super().__init__(data)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout(
            *whose(application), "sure", ButtonHolder(Submit("withdraw", _("Take it back"), css_class="button-danger"))
        )
