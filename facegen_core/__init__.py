"""Pure-torch core of facegen: networks, equations, geometry, metrics and the embedded population."""

__version__ = "0.1.0"
