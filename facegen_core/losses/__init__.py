"""Losses that two papers share."""
