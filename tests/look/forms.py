"""One form with every kind of field that our pack dresses."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Div, Fieldset, Layout, Submit
from django import forms


class EveryField(forms.Form):
    name = forms.CharField(
        label="Name", help_text="In your own script.", widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    email = forms.EmailField(label="E-mail")
    phone = forms.CharField(label="Phone", required=False, widget=forms.TextInput(attrs={"type": "tel"}))
    website = forms.URLField(label="Website", assume_scheme="https", help_text="If you have one.")
    kind = forms.ChoiceField(
        label="Kind", help_text="One of these.", widget=forms.RadioSelect, choices=[("nhri", "NHRI"), ("cso", "CSO")]
    )
    themes = forms.MultipleChoiceField(
        label="Themes", widget=forms.CheckboxSelectMultiple, choices=[("w", "Women"), ("c", "Children")]
    )
    state = forms.ChoiceField(label="State", choices=[("", "Choose a State"), ("KE", "Kenya")])
    founded = forms.DateField(label="Founded on", widget=forms.DateInput(attrs={"type": "date"}))
    aims = forms.CharField(label="Aims", help_text="In at most 200 words.", widget=forms.Textarea(attrs={"rows": 5}))
    submission = forms.FileField(label="Submission", help_text="PDF or DOCX.", widget=forms.FileInput)
    consent = forms.BooleanField(label="You may print my name", help_text="Everybody will see it.")
    trap = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout(
            Fieldset("Who you are", "name", "email", "phone", "website", "kind", "themes"),
            Div("state", "founded", "aims", "submission", "consent", "trap", css_class="rest"),
            ButtonHolder(Submit("send", "Send"), Submit("later", "Later", css_class="button-quiet")),
        )

    def clean(self):
        if self.data.get("name") == "nobody":
            raise forms.ValidationError("Nobody cannot apply.")
