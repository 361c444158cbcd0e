"""`{% shown "Buttons" %}…{% endshown %}`: a component as people see it, and its markup below. Room: wiring."""

from django import template
from django.utils.html import format_html
from django.utils.text import slugify

register = template.Library()


@register.tag
def shown(parser, token):
    """Show what stands inside, and its source, under a heading. {% shown "Heading" %}"""
    _name, title = token.split_contents()
    inside = parser.parse(["endshown"])
    parser.delete_first_token()
    return Shown(parser.compile_filter(title), inside)


class Shown(template.Node):
    def __init__(self, title, nodelist):
        self.title, self.nodelist = title, nodelist

    def render(self, context):
        title, made = self.title.resolve(context), self.nodelist.render(context)
        markup = "\n".join(line.rstrip() for line in made.splitlines() if line.strip())
        return format_html(
            '<section aria-labelledby="{0}"><h2 id="{0}" lang="en" dir="ltr">{1}</h2>{2}'
            '<details><summary lang="en" dir="ltr">Markup</summary>'
            '<pre class="markup" dir="ltr" tabindex="0" role="region" aria-label="{1}: markup">{3}</pre>'
            "</details></section>",
            slugify(title),
            title,
            made,
            markup,
        )
