"""Jobs that are cancelled, killed and interrupted; backup and restore; the first schema migrated."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
import zipfile
from pathlib import Path

import pytest
import toy
from web_page import DATA, OPTIONS, client, given, screened, square_text

from lzgis.errors import LzgisError
from lzgis.web.backup import restore_backup, write_backup
from lzgis.web.models import Job, State
from lzgis.web.pages import supervisor
from lzgis.web.supervisor import Supervisor

INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")


def test_a_killed_worker_is_replaced_and_its_job_says_so(page):
    check = given(page, INSIDE)
    (pid,) = supervisor().pids
    os.kill(pid, signal.SIGSTOP)
    answer = page.post(f"/check/{check.key}/screen", {f"assumed-{n}": "yes" for n in range(9)} | {"as_of": toy.AS_OF})
    job = Job.objects.get(kind="screen")
    assert answer.status_code == 302
    until = time.monotonic() + 30
    while Job.objects.get(pk=job.key).state == State.QUEUED and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    job = supervisor().wait(job, 240.0)
    assert job.state == State.FAILED
    assert "处理进程意外结束" in page.get(f"/screenings/{job.key}").content.decode()
    page.post(f"/screenings/{job.key}/again")
    again = supervisor().wait(Job.objects.filter(kind="screen").latest("created"), 240.0)
    assert again.state == State.DONE
    assert supervisor().pids != [pid]


def test_a_waiting_job_is_cancelled_and_never_begun(page):
    check = given(page, INSIDE)
    (pid,) = supervisor().pids
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(2):
            page.post(f"/check/{check.key}/screen", {f"assumed-{n}": "yes" for n in range(9)} | {"as_of": toy.AS_OF})
        waiting = Job.objects.filter(kind="screen").latest("created")
        shown = page.get(f"/screenings/{waiting.key}").content.decode()
        assert "排队中" in shown
        page.post(f"/screenings/{waiting.key}/cancel")
    finally:
        os.kill(pid, signal.SIGCONT)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.started) == (State.CANCELLED, None)


def test_a_running_job_is_cancelled(page):
    check = given(page, INSIDE)
    (pid,) = supervisor().pids
    os.kill(pid, signal.SIGSTOP)
    page.post(f"/check/{check.key}/screen", {f"assumed-{n}": "yes" for n in range(9)} | {"as_of": toy.AS_OF})
    job = Job.objects.get(kind="screen")
    until = time.monotonic() + 30
    while Job.objects.get(pk=job.key).state == State.QUEUED and time.monotonic() < until:
        time.sleep(0.1)
    page.post(f"/screenings/{job.key}/cancel")
    assert supervisor().wait(job, 30.0).state == State.CANCELLED
    assert screened(page, INSIDE).state == State.DONE


def test_what_ran_when_the_server_ended_is_marked(page):
    page.get("/")
    from lzgis.web.access import local_user

    job = Job.objects.create(kind="screen", owner=local_user(), state=State.RUNNING, title="x")
    other = Supervisor(OPTIONS)
    Supervisor(OPTIONS.__class__(data=DATA, workers=0)).start()
    other.stop()
    job.refresh_from_db()
    assert job.state == State.INTERRUPTED
    shown = page.get(f"/screenings/{job.key}").content.decode()
    assert "处理时服务器中断" in shown
    assert "重新运行" in shown


def test_a_backup_is_restored_with_all_files(page, tmp_path):
    made = screened(page, INSIDE)
    count = write_backup(DATA, tmp_path / "backup.zip")
    assert (tmp_path / "backup.zip").stat().st_mode & 0o077 == 0
    assert restore_backup(tmp_path / "backup.zip", tmp_path / "new") == count
    for path in made.folder.rglob("*"):
        assert (tmp_path / "new" / path.relative_to(DATA)).read_bytes() == path.read_bytes()
    with sqlite3.connect(tmp_path / "new" / "lzgis.sqlite3") as base:
        assert base.execute("select count(*) from web_job where key = ?", [made.key]).fetchone() == (1,)
    base.close()
    with pytest.raises(LzgisError):
        restore_backup(tmp_path / "backup.zip", tmp_path / "new")
    with pytest.raises(LzgisError):
        write_backup(DATA, tmp_path / "backup.zip")


@pytest.mark.parametrize("name", ["../evil", "uploads/../../evil", "/etc/evil", "uploads\\..\\evil", "other/x", "C:/x"])
def test_a_backup_writes_nowhere_else(tmp_path, name):
    import hashlib
    import json

    text = {"kind": "backup of lzgis serve", "sha256": {name: hashlib.sha256(b"x").hexdigest()}}
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as bundle:
        bundle.writestr(name, b"x")
        bundle.writestr("contents.json", json.dumps(text))
    with pytest.raises(LzgisError):
        restore_backup(tmp_path / "evil.zip", tmp_path / "a" / "new")
    assert not list(Path(tmp_path).rglob("evil"))


def test_a_damaged_backup_is_refused(tmp_path):
    import json

    with zipfile.ZipFile(tmp_path / "b.zip", "w") as bundle:
        bundle.writestr("secret.key", b"x")
        bundle.writestr(
            "contents.json", json.dumps({"kind": "backup of lzgis serve", "sha256": {"secret.key": "0" * 64}})
        )
    with pytest.raises(LzgisError, match="damaged"):
        restore_backup(tmp_path / "b.zip", tmp_path / "new")
    (tmp_path / "c.zip").write_bytes(b"no zip")
    with pytest.raises(LzgisError, match="no backup"):
        restore_backup(tmp_path / "c.zip", tmp_path / "new2")


def test_the_models_have_all_their_migrations(page):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_warning_of_changed_layers(page):
    made = screened(page, INSIDE)
    assert "图层或规则在此后有变化" not in page.get(f"/screenings/{made.key}").content.decode()
    Job.objects.filter(pk=made.key).update(basis="0" * 64)
    assert "图层或规则在此后有变化" in page.get(f"/screenings/{made.key}").content.decode()
    assert "图层或规则已变" in client().get("/screenings").content.decode()


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path):
    """In a process of its own: Django is configured once."""
    import subprocess
    import sys

    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    base = sqlite3.connect(data / "lzgis.sqlite3")
    base.executescript((Path(__file__).parent / "first_schema.sql").read_text("utf-8"))
    base.close()
    code = """
import sys
from pathlib import Path
from lzgis.web.options import ServeOptions, data_folder
from lzgis.web.server import ready
ready(ServeOptions(data=data_folder(Path(sys.argv[1]))))
from django.core.management import call_command
call_command("migrate", check_unapplied=True, verbosity=0)
from lzgis.web.models import Job, User
job = Job.objects.get(title="水厂")
print(job.owner.username, job.result["verdicts"], job.comments.get().text, User.objects.get().token_set.count())
"""
    found = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code, str(data)], capture_output=True, encoding="utf-8", check=False
    )
    assert found.stdout.strip() == "planner [1, 0, 0, 0] 请复核 1", found.stderr
