"""Emotion manipulation with latent diffusion (Pikoulis, Filntisis and Maragos 2023)."""
