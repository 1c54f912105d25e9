"""Brokers' certificates for the tests, made by the keytool that comes with the local broker's Java."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pipeline.kafka.local import distribution

PASSWORD: Final = "for-tests-alone"

OURS: Final = ("-ext", "san=ip:127.0.0.1,dns:localhost")
CERTIFICATES: Final = {
    "good": OURS,
    "expired": (*OURS, "-startdate", "-40d", "-validity", "10"),
    "elsewhere": ("-ext", "san=dns:kafka.example.org"),
}
"""By name; each has signed itself, so that it is its own authority."""


def make(folder: Path) -> dict[str, Path]:
    """Make a store with a key and a certificate for each name."""
    stores = {name: folder / f"{name}.p12" for name in CERTIFICATES}
    with ThreadPoolExecutor() as pool:
        list(pool.map(_keytool, stores, stores.values()))
    return stores


def _keytool(name: str, store: Path) -> None:
    java, _ = distribution.java()
    command = [str(java.parent / "keytool"), "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"]
    command += [
        "-genkeypair",
        "-alias",
        name,
        "-keyalg",
        "EC",
        "-groupname",
        "secp256r1",
        "-dname",
        f"CN={name}",
    ]
    command += ["-storetype", "PKCS12", "-keystore", str(store), "-storepass", PASSWORD, *CERTIFICATES[name]]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
