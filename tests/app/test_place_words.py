from app.i18n import place_words
from app.i18n.language import catalogue_path, read_catalogue
from spatial.zones import name_words

SAME = {"%(street)s"}  # in every language


def test_every_sentence_that_names_a_zone_is_in_the_catalogue():
    told = {*name_words.SENTENCES.values(), *name_words.UNITS.values()}
    told |= {word for words in name_words.WORDS.values() for word in words}
    assert set(place_words.MARKED) == told - SAME
    catalogue = read_catalogue(catalogue_path("es"))
    assert all(text in catalogue._catalog for text in place_words.MARKED)
