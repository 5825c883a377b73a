"""Callbacks of a run. Their order in the Trainer's list matters: see ``experiments/trainer.py``."""
