"""The Khronos glTF validator, where Node.js and the package are there."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_SCRIPT = (
    "const v = require('gltf-validator'), fs = require('fs');"
    "v.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))"
    ".then(report => console.log(JSON.stringify(report)));"
)
_HINT = 3


def khronos_report(path: Path) -> dict[str, Any]:
    """What the validator says of a ``.glb`` file; without it the test is skipped."""
    node = shutil.which("node")
    if node is None or subprocess.run([node, "-e", "require('gltf-validator')"], capture_output=True).returncode:
        pytest.skip("no Khronos validator: npm install gltf-validator, and name its node_modules in NODE_PATH")
    run = [node, "-e", _SCRIPT, str(path)]
    return dict(json.loads(subprocess.run(run, capture_output=True, check=True, timeout=60).stdout))


def serious(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Its errors, warnings and notes; hints are left out."""
    return [message for message in report["issues"]["messages"] if message["severity"] < _HINT]
