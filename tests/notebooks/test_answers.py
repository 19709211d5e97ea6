"""Every exercise accepts right answers of several kinds and stops the wrong ones that people give."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from reference.grade.exercises import coded
from tests.notebooks.chapters import NAMES, SOURCES, read
from tests.notebooks.desk import Desk

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


def fault(desk: Desk, answer: Answer) -> str | None:
    """What is wrong with how the exercise's tests take this answer; None if they take it as they should."""
    try:
        desk.try_answer(answer.code)
    except AssertionError as error:
        if answer.is_right:
            return f"the right answer was stopped: {error}"
        if answer.words.lower() not in str(error).lower():
            return f"the message does not hold {answer.words!r}: {error}"
        return None
    except Exception as error:
        return f"{type(error).__name__} instead of an AssertionError: {error}"
    return None if answer.is_right else "the wrong answer passed every test"


SOURCE_OF = {source.stem: source for source in SOURCES}
EXERCISES = sorted((path.parent.name, path.stem) for path in ANSWERS.glob("*/*.py"))  # nothing is read for it
every_exercise = pytest.mark.parametrize(("chapter", "name"), EXERCISES, ids=map("-".join, EXERCISES))


@cache
def desk(chapter: str, name: str) -> Desk:
    """The desk of an exercise, laid once."""
    return Desk(read(SOURCE_OF[chapter]), name)


def answers(chapter: str, name: str) -> list[Answer]:
    """The answers that an exercise ships."""
    return read_answers((ANSWERS / chapter / f"{name}.py").read_text(encoding="utf-8"))


@every_exercise
def test_a_solved_exercise_passes_its_tests_quietly(chapter, name, capsys):
    desk(chapter, name).try_answer()
    assert capsys.readouterr().err == ""


@every_exercise
def test_right_answers_pass_and_wrong_ones_are_told_why(chapter, name):
    problems = [(answer.about, fault(desk(chapter, name), answer)) for answer in answers(chapter, name)]
    assert [f"{about}: {problem}" for about, problem in problems if problem] == []


@every_exercise
def test_every_exercise_ships_two_right_answers_and_three_wrong_ones(chapter, name):
    found = answers(chapter, name)
    assert sum(answer.is_right for answer in found) >= 2
    assert sum(not answer.is_right for answer in found) >= 3
    assert len({answer.code for answer in found}) == len(found), "two answers are the same"


@pytest.mark.parametrize("chapter", NAMES)
def test_every_exercise_in_code_has_its_file_of_answers_and_every_file_its_exercise(chapter):
    files = {name for stem, name in EXERCISES if stem == chapter}
    assert files == {exercise.name for exercise in coded(read(SOURCE_OF[chapter]))}


def test_every_folder_of_answers_has_its_chapter():
    assert {chapter for chapter, _ in EXERCISES} <= set(NAMES)


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
    assert phrase in fault(desk("00_sample", "enough"), answer)


@pytest.mark.parametrize("text", ["x = 1\n# %% right: a\n", "# %% maybe: a\n", "# %% wrong: no words\n"])
def test_a_malformed_file_of_answers_is_refused(text):
    with pytest.raises(ValueError, match="# %%"):
        read_answers(text)
