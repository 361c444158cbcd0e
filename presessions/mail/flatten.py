"""The usual text of a mail as one template without files or translations, for staff to change. Room: mail.

Includes and blocks are put in their place, every `translate` and `blocktranslate` gives way to its words in one
language, addresses of pages are written out. Variables, `if` and `for` stay, so that a date that moves later is right
in a text that was changed earlier. Rendered, it says what the files say; a test holds every mail to that.
"""

import re

from django.template import TemplateSyntaxError
from django.template.base import Lexer, Template, TokenType
from django.template.context import Context
from django.templatetags.i18n import BlockTranslateNode
from django.utils import translation

from presessions.mail import languages, letters, plurals
from presessions.mail.texts import Source

KEPT = ("if", "elif", "else", "endif", "for", "empty", "endfor", "with", "endwith", "firstof")
QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


class CannotFlatten(Exception):
    """A usual text that says something in a way that cannot be written out. str() names the tag."""


def flattened(kind, language, series):
    """The usual text of a registered kind as a Source; `series` for addresses of its pages. Raises CannotFlatten."""
    with translation.override(languages.tag(language)):
        files = [f"{kind.template}/{name}.txt" for name in ("subject", "body")]
        subject, body = (_Flattening(kind, language, series).file(name) for name in files)
    return Source(subject.strip(), re.sub(r"\n{3,}", "\n\n", body).strip() + "\n")


class _Flattening:
    def __init__(self, kind, language, series):
        self.engine = letters.templates.engine
        self.language, self.series = language, series
        self.has = {"link": bool(kind.link), "unsubscribe_link": bool(kind.unsubscribe)}

    def file(self, name, blocks=None, loads=()):
        """A file written out. blocks, loads -- {name: tokens} and the `load` tags of what extends it."""
        tokens = Lexer(self.engine.get_template(name).source).tokenize()
        loads = [*loads, *(token.contents for token in tokens if _name(token) == "load")]
        for position, token in enumerate(tokens):
            if _name(token) == "extends":
                own = _blocks(tokens[position + 1 :])
                return self.file(_literal(token.split_contents()[1]), {**own, **(blocks or {})}, loads)
        return self.tokens(tokens, blocks or {}, loads, {})

    def tokens(self, tokens, blocks, loads, words):
        """words -- {name: words in quotes} of `translate … as name`"""
        tokens, written = list(tokens), []
        while tokens:
            token = tokens.pop(0)
            if token.token_type is TokenType.TEXT:
                written.append(token.contents)
            elif token.token_type is TokenType.VAR:
                written.append(f"{{{{ {_replaced(token.contents, words)} }}}}")
            elif token.token_type is TokenType.BLOCK:
                written.append(self.tag(token, tokens, blocks, loads, words))
        return "".join(written)

    def tag(self, token, following, blocks, loads, words):
        """One tag written out; takes from `following` what belongs to it."""
        name, *bits = token.split_contents()
        if name == "load":
            return ""
        if name == "if" and len(bits) == 1 and bits[0] in self.has:  # known here and now: one question less to read
            inside = _inside(following, "if", "endif")
            return self.tokens(inside, blocks, loads, words) if self.has[bits[0]] else ""
        if name == "comment":
            _inside(following, "comment", "endcomment")
            return ""
        if name == "block":
            inside = _inside(following, "block", "endblock")
            return self.tokens(blocks.get(bits[0], inside), blocks, loads, words)
        if name == "include":
            return self.included(bits)
        if name in ("translate", "trans"):
            return self.translated(token, bits, loads, words)
        if name in ("blocktranslate", "blocktrans"):
            span = [token, *_inside(following, name, f"end{name}")]
            return _replaced_everywhere(self.block(_source(span, f"end{name}"), loads), words)
        if name == "url":
            return self.rendered(token.contents, loads, {"series": self.series})
        if name in KEPT:
            return f"{{% {_replaced(token.contents, words)} %}}"
        raise CannotFlatten(name)

    def included(self, bits):
        inside = self.file(_literal(bits[0]))
        given = [bit for bit in bits[1:] if bit not in ("with", "only")]
        return f"{{% with {' '.join(given)} %}}{inside}{{% endwith %}}" if given else inside

    def translated(self, token, bits, loads, words):
        _literal(bits[0])
        if "as" not in bits:
            return self.rendered(token.contents, loads)
        text = self.rendered(token.contents[: token.contents.rindex(" as ")], loads)
        words[bits[bits.index("as") + 1]] = '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
        return ""

    def block(self, source, loads):
        """A `blocktranslate` in its language: its variables again, and for a number all forms of the noun."""
        (node,) = self.compiled(source, loads).nodelist.get_nodes_by_type(BlockTranslateNode)
        if node.asvar:
            raise CannotFlatten("blocktranslate … as")
        context = node.message_context and node.message_context.resolve(Context())
        given = {name: value.token for name, value in node.extra_context.items()}
        singular, _names = node.render_token_list(node.singular)
        if not node.plural:
            text = translation.pgettext(context, singular) if context else translation.gettext(singular)
            return _with_variables(text, given)
        given[node.countervar] = node.counter.token
        plural, _names = node.render_token_list(node.plural)
        forms, is_translated = {}, False
        for form, number in plurals.samples(self.language).items():
            asked = (singular, plural, number)
            text = translation.npgettext(context, *asked) if context else translation.ngettext(*asked)
            is_translated |= text not in (singular, plural)
            forms[form] = _with_variables(text, given)
        if not is_translated and self.language != languages.SOURCE:  # English words, and English has two forms
            one, other = _with_variables(singular, given), _with_variables(plural, given)
            return f"{{% if {node.counter.token} == 1 %}}{one}{{% else %}}{other}{{% endif %}}"
        return _chosen_by(node.counter.token, forms)

    def rendered(self, tag, loads, context=()):
        return self.compiled(f"{{% {tag} %}}", loads).render(Context(dict(context), autoescape=False))

    def compiled(self, source, loads):
        loaded = "".join(f"{{% {load} %}}" for load in loads)
        try:
            return Template(loaded + source, engine=self.engine)
        except TemplateSyntaxError as error:
            raise CannotFlatten(str(error)) from error


