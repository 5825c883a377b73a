"""What is in a picture of an embedded person, in words."""

from facegen_core.emotions import EMOTIONS
from facegen_core.population.appearance import Appearance
from facegen_core.population.identity import Person
from facegen_core.population.portrait.facial_hair import STUBBLE
from facegen_core.population.portrait.hairstyle import draw_hairstyle
from facegen_core.population.portrait.outfits import draw_outfit
from facegen_core.population.portrait.scenery import SCENES
from facegen_core.population.portrait.shot import Shot
from facegen_core.population.portrait.wardrobe import CAPTIONS, HIDES_HAIR
from facegen_core.population.wording import with_article

AGES = ((30, "young"), (45, ""), (60, "middle-aged"), (200, "elderly"))
"""What people younger than so many years are called."""
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


def caption(person: Person, shot: Shot, emotion: int) -> str:
    """What is in a picture, such as "a young man with short hair, smiling happily, ..., at the Dead Sea".

    Args:
        person: who.
        shot: how.
        emotion: 0 to 7, which of :data:`~facegen_core.emotions.EMOTIONS` the shot's action units show.
    """
    look = person.identity.appearance
    age = next(word for limit, word in AGES if look.years < limit)
    hair = [] if HIDES_HAIR[shot.costume] == "all" else [draw_hairstyle(person.seed, person.number, look).words]
    beard = ["a beard"] if look.chin_beard > STUBBLE else []
    worn = " and ".join(hair + beard)
    who = with_article(" ".join(filter(None, [age, noun(look)]))) + (f" with {worn}" if worn else "")
    everyday = draw_outfit(shot.outfit_seed, female=look.female > 0.5).words
    clothes = everyday if shot.costume == "normal" else with_article(CAPTIONS[shot.costume])
    place = SCENES[shot.scene].caption if shot.scene else ""
    return ", ".join(filter(None, [who, EMOTION_WORDS[EMOTIONS[emotion]], f"wearing {clothes}", place]))
