"""AffectNet's labels: 0 to 7 are the emotions; 8, 9 and 10 are dropped, and counted by name."""

from datamodules.prepare.report import Tally
from facegen_core.emotions import EMOTIONS

DROPPED = {8: "labelled none, dropped", 9: "labelled uncertain, dropped", 10: "labelled no face, dropped"}
BAD_LABEL = "label that cannot be read"


def read_emotion(text: str, place: str, tally: Tally) -> int | None:
    """The emotion that a label stands for; none if it stands for none, which is then counted.

    Args:
        text: as written: "3", or "3.0" where a table was saved by other programs.
        place: of the label, for messages.
        tally: counts what is dropped.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if number in DROPPED:
        tally.note(DROPPED[int(number)], place)
    elif number in range(len(EMOTIONS)):
        return int(number)
    else:
        tally.bad(BAD_LABEL, place)
    return None
