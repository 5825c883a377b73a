"""What is in a picture of an embedded person, in words."""

from facegen_core.population.appearance import Appearance

AGES = ((30, "young"), (45, ""), (60, "middle-aged"), (200, "elderly"))
EMOTION_WORDS = {
    "neutral": "with a neutral expression",
    "happy": "smiling happily",
    "sad": "looking sad",
    "surprise": "looking surprised",
    "fear": "looking scared",
    "disgust": "looking disgusted",
    "anger": "looking angry",
    "contempt": "with a contemptuous look",
}


def noun(look: Appearance) -> str:
    """Man or woman."""
    return "woman" if look.female > 0.5 else "man"


def caption(look: Appearance, emotion: str, hair: str, clothes: str, place: str) -> str:
    """One sentence.

    Args:
        look: the person's.
        emotion: one of the eight.
        hair: such as "short black hair"; empty to leave it out.
        clothes: such as "a blue shirt".
        place: such as "at the Dead Sea"; empty for a plain backdrop.
    """
    age = next(word for limit, word in AGES if look.years < limit)
    person = " ".join(filter(None, [_article(age or noun(look)), age, noun(look)]))
    beard = " and a beard" if look.chin_beard > 0.5 else ""
    parts = [f"{person} with {hair}{beard}" if hair else person, EMOTION_WORDS[emotion], f"wearing {clothes}", place]
    return ", ".join(filter(None, parts))


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
