"""The README's example, run as it stands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_rest_example_of_the_readme_works(server: str) -> None:
    example = next(
        block for block in re.findall(r"```sh\n(.*?)```", README.read_text(), re.S) if "curl" in block
    )
    script = "set -euo pipefail\n" + example.replace("http://127.0.0.1:8000", server).replace(
        " $id", " ${id:?}"
    )
    cleanup = '\ncurl -sf -X DELETE $sessions/$id -H "Authorization: Bearer $key"\n'
    told = subprocess.run(["bash", "-c", script + cleanup], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr + told.stdout
    answers = told.stdout
    assert '"train_loss"' in answers
    assert '"sgd"' in answers
    assert json.JSONDecoder().raw_decode(answers)[0]["step"] == 50 * 25
