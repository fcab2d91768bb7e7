"""The only writer of golden files: `make golden`. Read the difference before committing it."""

import shutil
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "components")]

from golden import comments, exports  # noqa: E402 - a script; the tests find the folder through pytest
from golden.cases import FOLDER, cases  # noqa: E402


def main() -> None:
    """Write the golden files of plans, comments and exports."""
    write(FOLDER, {path: text for case in cases() for path, text in case.files().items()})
    write(comments.FOLDER, comments.files())
    write(exports.FOLDER, exports.files())


def write(folder: Path, files: dict[str, str]) -> None:
    """Replace `folder` whole, so that files of what is gone go too."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    sys.stdout.write(f"Wrote {len(files)} golden files. Read the difference: git diff --stat {folder.name}\n")


if __name__ == "__main__":
    main()
