"""A rehearsal in a terminal: each mailing when it goes, what is wrong with it, and what would not go. Room: mail."""

from presessions.mail.rehearsal import problems
from presessions.mail.rehearsal.problems import counted, named
from presessions.upr.dates import GENEVA, day_in_words, in_words

AS_IF = "As if nobody did anything until the end: nobody answers or applies, and what is held stays held."


def head(rehearsal):
    yield f"{rehearsal.series}, from {in_words(rehearsal.now)} on. No letter leaves this machine."
    yield AS_IF


def of(going):
    """What went at one moment, in lines."""
    where = f", {going.where}" if going.where else ""
    yield ""
    yield f"{in_words(going.at)}   {going.label}{_step(going)}{where}"
    if going.number:
        spread = ", ".join(f"{named(code)} {number}" for code, number in going.languages.most_common())
        yield f"    {counted(going.number, 'letter')}: {spread}"
        subject = going.letters().order_by("pk").values_list("subject", flat=True).first()
        yield f"    “{subject}”"
    if going.until:
        yield f"    the last leaves about {going.until.astimezone(GENEVA):%H:%M}: large domains get few at a time"
    for problem in going.problems:
        yield f"    ! {problem}"


def tail(rehearsal):
    """What did not go, and the sum."""
    staying = [(mailing, words) for mailing in rehearsal.left() if (words := problems.of_what_stays(mailing))]
    if staying:
        yield ""
        yield "Would not go by itself:"
        for mailing, words in staying:
            yield f"    {mailing}: {words}"
    if rehearsal.empty:
        yield ""
        yield "Would go to nobody, as things stand:"
        for words, hours in sorted(empty(rehearsal).items()):
            yield f"    {words}: {hours}"
    if rehearsal.stopped:
        yield ""
        yield "! All mail is stopped at this moment: none of this goes until it is started."
    yield ""
    letters, troubles = sum(one.number for one in rehearsal.gone), sum(len(one.problems) for one in rehearsal.gone)
    yield f"{counted(letters, 'letter')} in all, {counted(troubles, 'problem')}."


def empty(rehearsal):
    """{what would go to nobody: the days on which its hour comes}, the meetings of a series together."""
    found = {}
    for mailing in rehearsal.empty:
        words = f"{mailing.label} ({mailing.step})" if mailing.step else mailing.label
        days = found.setdefault(words, [])
        if (day := day_in_words(mailing.due_at.astimezone(GENEVA))) not in days:
            days.append(day)
    return {words: ", ".join(days) for words, days in found.items()}


def _step(going):
    return f" ({going.mailing.step})" if going.mailing and going.mailing.step else ""
