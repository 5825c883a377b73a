"""Load of the machine, recorded under the keys that MLflow's System metrics tab knows.

MLflow's own monitor is not used: it speaks to the server itself, past the journal, and gives up when that is away.
"""

import os
import threading
from typing import Any

import psutil

from experiments.tracking.journal import Journal

FIRST_SECONDS = 1.0  # processor load is an average since the last look, so the first look waits a little
EVERY_SECONDS = 10.0


class SystemMonitor:
    """A thread that writes a sample into a journal every ten seconds, starting after one."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._stop = threading.Event()
        self._gpus = _gpu_handles()
        network = psutil.net_io_counters()
        self._network = (network.bytes_recv, network.bytes_sent) if network else (0, 0)
        psutil.cpu_percent()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="system-metrics")
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; nothing is written after this returns."""
        self._stop.set()
        self._thread.join()

    def _loop(self) -> None:
        step = self.journal.last_step("system/cpu_utilization_percentage")
        wait = FIRST_SECONDS
        while not self._stop.wait(wait):
            step, wait = step + 1, EVERY_SECONDS
            self.journal.metrics({f"system/{key}": value for key, value in self.sample().items()}, step)

    def sample(self) -> dict[str, float]:
        """One look at processor, memory, disk, network and GPUs; megabytes are 1e6 bytes, as MLflow's are."""
        memory, disk, network = psutil.virtual_memory(), psutil.disk_usage(os.sep), psutil.net_io_counters()
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / 1e6,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / 1e6,
            "disk_available_megabytes": disk.free / 1e6,
        }
        if network:
            values["network_receive_megabytes"] = (network.bytes_recv - self._network[0]) / 1e6
            values["network_transmit_megabytes"] = (network.bytes_sent - self._network[1]) / 1e6
        for index, handle in enumerate(self._gpus):
            values |= {f"gpu_{index}_{key}": value for key, value in _gpu_sample(handle).items()}
        return {key: round(value, 1) for key, value in values.items()}


def _gpu_handles() -> list[Any]:
    """NVML's handles; none without the ``gpu`` extra or a driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
        return [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # NVMLError, which exists only where the import succeeded, or the import's own
        return []


def _gpu_sample(handle: Any) -> dict[str, float]:
    import pynvml

    values: dict[str, float] = {}
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        values["memory_usage_percentage"] = memory.used / memory.total * 100
        values["memory_usage_megabytes"] = memory.used / 1e6
        values["utilization_percentage"] = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
        watts = pynvml.nvmlDeviceGetPowerUsage(handle) / 1000
        values["power_usage_watts"] = watts
        values["power_usage_percentage"] = watts * 1e5 / pynvml.nvmlDeviceGetEnforcedPowerLimit(handle)
    except pynvml.NVMLError:
        pass  # parts of a GPU in MIG mode report less; what there is, is kept
    return values