def _blocks(tokens):
    """{name: tokens inside} of each block of a file that extends another."""
    tokens, found = list(tokens), {}
    while tokens:
        token = tokens.pop(0)
        if _name(token) == "block":
            found[token.split_contents()[1]] = _inside(tokens, "block", "endblock")
    return found


def _name(token):
    return token.contents.split(maxsplit=1)[0] if token.token_type is TokenType.BLOCK else ""


def _inside(following, start, end):
    """Take the tokens up to the end of a tag, that end too, which is left out of what is returned."""
    taken, depth = [], 1
    while following:
        token = following.pop(0)
        depth += (_name(token) == start) - (_name(token) == end)
        if not depth:
            return taken
        taken.append(token)
    raise CannotFlatten(start)


def _source(tokens, end):
    marks = {TokenType.TEXT: "{}", TokenType.VAR: "{{{{ {} }}}}", TokenType.BLOCK: "{{% {} %}}", TokenType.COMMENT: ""}
    return "".join(marks[token.token_type].format(token.contents) for token in tokens) + f"{{% {end} %}}"


def _literal(bit):
    if not QUOTED.fullmatch(bit):
        raise CannotFlatten(bit)
    return bit[1:-1]


def _with_variables(text, given):
    """A translation with its %(name)s as variables again."""
    text = re.sub(r"%\((\w+)\)s", lambda name: f"{{{{ {given.get(name[1], name[1])} }}}}", text)
    return text.replace("%%", "%")


def _chosen_by(number, forms):
    """All forms of a sentence, the one that its number takes chosen when the letter is written."""
    usual = "other" if "other" in forms else list(forms)[-1]
    rare = {form: words for form, words in forms.items() if words != forms[usual]}
    written = ""
    for position, (form, words) in enumerate(rare.items()):
        written += f'{{% {"elif" if position else "if"} {number}|plural_form == "{form}" %}}{words}'
    return f"{written}{{% else %}}{forms[usual]}{{% endif %}}" if rare else forms[usual]


def _replaced(expression, words):
    """An expression with the names that stand for words replaced by these."""
    for name, text in words.items():
        parts = QUOTED.split(expression)
        parts[::2] = [re.sub(rf"(?<![\w.|:]){name}(?![\w.])", lambda _: text, part) for part in parts[::2]]  # noqa: B023
        expression = "".join(parts)
    return expression


def _replaced_everywhere(text, words):
    """The same in each variable of a text."""
    return re.sub(r"\{\{ (.*?) \}\}", lambda found: f"{{{{ {_replaced(found[1], words)} }}}}", text) if words else text
