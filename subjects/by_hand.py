"""Runs what the packages do beside all contracts, and holds it to what their findings.toml says that it prints.

    subjects/.venv/bin/python subjects/by_hand.py

Each piece of code has a fresh interpreter. Where one prints something else, the script says so and ends with 1.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

STUB = {"torchvision/__init__.py": "", "torchvision/transforms.py": "class GaussianBlur: ..."}
"""What ptychi imports and none of this uses."""


def printed(code, path):
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def main():
    differing = 0
    with tempfile.TemporaryDirectory() as stubs:
        for name, text in STUB.items():
            (Path(stubs) / name).parent.mkdir(exist_ok=True)
            (Path(stubs) / name).write_text(text)
        for file in sorted(Path(__file__).parent.glob("*/findings.toml")):
            for one in tomllib.loads(file.read_text(encoding="utf-8")).get("by_hand", ()):
                got = printed(one["code"], stubs)
                if got != one["prints"].strip():
                    differing += 1
                    said = f"{file}: '{one['title']}': expected {one['prints'].strip()!r}, got {got!r}"
                    sys.stderr.write(f"{said}\n")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
