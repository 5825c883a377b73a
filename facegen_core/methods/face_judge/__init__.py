"""The embedded judges: small networks that read identity and emotion off a face, trained on embedded people alone."""
