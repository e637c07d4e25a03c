"""The reference page of the Python API is that of the code."""

import python_api


def test_the_page_is_up_to_date():
    """If this fails: `make docs`"""
    assert python_api.PAGE.read_text(encoding="utf-8") == python_api.page()


def test_the_page_has_every_name():
    assert not python_api.left_out()
