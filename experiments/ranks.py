"""Which of several processes this one is, before torch knows: under torchrun, SLURM, or Lightning's own launcher."""

import os


def world_size() -> int:
    """Processes that were started from outside, over all machines; 1 if Lightning is to start them."""
    if _under_slurm():
        return int(os.environ["SLURM_NTASKS"])
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Whether this is the process that writes the run's files; true before any other is started."""
    if _under_slurm():
        return os.environ.get("SLURM_PROCID", "0") == "0"
    if "RANK" in os.environ:
        return os.environ["RANK"] == "0"
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"


def _under_slurm() -> bool:
    """As Lightning decides it: an interactive shell on a node has SLURM's variables, but no srun."""
    return "SLURM_NTASKS" in os.environ and os.environ.get("SLURM_JOB_NAME") not in ("bash", "interactive")
