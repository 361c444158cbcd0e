"""What the demonstration tells of its earlier series could be so."""

from presessions import demo_past, demo_people


def test_no_state_recommends_anything_in_its_own_review():
    makers = {code for _text, _theme, makers, *_rest in demo_past.MADE for code in makers.split()}
    assert makers and not makers & set(demo_past.STATES)


def test_each_recommendation_is_joined_to_the_one_proposal_it_is_about():
    proposed = [(facts[3].split(), facts[-1]) for facts in demo_people.ORGANISATIONS.values()]
    for _text, theme, _makers, _response, extent, beginning in demo_past.MADE:
        themes = [themes for themes, text in proposed if beginning and text.startswith(beginning)]
        assert bool(extent) == bool(beginning)
        assert len(themes) == bool(beginning) and all(theme in of_one for of_one in themes)
