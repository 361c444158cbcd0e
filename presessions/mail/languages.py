"""In which language a letter is written, and what a catalogue has no words for. Room: mail; imports nothing of ours.

A person's language is two letters, as in `settings.MAIL_LANGUAGES` and in the addresses of pages; Django and HTML say
which script of Chinese is meant.
"""

import gettext
from functools import cache

from django.conf import settings
from django.template.context import Context
from django.template.loader_tags import ExtendsNode, IncludeNode
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import to_locale

SOURCE = "en"
TAGS = {"zh": "zh-hans"}


def spoken(language):
    """The language of our letters for somebody who asked for this one: "fr" for "fr-CH", English for an unknown one."""
    language = language.lower()[:2]
    return language if language in dict(settings.MAIL_LANGUAGES) else SOURCE


def tag(language):
    """What Django activates and HTML declares for one of the languages of letters."""
    return TAGS.get(language, language)


def of_pages(language):
    """The language of the pages that somebody is sent to who reads letters in this one."""
    return tag(spoken(language))


# --- What is not translated ------------------------------------------------------------------------------------------


def missing(words, language):
    """Those of these words (context or None, singular, plural or None) that the catalogue of a language lacks."""
    if language == SOURCE:
        return []
    catalogue = _catalogue(language)
    return [word for word in words if not _is_translated(catalogue, *word)]


def words_of(template):
    """The words, as `missing` takes them, that a template says itself or by what it extends and includes."""
    words = {}
    _collect(template, words, set())
    return list(words)


def _collect(template, words, seen):
    seen.add(template.name)
    for node in template.nodelist.get_nodes_by_type((TranslateNode, BlockTranslateNode, IncludeNode, ExtendsNode)):
        if isinstance(node, TranslateNode):
            literal = node.filter_expression.var.literal
            if isinstance(literal, str):
                words[_constant(node.message_context), literal.replace("%", "%%"), None] = True
        elif isinstance(node, BlockTranslateNode):
            singular, plural = (tokens and node.render_token_list(tokens)[0] for tokens in (node.singular, node.plural))
            words[_constant(node.message_context), singular, plural or None] = True
        else:
            name = _constant(node.template if isinstance(node, IncludeNode) else node.parent_name)
            if name not in seen:
                _collect(template.engine.get_template(name), words, seen)


def _constant(expression):
    """What an expression says that depends on no variable; None where there is no expression."""
    return expression and expression.resolve(Context())


class _NotThere(gettext.NullTranslations):
    """Stands behind a catalogue and answers for what it does not hold."""

    def gettext(self, message):
        return None

    def ngettext(self, singular, plural, number):
        return None

    def pgettext(self, context, message):
        return None

    def npgettext(self, context, singular, plural, number):
        return None


@cache
def _catalogue(language):
    """All words of ours in one language, without Django's way of falling back to another."""
    words = gettext.NullTranslations()
    for folder in settings.LOCALE_PATHS:
        words.add_fallback(gettext.translation("django", folder, [to_locale(tag(language))], fallback=True))
    words.add_fallback(_NotThere())
    return words


def _is_translated(catalogue, context, singular, plural):
    if plural is not None:
        asked = (singular, plural, 1)
        return bool(catalogue.npgettext(context, *asked) if context else catalogue.ngettext(*asked))
    return bool(catalogue.pgettext(context, singular) if context else catalogue.gettext(singular))
