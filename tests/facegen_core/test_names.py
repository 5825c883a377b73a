"""Names that users type."""

import pytest

from facegen_core.errors import ConfigError
from facegen_core.names import find_name

KNOWN = ["neutral", "smile", "jaw_left", "AU06", "AU12"]


@pytest.mark.parametrize(
    ("typed", "place"), [("smile", 1), ("Smile", 1), ("jaw-left", 2), ("AU6", 3), ("au06", 3), ("AU12", 4)]
)
def test_case_and_leading_zeros_do_not_matter(typed, place):
    assert find_name(typed, KNOWN) == place


@pytest.mark.parametrize(("typed", "nearest"), [("smil", "smile"), ("neutrl", "neutral"), ("AU16", "AU06, AU12")])
def test_unknown_name_gets_the_nearest(typed, nearest):
    with pytest.raises(ConfigError, match=rf"'{typed}'.*Nearest: .*{nearest}"):
        find_name(typed, KNOWN)


def test_name_like_none_gets_all():
    with pytest.raises(ConfigError, match="There are: neutral, smile, jaw_left, AU06, AU12"):
        find_name("xyzzy", KNOWN)
