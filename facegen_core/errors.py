"""Errors a user can mend. The command line prints their message alone and exits with code 2."""


class FacegenError(Exception):
    """Base of all errors whose message says what is wrong, where, and what to do about it."""


class ConfigError(FacegenError):
    """A configuration file or a ``key=value`` override that cannot be used."""


class DatasetNotFoundError(FacegenError):
    """A data set that is missing, or is not laid out as its owners hand it out."""


class BadSampleError(FacegenError):
    """One sample that cannot be read: truncated, not finite, or of another size than the rest."""


class CheckpointError(FacegenError):
    """A checkpoint that is missing, truncated, altered or made for another network."""


class WeightsNotFoundError(FacegenError):
    """Pretrained weights that are not where they were looked for."""


class NonFiniteLossError(FacegenError):
    """A training step whose loss is NaN or infinite."""


class NoFaceError(FacegenError):
    """A picture in which no face was found, where one is needed."""
