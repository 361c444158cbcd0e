"""The people of the storm: who they are and where they live. Imports nothing, so that room, weather and sink agree."""

GONE = 12  # the last ones live at a domain that knows nobody any more
NOBODY = "gone.example"
LARGE = "large.example"  # half of all: a domain that must be paced, and must not keep the others waiting
SMALL = ("one.example", "two.example", "three.example")


def address(number, people):
    """The address of one person, the first of whom is 0, among so many people."""
    if number >= people - GONE:
        domain = NOBODY
    else:
        domain = SMALL[number // 2 % len(SMALL)] if number % 2 else LARGE
    return f"person{number}@{domain}"


def of_mailing(step, mailings, people):
    """The numbers of those whom one mailing is for. Those who are gone have one of their own, the second."""
    if step == 1:
        return range(people - GONE, people)
    return range(step - (step > 1), people - GONE, mailings - 1)
