"""A preview's writes seem to succeed, are read back, and are nowhere but in its scratch folder."""

from __future__ import annotations

import pytest

HEAD = "(import os io csv json shutil glob pickle torch  pathlib [Path]  numpy :as np)\n"

PROGRAMS = [
    '(with [f (open "log.csv" "w")] (.writerow (csv.writer f) ["a" 1]))\n'
    '(assert (= (.strip (.read (open "log.csv"))) "a,1"))',
    '(with [f (open "here.txt" "a")] (.write f "more"))\n(assert (= (.read (open "here.txt")) "oldmore"))',
    '(torch.save {"a" (torch.ones 3)} "m.pt")\n(assert (= (. (get (torch.load "m.pt") "a") shape) #(3)))',
    '(.mkdir (Path "out/deep") :parents True :exist-ok True)\n(.write-text (/ (Path "out/deep") "a.txt") "x")\n'
    '(assert (= (.read-text (Path "out/deep/a.txt")) "x"))\n(assert (.exists (Path "out")))',
    '(os.makedirs "runs/1")\n(os.makedirs "runs/1" :exist-ok True)\n(assert (os.path.isdir "runs/1"))\n'
    '(assert (in "runs" (os.listdir ".")))\n(assert (in "here.txt" (os.listdir ".")))',
    '(np.save "x.npy" (np.zeros 3))\n(assert (= (. (np.load "x.npy") shape) #(3)))',
    '(with [f (open "t.tmp" "w")] (.write f "1"))\n(os.replace "t.tmp" "t.txt")\n'
    '(assert (= (.read (open "t.txt")) "1"))\n(assert (not (os.path.exists "t.tmp")))',
    '(os.remove "here.txt")\n(assert (not (os.path.exists "here.txt")))\n(assert (not-in "here.txt" (os.listdir ".")))',
    '(with [f (open "a.json" "w")] (json.dump {"x" 1} f))\n(assert (= (glob.glob "*.json") ["a.json"]))',
    '(with [f (open "p.pkl" "wb")] (pickle.dump [1] f))\n(assert (= (pickle.load (open "p.pkl" "rb")) [1]))',
    '(setv d (os.open "low" (| os.O-CREAT os.O-WRONLY)))\n(os.close d)\n(assert (os.path.exists "low"))',
    '(try (open "missing/a" "w") (raise (AssertionError)) (except [FileNotFoundError]))',
    '(try (open "here.txt" "x") (raise (AssertionError)) (except [FileExistsError]))',
    "(try (os.mkdir (os.getcwd)) (raise (AssertionError)) (except [FileExistsError]))",
    '(import logging)\n(logging.basicConfig :filename "run.log" :level logging.INFO)\n(logging.info "seen")\n'
    '(assert (in "seen" (.read (open "run.log"))))',
    '(shutil.copy "here.txt" "there.txt")\n(os.rename "there.txt" "b.txt")\n(assert (= (.read (open "b.txt")) "old"))',
    '(os.makedirs "old/in")\n(with [f (open "old/in/a.txt" "w")] (.write f "1"))\n(shutil.rmtree "old")\n'
    '(assert (not (os.path.exists "old")))\n(shutil.rmtree "old" :ignore-errors True)\n'
    '(try (shutil.rmtree "old") (raise (AssertionError)) (except [FileNotFoundError]))',
    '(os.makedirs "d")\n(os.symlink "../here.txt" "d/latest")\n(assert (= (.read (open "d/latest")) "old"))\n'
    '(os.link "here.txt" "d/hard")\n'
    '(try (os.symlink "a" "here.txt") (raise (AssertionError)) (except [FileExistsError]))',
    '(os.truncate "here.txt" 1)\n(assert (= (.read (open "here.txt")) "o"))',
]


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.parametrize("way", ["light", "heavy"])
def test_what_is_written_is_read_back_and_is_nowhere_else(preview, tmp_path, text, way):
    (tmp_path / "here.txt").write_text("old")
    assert preview(HEAD + text, way=way).problems == []
    assert [path.name for path in tmp_path.iterdir()] == ["here.txt"]
    assert (tmp_path / "here.txt").read_text() == "old"


REFUSED = [
    '(import socket) (socket.create-connection #("127.0.0.1" 9))',
    '(import subprocess) (subprocess.run ["true"])',
    '(import sqlite3) (.execute (sqlite3.connect "canary") "create table t (a)")',
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_a_hint_at_its_form(preview, text):
    told = preview(HEAD + text + "\n(torch.ones 3)")
    assert [(problem.code, problem.severity) for problem in told.problems] == [("preview-refused", "hint")]
    assert told.at("(torch.ones 3)") == ["[3]"]


def test_a_folder_that_is_there_seems_to_be_removed(preview, tmp_path):
    (tmp_path / "kept" / "in").mkdir(parents=True)
    (tmp_path / "kept" / "in" / "a.txt").write_text("mine")
    text = '(shutil.rmtree "kept")\n(assert (not (os.path.exists "kept")))\n(os.mkdir "kept")\n'
    text += '(assert (not (os.listdir "kept")))'
    assert preview(HEAD + text).problems == []
    assert (tmp_path / "kept" / "in" / "a.txt").read_text() == "mine"
