"""Forms of the public pages. `doors`: the short ones that anybody may post; `institution`, `people`, `content`,
`upload`, `safety`: the application's own pages, section by section. Room: applications; imports models and rules."""

from applications.forms.contacts import ContactForm
from applications.forms.content import IssuesForm, RecommendationsForm, SubmissionForm
from applications.forms.doors import LostLinkForm, StartForm
from applications.forms.institution import InstitutionForm
from applications.forms.people import ReplacementForm, SpeakerForm
from applications.forms.safety import SafetyForm, SendForm, WithdrawForm
from applications.forms.upload import FileForm

SECTION_FORMS = {  # in the order of rules.SECTIONS
    form.section: form
    for form in (
        InstitutionForm,
        SpeakerForm,
        ReplacementForm,
        IssuesForm,
        RecommendationsForm,
        SubmissionForm,
        FileForm,
        SafetyForm,
    )
}

__all__ = ["SECTION_FORMS", "ContactForm", "LostLinkForm", "SendForm", "StartForm", "WithdrawForm"]
