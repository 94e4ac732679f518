"""Is a network lazy? Its kernel, the loss curve that the kernel forecasts, and what training really does."""

from ntk_teach.diagnosis.measure import diagnose as diagnose
from ntk_teach.diagnosis.report import Diagnosis as Diagnosis

__all__ = ["diagnose", "Diagnosis"]
