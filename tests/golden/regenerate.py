"""The only writer of golden files: `make golden`. Read the difference before committing it."""

import shutil
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "components")]

from golden.cases import FOLDER, cases  # noqa: E402 - a script; the tests find the folder through pytest


def main() -> None:
    """Replace the folder of golden files whole, so that files of plans that are gone go too."""
    files = {path: text for case in cases() for path, text in case.files().items()}
    shutil.rmtree(FOLDER, ignore_errors=True)
    for path, text in files.items():
        place = FOLDER / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    sys.stdout.write(f"Wrote {len(files)} golden files. Read the difference: git diff --stat {FOLDER.name}\n")


if __name__ == "__main__":
    main()
