"""Writing a letter: rendered, frozen, encrypted, and put down under a key that is unique. Room: mail.

Call `put` inside the atomic block of the step that asks for the letter, so that there is the step and its letter, or
neither. What cannot be written becomes a failed letter that staff see; it never undoes the step, nor stops a mailing.
"""

import hashlib
import logging
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from presessions import vault
from presessions.mail import languages, letters, links, registry, texts
from presessions.mail.letters import Unwritable
from presessions.mail.models import Attempt, Letter

log = logging.getLogger(__name__)


def put(
    *, kind, key, recipient, now, due_at=None, not_after=None, priority=None, mailing=None, replaces=None, is_new=False
):
    """Write one letter, or return the one already written under this key.

    kind -- registered by registry.mailing or registry.occasion; says the template and which links to mint
    key -- what and to whom, such as "receipt:K7QF2-9MXA4:1"; never an address
    due_at, not_after -- first and last moment to send it; now, and a week after it is due, when not said
    mailing -- the mailing it belongs to: it leaves once all letters of that mailing are written
    is_new -- nothing is under this key yet, as the caller knows: nobody looks before it is written
    """
    known = None if is_new else Letter.objects.filter(key=key).first()
    if known:
        return known
    how, due_at = registry.KINDS[kind], due_at or now
    language, source = _words(how, recipient, mailing)
    to = str(recipient.to).encode("utf-8", "replace").decode()  # a broken address must be storable to be shown
    letter = Letter(
        key=key,
        kind=kind,
        mailing=mailing,
        recipient_kind=recipient.kind,
        recipient_id=str(recipient.id),
        copy=replaces.copy + 1 if replaces else 1,
        replaces=replaces,
        language=language,
        priority=how.priority if priority is None else priority,
        to=to,
        to_index=vault.blind_index("email", to),
        domain_index=vault.blind_index("domain", to.rpartition("@")[2].strip().lower()),
        created_at=now,
        due_at=due_at,
        not_after=not_after or due_at + timedelta(days=settings.MAIL_LIFETIME_DAYS),
        next_attempt_at=None if mailing and mailing.written_at is None else due_at,
    )
    tokens = _tokens(how, recipient)
    try:
        _freeze(letter, how, recipient, source, {purpose: token for purpose, _target, token in tokens}, now)
    except Unwritable as error:
        tokens = []
        letter.state, letter.last_code, letter.next_attempt_at = Letter.State.FAILED, error.code, None
        log.error("letter %s could not be written: %s", key, error)
    try:
        with transaction.atomic():
            letter.save(force_insert=True)
            for purpose, target, token in tokens:
                links.mint(purpose, target, letter=letter, now=now, token=token)
            if letter.state == Letter.State.FAILED:
                Attempt.objects.create(letter=letter, at=now, number=0, state=letter.state, code=letter.last_code)
    except IntegrityError:  # somebody else put the same key down meanwhile: theirs is the letter
        return Letter.objects.get(key=key)
    return letter


def preview(kind, recipient, *, mailing=None, source=None):
    """Both parts as a person would get them, with no letter written and no link minted. Raises Unwritable.

    source -- a text that staff have not saved yet, in the person's language
    """
    how = registry.KINDS[kind]
    language, source = (languages.spoken(recipient.language), source) if source else _words(how, recipient, mailing)
    tokens = {purpose: token for purpose, _target, token in _tokens(how, recipient)}  # thrown away
    return _text(how, recipient, _urls(tokens, recipient), mailing, language, source).without(*tokens.values())


def _freeze(letter, how, recipient, source, tokens, now):
    series = _series(recipient, letter.mailing)
    try:
        urls = _urls(tokens, recipient)
        with transaction.atomic():  # a query that fails while rendering must not take the caller's step with it
            text = _text(how, recipient, urls, letter.mailing, letter.language, source)
        letter.message_id, letter.date_header = letters.new_message_id(), letters.date_header(now)
        letter.frozen = letters.freeze(
            text,
            to=recipient.to,
            reply_to=(series and series.reply_to) or settings.MAIL_REPLY_TO,
            message_id=letter.message_id,
            date=letter.date_header,
            language=letter.language,
            list_id=how.name,
            unsubscribe_url=urls.get(how.unsubscribe),
            calendar=recipient.calendar,
        )
    except Unwritable:
        raise
    except Exception as error:  # whatever it is, it harms this letter only
        raise Unwritable("render", type(error).__name__) from error
    kept = text.without(*tokens.values(), *recipient.secrets)
    letter.subject, letter.kept, letter.kept_html = kept.subject, kept.body, kept.html
    letter.body_sha256 = hashlib.sha256(letter.frozen).hexdigest()


def _words(how, recipient, mailing):
    """(language, texts.Source or None): the person's language if we have all words of this mail in it, else English.

    What staff wrote for the series outranks the file. Half a letter in each language is never sent.
    """
    for language in (languages.spoken(recipient.language), languages.SOURCE):
        source = texts.source_for(mailing, language) if mailing else None
        if source or not letters.untranslated(how.template, language):
            break
    return language, source


def _text(how, recipient, urls, mailing, language, source):
    context = {
        "series": _series(recipient, mailing),
        "mailing": mailing,
        "link": urls.get(how.link),
        "unsubscribe_link": urls.get(how.unsubscribe),
        "public_url": settings.PUBLIC_URL,
        **recipient.context,
    }
    if source:
        text = texts.render(source, context, languages.tag(language)).signed(letters.footer(context, language))
    else:
        text = letters.render(how.template, context, language)
    return text.typeset(language)


def _urls(tokens, recipient):
    """The personal links by purpose. They lead to pages in the person's language, whatever the letter's is."""
    return {purpose: links.url(purpose, token, recipient.language) for purpose, token in tokens.items()}


def _series(recipient, mailing):
    return recipient.context.get("series") or (mailing.series if mailing else None)


def _tokens(how, recipient):
    """(purpose, target, token) for each personal link that the letter will carry."""
    targets = [
        (how.link, recipient.link_target or recipient.id),
        (how.unsubscribe, recipient.unsubscribe_target or recipient.id),
    ]
    return [(purpose, target, links.new_token()) for purpose, target in targets if purpose]
