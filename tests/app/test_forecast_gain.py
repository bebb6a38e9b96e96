"""How well the combined risk does is said by the same two figures everywhere."""

import re

import pytest

from app.private import template_dir
from app.public.scores import HELD_OUT, TUNED

CHECKOUT = template_dir().parent
FIGURES = (f"{TUNED:.3f}", f"{HELD_OUT:.3f}")


def documents():
    names = ("README.md", "docs/combined-risk.md")
    return {name: " ".join((CHECKOUT / name).read_text().split()) for name in names}


@pytest.mark.parametrize("name", ["README.md", "docs/combined-risk.md"])
def test_documents_say_both_figures_and_of_which_sets(name):
    text = documents()[name]
    tuned, held_out = (text.index(figure) for figure in FIGURES)
    assert tuned < held_out
    around = text[tuned - 120 : held_out + 200]
    assert "its design was chosen on" in around
    assert "five sets held out" in around


def test_the_method_page_says_both_figures(client):
    page = client.get("/methods/").get_data(as_text=True)
    section = re.search(r'<section aria-labelledby="combined">.*?</section>', page, re.DOTALL)
    text = section.group()
    for figure in FIGURES:
        assert figure in text
    assert text.index("design was chosen on") < text.index("held out")
    assert "never significantly behind" in text


def test_no_document_says_the_figure_of_the_sets_chosen_on_alone():
    """Wherever the flattering figure stands in a table or sentence of gain, the other does too."""
    for path in [*sorted((CHECKOUT / "docs").glob("*.md")), CHECKOUT / "README.md"]:
        text = path.read_text()
        if FIGURES[0] in text:
            assert FIGURES[1] in text, path.name
