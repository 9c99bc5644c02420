"""Runs a notebook as it is checked in against another warehouse, in a kernel of its own.

`python -m tests.notebook_run HOME 1 2 3` runs these against the stack under HOME and writes their outputs into their files.
"""

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CELL_SECONDS = 100


def run(name: str, home: Path, *more: str) -> Any:
    """The notebook whose name begins so, executed; `more` are cells behind its own.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path_of(name), 4)
    notebook.cells += [new_code_cell(source) for source in more]
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,  # outputs that did not change leave the file as it was
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        extra_arguments=["--HistoryManager.enabled=False"],
    )
    client.execute(env={**os.environ, "RECOUP_HOME": str(home), "PYTHONPATH": str(NOTEBOOKS.parent)})
    return notebook


def path_of(name: str) -> Path:
    """The file of the notebook whose name begins so."""
    (path,) = NOTEBOOKS.glob(f"{name}*.ipynb")
    return path


def answer_of(notebook: Any) -> str:
    """What it says in the end."""
    (cell,) = [cell for cell in notebook.cells if "answer" in cell.metadata.get("tags", [])]
    return " ".join(output.data["text/markdown"] for output in cell.outputs if "data" in output)


def main(home: str, *names: str) -> None:
    """Write outputs."""
    for name in names:
        notebook = run(name, Path(home).absolute())
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, path_of(name))
        print(f"{path_of(name).name}: {answer_of(notebook)}\n")  # noqa: T201 - its answer is what a person looks for


if __name__ == "__main__":
    main(*sys.argv[1:])
