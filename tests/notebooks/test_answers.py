"""Every exercise accepts right answers of several kinds and stops the wrong ones that people give."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from notebooks.build import read_source
from tests.notebooks.chapters import SAMPLE, SOURCES, coded_exercises, run_exercise

ANSWERS = Path(__file__).parent / "answers"


class Answer(NamedTuple):
    """One answer from a file of answers."""

    is_right: bool
    about: str  # how it goes about it, or the misconception
    words: str  # what the message that stops a wrong one must hold
    code: str


def read_answers(text: str) -> list[Answer]:
    """The answers of a file: blocks headed `# %% right: about` or `# %% wrong: about | words`."""
    blocks = re.split(r"^# %% ", text, flags=re.MULTILINE)
    if blocks[0].strip():
        raise ValueError(f"what stands before the first # %% is no answer: {blocks[0].strip()[:60]!r}")
    return [_read_block(block) for block in blocks[1:]]


def _read_block(block: str) -> Answer:
    heading, _, code = block.partition("\n")
    if right := re.fullmatch(r"right: ([^|]+)", heading.strip()):
        return Answer(True, right[1], "", code.strip())
    if wrong := re.fullmatch(r"wrong: ([^|]+) \| ([^|]+)", heading.strip()):
        return Answer(False, wrong[1], wrong[2], code.strip())
    raise ValueError(f"'# %% {heading}' is neither '# %% right: about' nor '# %% wrong: about | words'.")


def fault(notebook, exercise: str, answer: Answer) -> str | None:
    """What is wrong with how the exercise's tests take this answer; None if they take it as they should."""
    try:
        run_exercise(notebook, exercise, answer.code)
    except AssertionError as error:
        if answer.is_right:
            return f"the right answer was stopped: {error}"
        if answer.words.lower() not in str(error).lower():
            return f"the message does not hold {answer.words!r}: {error}"
        return None
    except Exception as error:
        return f"{type(error).__name__} instead of an AssertionError: {error}"
    return None if answer.is_right else "the wrong answer passed every test"


EXERCISES = [
    pytest.param(source, exercise.name, id=f"{source.stem}-{exercise.name}")
    for source in SOURCES
    for exercise in coded_exercises(read_source(source))
]


def answers_file(source: Path, name: str) -> Path:
    """Where the answers to an exercise stand."""
    return ANSWERS / source.stem / f"{name}.py"


def _cases():
    for source, name in (exercise.values for exercise in EXERCISES):
        path = answers_file(source, name)
        for i, answer in enumerate(read_answers(path.read_text(encoding="utf-8")) if path.exists() else []):
            kind = "right" if answer.is_right else "wrong"
            yield pytest.param(source, name, answer, id=f"{source.stem}-{name}-{kind}-{i}")


@pytest.mark.parametrize(("source", "name"), EXERCISES)
def test_a_solved_exercise_passes_its_tests_quietly(source, name, capsys):
    run_exercise(read_source(source), name)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("source", "name", "answer"), list(_cases()))
def test_right_answers_pass_and_wrong_ones_are_told_why(source, name, answer):
    problem = fault(read_source(source), name, answer)
    assert problem is None, f"{answer.about}: {problem}"


@pytest.mark.parametrize(("source", "name"), EXERCISES)
def test_every_exercise_ships_two_right_answers_and_three_wrong_ones(source, name):
    path = answers_file(source, name)
    assert path.exists(), f"answers/{path.parent.name}/{path.name} is missing"
    answers = read_answers(path.read_text(encoding="utf-8"))
    assert sum(a.is_right for a in answers) >= 2
    assert sum(not a.is_right for a in answers) >= 3
    assert len({a.code for a in answers}) == len(answers), "two answers are the same"


def test_every_file_of_answers_has_its_exercise():
    strays = set(ANSWERS.glob("*/*.py")) - {answers_file(*exercise.values) for exercise in EXERCISES}
    assert not strays, f"no exercise is called so: {sorted(f'{p.parent.name}/{p.name}' for p in strays)}"


RIGHT = "def enough(spread, goal):\n    return int(np.ceil((1.96 * spread / goal) ** 2))"
WRONG = "def enough(spread, goal):\n    return 3"
CRASH = "def enough(goal):\n    return 3"


@pytest.mark.parametrize(
    ("answer", "phrase"),
    [
        (Answer(True, "", "", WRONG), "the right answer was stopped"),
        (Answer(False, "", "x", RIGHT), "the wrong answer passed"),
        (Answer(False, "", "no such word", WRONG), "does not hold"),
        (Answer(False, "", "square", CRASH), "TypeError instead of an AssertionError"),
    ],
)
def test_an_answer_taken_the_wrong_way_is_noticed(answer, phrase):
    assert phrase in fault(read_source(SAMPLE), "enough", answer)


@pytest.mark.parametrize("text", ["x = 1\n# %% right: a\n", "# %% maybe: a\n", "# %% wrong: no words\n"])
def test_a_malformed_file_of_answers_is_refused(text):
    with pytest.raises(ValueError, match="# %%"):
        read_answers(text)
