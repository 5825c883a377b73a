"""``facegen dashboard``: MLflow's own pages on the runs recorded here."""

import os
import subprocess
import sys
from pathlib import Path

from facegen_core.errors import FacegenError
from facegen_core.progress import say


def dashboard(outputs: Path, port: int) -> None:
    """Delivers what still waits on disk, then serves MLflow until Ctrl-C.

    Args:
        outputs: the folder that holds ``mlflow.db`` and the runs.
        port: on this machine only.

    Raises:
        FacegenError: nothing was recorded there.
    """
    from experiments.tracking.deliver import deliver_waiting

    database = (outputs / "mlflow.db").resolve()
    uri = f"sqlite:///{database}"
    deliver_waiting(outputs, uri)
    if not database.is_file():
        raise FacegenError(f"{database}: no runs recorded here yet. Begin with make demo, or facegen train.")
    say(f"dashboard: http://127.0.0.1:{port} (Ctrl-C ends it)")
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
               "--backend-store-uri", uri, "--workers", "1",
               "--artifacts-destination", str(database.parent / "mlartifacts")]  # fmt: skip
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    try:
        code = subprocess.run(command, env=os.environ | quiet, check=False).returncode
    except KeyboardInterrupt:
        return
    if code:
        raise FacegenError(f"MLflow's server ended with code {code}; is port {port} taken? Choose another with --port.")
