"""The form pack: whoever cannot see the page hears the same label, hint and error, and reaches the same field."""

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.forms import formset_factory
from django.template.loader import render_to_string
from lxml import html

from applications.rules import AtMostWords

from .forms import EveryField

VISIBLE = [name for name, field in EveryField.base_fields.items() if not field.widget.is_hidden]


def page(form, **context):
    text = render_to_string("_error_summary.html", {"form": form, **context}) + render_crispy_form(form)
    return html.fromstring(f"<div>{text}</div>")


def ids(tree):
    return tree.xpath("//@id")


@pytest.fixture(params=["untouched", "wrong"])
def form(request):
    return EveryField({} if request.param == "wrong" else None)


def test_no_two_things_share_an_id(form):
    assert len(ids(page(form))) == len(set(ids(page(form))))


def test_every_description_that_is_named_exists(form):
    tree = page(form)
    named = [one for many in tree.xpath("//@aria-describedby") for one in many.split()]
    assert named
    assert set(named) <= set(ids(tree))


@pytest.mark.parametrize("name", VISIBLE)
def test_hint_and_error_are_tied_to_their_field(name):
    form = EveryField({})
    tree = page(form)
    wanted = [f"id_{name}_helptext"] if form[name].help_text else []
    wanted += [f"id_{name}_error"] if form[name].errors else []
    told = tree.xpath("//*[@id=$id]/@aria-describedby", id=f"id_{name}")
    assert (told[0].split() if told else []) == wanted


def test_every_label_leads_to_a_field_and_every_field_has_a_name(form):
    tree = page(form)
    assert set(tree.xpath("//label/@for")) <= set(ids(tree))
    controls = tree.xpath("//input[not(@type='hidden')] | //select | //textarea")
    assert {control.get("id") for control in controls} <= set(tree.xpath("//label/@for"))
    assert {fieldset.find("legend") is not None for fieldset in tree.iter("fieldset")} == {True}


def test_a_group_in_a_cell_is_named_and_described_too():
    cell = html.fromstring(render_to_string("plain/cell.html", {"field": EveryField({})["kind"]}))
    assert (cell.tag, cell.find("legend").text_content()) == ("fieldset", "Kind")
    assert set(cell.get("aria-describedby").split()) <= set(ids(cell))
    assert cell.xpath(".//input/@id") == cell.xpath(".//label/@for") == ["id_kind_0", "id_kind_1"]


@pytest.mark.parametrize("name", ["kind", "themes"])
def test_a_group_is_a_fieldset_whose_legend_is_its_label(form, name):
    (group,) = page(form).xpath("//fieldset[@id=$id]", id=f"id_{name}")
    assert group.find("legend").text_content().strip() == form[name].label
    assert len(group.xpath(".//input")) == 2


def test_each_error_is_in_the_summary_in_the_same_words_with_a_link_that_can_take_the_focus():
    form = EveryField({"email": "nobody"})
    tree = page(form)
    links = [(link.text_content().strip(), link.get("href")) for link in tree.xpath("//*[@class='error-summary']//a")]
    assert ("E-mail – Enter a valid email address.", "#id_email") in links
    assert ("Kind – This field is required.", "#id_kind_0") in links
    for _text, target in links:
        (found,) = tree.xpath("//*[@id=$id]", id=target[1:])
        assert found.tag in {"input", "select", "textarea", "fieldset"}
    at_the_fields = [
        paragraph.xpath("string(text()[last()])").strip() for paragraph in tree.xpath("//*[@class='error']/p")
    ]
    assert at_the_fields == [text.partition(" – ")[2] for text, _target in links]


@pytest.mark.parametrize(
    "own, text, told",
    [
        ({}, "", "Aims and work – This field is required."),
        ({"required": "Say what you do."}, "", "Say what you do."),
        ({}, "word " * 3, "Aims and work – Please shorten this to 2 words: there is 1 too many."),
        ({}, "none", "Say more."),
    ],
    ids=["Django's words", "the field's own", "a validator's", "the form's own"],
)
def test_the_summary_names_a_field_where_its_words_alone_could_be_meant_of_another(own, text, told):
    class Form(forms.Form):
        aims = forms.CharField(label="Aims and work", error_messages=own, validators=[AtMostWords(2)])

        def clean_aims(self):
            if self.cleaned_data["aims"] == "none":
                raise forms.ValidationError("Say more.", code="more")

    summary = html.fromstring(render_to_string("_error_summary.html", {"form": Form({"aims": text})}))
    assert [link.text_content().strip() for link in summary.xpath("//a")] == [told]


def test_the_summary_takes_the_focus_and_counts():
    (summary,) = page(EveryField({})).xpath("//*[@class='error-summary']")
    assert (summary.get("role"), summary.get("tabindex"), "autofocus" in summary.attrib) == ("alert", "-1", True)
    assert "There are 11 problems" in " ".join(summary.text_content().split())


def test_an_error_of_the_whole_form_stands_in_the_summary_without_a_link():
    (summary,) = page(EveryField({"name": "nobody"})).xpath("//*[@class='error-summary']")
    assert "Nobody cannot apply." in summary.text_content()
    assert "Nobody cannot apply." not in [link.text_content().strip() for link in summary.iter("a")]


def test_no_problem_no_summary():
    assert not page(EveryField()).xpath("//*[@class='error-summary']")


def test_a_formset_counts_the_errors_of_its_forms():
    formset = formset_factory(EveryField, extra=0)(
        {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-email": "nobody"}
    )
    tree = html.fromstring(
        f"<div>{render_to_string('_error_summary.html', {'formset': formset})}{render_crispy_form(formset)}</div>"
    )
    targets = {link.get("href")[1:] for link in tree.xpath("//*[@class='error-summary']//a")}
    assert "id_form-0-email" in targets
    assert targets <= set(ids(tree))


def test_only_optional_fields_are_marked_and_what_is_needed_to_send_is_not():
    form = EveryField()
    form.fields["aims"].required = False
    form.fields["aims"].needed = True
    optional = [label.get("for") for label in page(form).iter("label") if "optional" in label.text_content()]
    assert optional == ["id_phone"]


def test_addresses_numbers_and_links_read_left_to_right_and_keep_their_other_attributes():
    tree = page(EveryField())
    assert tree.xpath("//*[@dir='ltr']/@name") == ["email", "phone", "website"]
    assert tree.xpath("//*[@autocomplete='organization']/@name") == ["name"]


def test_good_input_is_kept_beside_an_error():
    tree = page(EveryField({"name": "Rights <Now>", "kind": "cso", "state": "KE"}))
    assert tree.xpath("//*[@name='name']/@value") == ["Rights <Now>"]
    assert tree.xpath("//*[@name='kind'][@checked]/@value") == ["cso"]
    assert tree.xpath("//option[@selected]/@value") == ["KE"]


def test_the_form_posts_files_and_its_buttons_are_ours():
    (form,) = page(EveryField()).xpath("//form")
    assert (form.get("method"), form.get("enctype")) == ("post", "multipart/form-data")
    assert [(button.get("name"), button.get("class")) for button in form.iter("button")] == [
        ("send", "button"),
        ("later", "button button-quiet"),
    ]
