"""make lab serves the course: with a token, on loopback alone, without what is meant for teachers."""

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

ROOT = Path(__file__).parent.parent
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/lab/tree/notebooks\?token=\w{20,}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(address, token) of a running `make lab`, which takes this test's environment instead of making one."""
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    home = str(tmp_path_factory.mktemp("jupyter"))
    kinds = ("CONFIG", "DATA", "RUNTIME")
    environment = {**os.environ, "BROWSER": "true", **{f"JUPYTER_{kind}_DIR": home for kind in kinds}}
    environment.pop("JUPYTER_TOKEN", None)
    command = ["make", "lab", f"BIN={Path(sys.executable).parent}", "READY=pyproject.toml"]
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
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
        get(f"{address}/api/shutdown", token, method="POST")
        server.stdout.read()
    assert server.returncode == 0


def wait_for(address):
    """The address is printed a moment before it answers."""
    for _ in range(100):
        try:
            return get(f"{address}/api")
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(f"{address} does not answer")


def get(url, token="", method="GET"):
    """(status, text) of an answer."""
    headers = {"Authorization": f"token {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def test_the_address_it_prints_opens_the_chapters(lab):
    address, token = lab
    status, page = get(f"{address}/lab/tree/notebooks", token)
    assert status == 200 and "jupyter-config-data" in page
    status, folder = get(f"{address}/api/contents/notebooks", token)
    assert "source" in {entry["name"] for entry in json.loads(folder)["content"]}


def test_nothing_is_served_without_the_token(lab):
    assert get(f"{lab[0]}/api/contents")[0] == 403
    assert get(f"{lab[0]}/api/contents", "guess")[0] == 403


def test_tools_for_teachers_and_news_are_off(lab):
    page = get(f"{lab[0]}/lab", lab[1])[1]
    off = re.search(r'"disabledExtensions": (\[[^\]]*\])', page)
    assert {"@jupyter/nbgrader", "@jupyterlab/apputils-extension:announcements"} <= set(json.loads(off[1]))
    assert get(f"{lab[0]}/formgrader/api/assignments", lab[1])[0] == 404
    assert json.loads(get(f"{lab[0]}/api/contents/conftest.py?content=0", lab[1])[1])["type"] == "file"
