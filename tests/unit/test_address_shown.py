"""Where a long address may be broken on a narrow page."""

import pytest

from migration.templatetags.addresses import breakable


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("anna@demo.example", "anna@demo.example"),
        ("anna.gruber-von-steyr@demo.example", "anna.<wbr>gruber-von-steyr<wbr>@demo.<wbr>example"),
        ("buchhaltung+rechnungen@demo.example", "buchhaltung+<wbr>rechnungen<wbr>@demo.<wbr>example"),
        ("x" * 40, "x" * 40),
        ("", ""),
        (
            "<b>.o'neill.sehr.langer.name@demo.example",
            "&lt;b&gt;.<wbr>o&#x27;neill.<wbr>sehr.<wbr>langer.<wbr>name<wbr>@demo.<wbr>example",
        ),
    ],
)
def test_a_long_address_breaks_behind_its_dots_and_before_its_at(address: str, shown: str) -> None:
    assert breakable(address) == shown
