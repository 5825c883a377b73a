"""The caption of a shot."""

from facegen_core.emotions import EMOTIONS
from facegen_core.population.captions import caption
from facegen_core.population.portrait.hairstyle import draw_hairstyle
from facegen_core.population.portrait.outfits import draw_outfit
from facegen_core.population.portrait.scenery import SCENES
from facegen_core.population.portrait.shot import Shot
from facegen_core.population.portrait.wardrobe import CAPTIONS
from facegen_core.population.writing import Person


def words(person: Person, shot: Shot, emotion: int) -> str:
    """What is in a picture, such as "a young man with short hair, smiling happily, ..., at the Dead Sea"."""
    look = person.identity.appearance
    hair = draw_hairstyle(person.seed, person.number, look).words
    place = SCENES[shot.scene].caption if shot.scene else ""
    everyday = draw_outfit(shot.outfit_seed, female=look.female > 0.5).words
    clothes = everyday if shot.costume == "normal" else f"a {CAPTIONS[shot.costume]}"
    return caption(look, EMOTIONS[emotion], hair, clothes, place)
