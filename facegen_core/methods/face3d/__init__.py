"""3DFaceCAM: Taherkhani et al., "Controllable 3D Generative Adversarial Face Model via Disentangling Shape and
Appearance", WACV 2023 (arXiv 2208.14263). ``[P]`` marks a number of the paper, ``[C]`` one of the released code
(aashishrai3799/3DFaceCAM at 7c90873).
"""
