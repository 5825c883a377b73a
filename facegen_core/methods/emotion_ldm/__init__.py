"""EmotionLDM: Pikoulis, Filntisis and Maragos, "Photorealistic and Identity-Preserving Image-Based Emotion Manipulation
with Latent Diffusion Models", 2023 (arXiv 2308.03183). ``[P]`` marks a number of the paper, ``[A]`` one of the authors'
code (GiannisPikoulis/dsml-thesis at 01a7c402), ``[R]`` one of another repository, named beside it; ``[I]`` follows from
others, ``[?]`` is known from none of them.
"""
