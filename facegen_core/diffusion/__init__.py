"""Diffusion as three papers share it: schedules, grids of times, guidance and the deterministic sampler."""
