"""Leave counts only in the words it was given in: whoever changes them raises their version."""

import hashlib
import re
from pathlib import Path

from django.utils import translation

from applications.forms.safety import SafetyForm
from applications.models.parts import CONSENT_WORDING

PAGE = Path(__file__).parents[2] / "templates/applications/seat_publish.html"


def words():
    """All that an applicant reads beside the boxes, in English."""
    with translation.override(None):
        fields = [field for name, field in SafetyForm.base_fields.items() if name.startswith("consent_")]
        found = [str(text) for field in fields for text in (field.label, field.help_text)]
        found.append(str(SafetyForm.intro))
    return "\n".join(found + re.findall(r'{% translate "([^"]+)" %}', PAGE.read_text()))


def test_the_words_beside_a_consent_have_the_version_they_are_kept_with():
    told = hashlib.sha256(words().encode()).hexdigest()[:16]
    assert (CONSENT_WORDING, told) == ("2026-11-26b", "877a2a9071dda959"), (
        "The words beside a consent have changed: raise CONSENT_WORDING, and write it and this number here."
    )
