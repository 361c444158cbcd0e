"""Which of the recommendations that were made may take up one that was proposed. Room: applications; pure."""

from collections import defaultdict
from math import log

from presessions.upr.names import fold


class Likeness:
    """Finds the made recommendations that may take up a proposed one: by words that few of them share, whatever the
    language, and by theme. It only suggests; staff decide."""

    LEAST, MOST = 2.0, 3
    OF_THEME = 1.5

    def __init__(self, made):
        self.made = [(row, _stems(row.text)) for row in made]
        often = defaultdict(int)
        for _row, stems in self.made:
            for stem in stems:
                often[stem] += 1
        self.weight = {stem: log(1 + len(self.made) / number) for stem, number in often.items()}

    def suggest(self, text, themes=(), but=()):
        """At most three of them, the likeliest first. but -- keys of those that are joined already"""
        stems, scored = _stems(text), []
        for row, others in self.made:
            shared = stems & others
            score = sum(self.weight[stem] for stem in shared) / (1 + 0.05 * len(others))
            if score and row.theme_id in themes:
                score += self.OF_THEME
            if score >= self.LEAST and row.pk not in but:
                scored.append((-score, row.pk, row))
        return [row for _score, _pk, row in sorted(scored)[: self.MOST]]


def _stems(text):
    """Beginnings of its longer words: "ratifying" and "ratification" are alike."""
    return {word[:5] for word in fold(text).split() if len(word) >= 4}
