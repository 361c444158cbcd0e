"""Forms of the public pages. `doors`: the short ones that anybody may post; `sections`: the application's own pages.
Room: applications; imports models and rules."""

from applications.forms.doors import ContactForm, LostLinkForm, StartForm
from applications.forms.sections import SECTION_FORMS, SendForm, WithdrawForm

__all__ = ["SECTION_FORMS", "ContactForm", "LostLinkForm", "SendForm", "StartForm", "WithdrawForm"]
