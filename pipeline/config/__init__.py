"""The config: one YAML file, with units in its names; a wrong one says where it is wrong and what to do."""

from pipeline.config.loading import cautions, fingerprint, load
from pipeline.config.models import (
    LOCAL,
    Config,
    KafkaConfig,
    LogConfig,
    ObserveConfig,
    ShutdownConfig,
    TopicsConfig,
    hosts,
)
from pipeline.config.problems import ConfigProblem, Problem
from pipeline.config.shared import shared_of, with_shared

__all__ = [
    "LOCAL",
    "Config",
    "ConfigProblem",
    "KafkaConfig",
    "LogConfig",
    "ObserveConfig",
    "Problem",
    "ShutdownConfig",
    "TopicsConfig",
    "cautions",
    "fingerprint",
    "hosts",
    "load",
    "shared_of",
    "with_shared",
]
