"""Notebooks as they are checked in: each asks a question, shows it in plots, and answers in words computed from the data."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_BYTES = 3_000_000
KNOWN = {"IPython", "matplotlib", "numpy", "pandas", "recoup"}


def test_there_are_six_and_they_are_small() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")
    assert sum(path.stat().st_size for path in NOTEBOOKS) < MOST_BYTES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_asks_answers_and_says_what_it_does_not_show(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    number = path.name[0]
    assert re.match(rf"# {number}\. .+\?\n", text[0]), "it opens with its question"
    assert text[-1].startswith("## What this does not show")
    (answer,) = [cell for cell in notebook.cells if "answer" in cell.metadata.get("tags", [])]
    said = " ".join(output.data["text/markdown"] for output in answer.outputs if "data" in output)
    assert len(said.split()) > 20
    assert len(re.findall(r"\d", said)) > 5, "it is answered from numbers"
    assert not re.search(r"\b(nan|inf|None)\b", said)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_checked_in_whole_in_order_and_each_plot_is_explained(path: Path) -> None:
    notebook = nbformat.read(path, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    plots = 0
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code" and any("image/png" in output.get("data", {}) for output in cell.outputs):
            plots += 1
            assert before.cell_type == "markdown", "a sentence before the plot says how it is read"
            assert len(before.source.split()) > 20
    assert plots >= 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_reader_needs_no_code_of_the_repository_but_the_client(path: Path) -> None:
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.ImportFrom):
                    assert (node.module or "").partition(".")[0] in KNOWN
                    assert not (node.module or "").startswith("recoup") or node.module == "recoup.warehouse"
                elif isinstance(node, ast.Import):
                    assert {name.name.partition(".")[0] for name in node.names} <= KNOWN - {"recoup"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_the_machine_that_ran_it_is_kept(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"/(home|root|tmp|Users|work)/", text)
    assert "iopub" not in text
