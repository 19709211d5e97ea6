"""make lab serves the course: with a token, on loopback alone, in the reader's own folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from notebooks import lab as program

ROOT = Path(__file__).parent.parent
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/lab/tree/my-course/START\.md\?token=\w{20,}")
CLONED = ("Makefile", "pyproject.toml", "constraints.txt", ".gitignore", ".jupyter", "notebooks")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone of what make lab needs, with everything committed."""
    if shutil.which("make") is None or shutil.which("git") is None:
        pytest.skip("there is no make, or no git, here")
    folder = tmp_path_factory.mktemp("clone")
    for name in CLONED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def git(folder, *arguments):
    """What git says."""
    who = ("-c", "user.name=Reader", "-c", "user.email=reader@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def commit(folder):
    """Everything that is there, as git pull would bring it."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "the course")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """This process's environment with a home of its own for Jupyter."""
    home = str(tmp_path_factory.mktemp("jupyter"))
    given = {**os.environ, "BROWSER": "true"}
    given |= {f"JUPYTER_{kind}_DIR": home for kind in ("CONFIG", "DATA", "RUNTIME")}
    given.pop("JUPYTER_TOKEN", None)
    return given


@pytest.fixture(scope="module")
def lab(clone, environment):
    """(address, token) of a running `make lab`, which takes this test's environment instead of making one."""
    command = ["make", "lab", f"BIN={Path(sys.executable).parent}", "READER=.git/index"]
    server = subprocess.Popen(
        command, cwd=clone, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    with server:
        lines, found = [], None
        for line in server.stdout:
            lines.append(line)
            if found := ADDRESS.search(line):
                break
        assert found, "".join(lines)
        address, token = found[0].split("/lab")[0], found[0].split("token=")[1]
        wait_for(address)
        yield address, token
        ask(f"{address}/api/shutdown", token, "POST")
        server.stdout.read()
    assert server.returncode == 0


def wait_for(address):
    """The address is printed a moment before it answers."""
    for _ in range(100):
        try:
            return ask(f"{address}/api")
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(f"{address} does not answer")


def ask(url, token="", method="GET", body=None):
    """(status, text) of an answer."""
    headers = {"Authorization": f"token {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers, method=method, data=body)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def test_the_address_it_prints_opens_a_page_that_leads_to_every_chapter(lab, clone):
    address, token = lab
    status, page = ask(f"{address}/lab/tree/my-course/START.md", token)
    assert status == 200 and "jupyter-config-data" in page
    start = json.loads(ask(f"{address}/api/contents/my-course/START.md", token)[1])["content"]
    links = re.findall(r"\]\(([^)]+\.ipynb)\)", start)
    chapters = sorted(path.name for path in (clone / "notebooks").glob("*.ipynb"))
    assert links[0] == f"read/{chapters[0]}"
    assert sorted(set(links)) == [f"{folder}/{name}" for folder in ("read", "solve") for name in chapters]
    assert all((clone / "my-course" / link).exists() for link in links)


def test_the_page_is_shown_as_a_page(lab):
    address, token = lab
    answer = ask(f"{address}/lab/api/settings/@jupyterlab/docmanager-extension:plugin", token)[1]
    shown = json.loads(answer)["schema"]["properties"]["defaultViewers"]["default"]
    assert shown == {"markdown": "Markdown Preview"}


def test_reading_and_saving_changes_no_file_of_the_course(lab, clone):
    address, token = lab
    name = "my-course/read/01_tasks_and_episodes.ipynb"
    model = json.loads(ask(f"{address}/api/contents/{name}", token)[1])
    model["content"]["cells"][0]["source"] = "my notes"
    assert ask(f"{address}/api/contents/{name}", token, "PUT", json.dumps(model).encode())[0] == 200
    assert ask(f"{address}/api/contents/{name}/checkpoints", token, "POST")[0] == 201
    assert "my notes" in (clone / name).read_text()
    assert git(clone, "status", "--porcelain") == ""


def test_nothing_is_served_without_the_token(lab):
    assert ask(f"{lab[0]}/api/contents")[0] == 403
    assert ask(f"{lab[0]}/api/contents", "guess")[0] == 403


def test_tools_for_teachers_and_news_are_off(lab):
    page = ask(f"{lab[0]}/lab", lab[1])[1]
    off = re.search(r'"disabledExtensions": (\[[^\]]*\])', page)
    assert {"@jupyter/nbgrader", "@jupyterlab/apputils-extension:announcements"} <= set(json.loads(off[1]))
    assert ask(f"{lab[0]}/formgrader/api/assignments", lab[1])[0] == 404
    assert json.loads(ask(f"{lab[0]}/api/contents/Makefile?content=0", lab[1])[1])["type"] == "file"


def opened_again(clone, environment):
    """What make lab says before JupyterLab starts; --version lets it stop there."""
    command = [sys.executable, "-m", "notebooks.lab", "--version"]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_newer_course_is_put_beside_what_the_reader_changed(clone, environment):
    opened_again(clone, environment)
    own, course = clone / "my-course", clone / "notebooks" / "02_honest_evaluation.ipynb"
    mine = own / "solve" / course.name
    mine.write_text("my solution")
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    assert "changed" not in opened_again(clone, environment)
    assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before

    course.write_text(course.read_text().replace("# Honest evaluation", "# Honest evaluation, again", 1))
    commit(clone)
    said = opened_again(clone, environment)
    assert f"my-course/solve/{course.name} is changed and kept; beside it is a new solve/02_" in said
    assert mine.read_text() == "my solution"
    assert "evaluation, again" in mine.with_stem(f"{mine.stem}-2").read_text()
    assert "evaluation, again" in (own / "read" / course.name).read_text()  # nobody had touched this one
    assert git(clone, "status", "--porcelain") == ""


def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    (tmp_path / "my-course").write_text("a file")
    monkeypatch.setattr(program, "OWN", tmp_path / "my-course")
    with pytest.raises(SystemExit, match="^The folder for your copies .*my-course"):
        program.main(["--version"])


def test_kernels_wait_without_spinning_unless_their_owner_says_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert program.settings()["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert program.settings()["OMP_WAIT_POLICY"] == "active"


def test_make_clean_leaves_what_may_be_a_readers_work(clone):
    stays = ("my-course/notes.txt", "build/student/01.ipynb")
    goes = ("build/lib/x.py", "notebooks/__pycache__/x.pyc")
    for name in (*stays, *goes):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("")
    done = subprocess.run(["make", "clean"], cwd=clone, capture_output=True, text=True, check=True)
    assert [(clone / name).exists() for name in (*stays, *goes)] == [True, True, False, False]
    assert "my-course/ stays" in done.stdout and "build/student/ stays" in done.stdout
