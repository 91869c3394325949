"""Folding changes what a page costs, never what it says."""

import pytest
from django.template import Context, Engine, Template
from django.utils import translation
from django.utils.safestring import mark_safe

from portal.folding import REMEMBERED, ConstantNode, Loader, SameForNode, fold

PAGE = """{% load i18n static %}<h1>{% translate "Sign in" %}</h1>
<a href="{% url 'accounts:sign_in' %}">{% blocktranslate trimmed %}Sign out{% endblocktranslate %}</a>
{% if name %}<p>{% translate "Password" %} {{ name }}</p>{% elif other %}<p>{% translate "Back" %}</p>{% endif %}
{% for one in names %}<li>{% translate "New" %}</li>{% empty %}<li>{% translate "Old" %}</li>{% endfor %}"""


def folded(source: str) -> Template:
    template = Template(source)
    fold(template.nodelist)
    return template


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("context", [{}, {"name": "<Anna>"}, {"other": 1, "names": "ab"}], ids=["none", "name", "more"])
def test_a_folded_page_reads_as_before(language: str, context: dict[str, object]) -> None:
    plain, template = Template(PAGE), folded(PAGE)

    with translation.override(language):
        first, second = template.render(Context(context)), template.render(Context(context))
        expected = plain.render(Context(context))

    assert first == second == expected


def test_each_language_keeps_its_own_text() -> None:
    template = folded('{% load i18n %}<b>{% translate "Sign in" %}</b>')

    texts = []
    for language in ("de", "en", "de"):
        with translation.override(language):
            texts.append(template.render(Context()))

    assert texts == ["<b>Anmelden</b>", "<b>Sign in</b>", "<b>Anmelden</b>"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ name }}",
        "{% translate name %}",
        '{% translate "Sign in" as name %}{{ name }}',
        '{% translate "may"|upper %}',
        "{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}",
        "{% blocktranslate count number=2 %}one{% plural %}more{% endblocktranslate %}",
        "{% url name %}",
        "{% url 'accounts:link' locator=name %}",
        "{% static name %}",
        "{% csrf_token %}",
        "{% now 'Y' %}",
    ],
)
def test_what_looks_at_the_context_is_left_alone(source: str) -> None:
    template = folded("{% load i18n static %}" + source)

    assert not template.nodelist.get_nodes_by_type(ConstantNode)


def test_no_visitor_gets_the_text_of_another() -> None:
    template = folded('{% load i18n %}<b>{% translate "Sign in" %}</b> {{ name }}')

    first, second = template.render(Context({"name": "anna"})), template.render(Context({"name": "berta"}))

    assert first.endswith("anna")
    assert second.endswith("berta")
    assert "anna" not in second


def test_pages_of_the_portal_are_folded() -> None:
    engine = Engine.get_default()

    template = engine.get_template("accounts/password.html")

    assert isinstance(engine.template_loaders[0], Loader)
    assert template.nodelist.get_nodes_by_type(ConstantNode)


def test_what_is_the_same_for_a_value_is_rendered_once_for_it() -> None:
    template = Template("{% same_for step %}{{ step }}{{ seen.pop }}{% endsame_for %}")
    seen = [3, 2, 1]

    texts = [template.render(Context({"step": step, "seen": seen})) for step in ("a", "a", "b", "a")]

    assert texts == ["a1", "a1", "b2", "a1"]
    assert seen == [3]


def test_safe_text_and_text_that_must_be_escaped_are_not_taken_for_each_other() -> None:
    template = Template("{% same_for name %}{{ name }}{% endsame_for %}")

    texts = [template.render(Context({"name": name})) for name in ("<b>", mark_safe("<b>"), "<b>")]

    assert texts == ["&lt;b&gt;", "<b>", "&lt;b&gt;"]


def test_what_is_the_same_for_a_value_is_kept_per_language() -> None:
    template = Template('{% load i18n %}{% same_for step %}{% translate "Sign in" %}{% endsame_for %}')

    texts = []
    for language in ("de", "en", "de"):
        with translation.override(language):
            texts.append(template.render(Context({"step": 1})))

    assert texts == ["Anmelden", "Sign in", "Anmelden"]


def test_a_place_forgets_when_it_has_seen_too_many_values() -> None:
    template = Template("{% same_for step %}{{ step }}{% endsame_for %}")

    texts = [template.render(Context({"step": step})) for step in range(3 * REMEMBERED)]

    assert texts == [str(step) for step in range(3 * REMEMBERED)]
    place = template.nodelist[0]
    assert isinstance(place, SameForNode)
    assert len(place.rendered) <= REMEMBERED
