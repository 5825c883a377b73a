"""Places behind portraits, painted: every place word of the papers' prompts, plain places, and studio backdrops.

``places`` is a table: one entry a place, which says what is painted there from back to front. What can be painted is in
``sky``, ``land``, ``plants``, ``buildings``, ``towns``, ``bridges``, ``structures``, ``rooms``, ``halls``, ``people``.
"""

from facegen_core.population.portrait.scenery.backdrops import paint_backdrop
from facegen_core.population.portrait.scenery.scene import PlaceLight, Scene
from facegen_core.population.portrait.scenery.scenes import SCENES, find_scene, paint_scene

__all__ = ["SCENES", "PlaceLight", "Scene", "find_scene", "paint_backdrop", "paint_scene"]
