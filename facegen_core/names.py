"""Names a user types, found among those that are known."""

import difflib
import re
from collections.abc import Sequence

from facegen_core.errors import ConfigError

NEAREST_SHOWN = 3
NEAR_ENOUGH = 0.4


def find_name(name: str, known: Sequence[str], what: str = "expression") -> int:
    """The place of an expression's, action unit's or other thing's name among the known ones.

    Case, "-" for "_" and leading zeros of action units do not matter: "AU6" is "AU06".

    Args:
        name: as typed.
        known: all names there are.
        what: they are names of, for the message.

    Raises:
        ConfigError: no such name; the message has the nearest ones.
    """
    plain = [_plain(other) for other in known]
    if _plain(name) in plain:
        return plain.index(_plain(name))
    near = difflib.get_close_matches(_plain(name), plain, n=NEAREST_SHOWN, cutoff=NEAR_ENOUGH)
    shown = [known[plain.index(found)] for found in near] or known
    raise ConfigError(f"'{name}': no such {what}. {'Nearest' if near else 'There are'}: {', '.join(shown)}.")


def _plain(name: str) -> str:
    return re.sub(r"^au0*(?=\d)", "au", name.strip().lower().replace("-", "_"))
