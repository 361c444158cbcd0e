"""What every guarded step raises when it cannot be taken."""


class WrongStep(Exception):
    """A step was asked of a row that is not there yet, or past it. str() is fit to show to staff."""
