"""Kafka's own command line tools, for tests that want another's word; the local broker does not need them."""

import os
from pathlib import Path
from unittest.mock import patch

from pipeline.kafka.local import cache_directory, distribution
from pipeline.kafka.local.progress import Silent

JAR = distribution.Jar(
    "62f3c5dd7aa3442d4c5bc6a95f86e2502178ea09de8e27f74d9563bf955e253c",
    "org/apache/kafka/kafka-tools/4.3.1/kafka-tools-4.3.1.jar",
)


def command(tool: str) -> list[str]:
    """Give the command that runs a tool, by the name of its Java class."""
    jars = (*distribution.pinned(), JAR)
    with patch.object(distribution, "pinned", lambda: jars):
        classes = distribution.class_path(cache_directory(os.environ, Path.home()), Silent())
    executable, _ = distribution.java()
    return [str(executable), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes, tool]
