"""Manual pages and completions: everything that --help names stands in each of them, and they are
what their readers understand. Usage: manual_test.py PARLEYD PARLEY DIRECTORY"""
import pathlib
import re
import shutil
import subprocess
import sys

from nodes import PARLEY, PARLEYD, run

MADE = pathlib.Path(sys.argv[3]).absolute()


def said(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def options_of(*words):
    return set(re.findall(r"--([a-z][a-z-]+)", said(*words, "--help"))) - {"usage"}


def commands():
    lines = said(PARLEY, "--help").split("Commands;", 1)[1].splitlines()[1:]
    found = [line.split()[0] for line in lines if re.match(r"  [a-z]+ ", line)]
    assert {"init", "post", "timeline", "status"} <= set(found), found
    return found


def page(name):
    """The words of a manual page, without its layout."""
    return (MADE / name).read_text(encoding="utf-8").replace("\\-", "-").replace("\\&", "")


def every_command_and_option_stands_in_the_manual(_):
    text = page("parley.1")
    for command in commands():
        assert re.search(rf"^\.It Ic {command}\b", text, re.M), command
        part = re.split(r"^\.It Ic ", text.split(f".It Ic {command}", 1)[1], flags=re.M)[0]
        for option in options_of(PARLEY, command) - options_of(PARLEY):
            assert f".It Fl -{option}" in part, f"{command} --{option}"
    for option in options_of(PARLEY):
        assert f".It Fl -{option}" in text, option
    for option in options_of(PARLEYD) - {"help", "version"}:
        assert f".It Fl -{option}" in page("parleyd.8"), option
        if option not in ("config", "print-config", "same-device"):
            assert f".It Cm {option}\n" in page("parleyd.conf.5"), option


def every_command_and_option_is_completed(_):
    for name, flag in (("parley", "--{}"), ("_parley", "--{}["), ("parley.fish", "-l {} ")):
        text = (MADE / name).read_text(encoding="utf-8")
        for command in commands():
            assert re.search(rf"\b{command}\b", text), (name, command)
            for option in options_of(PARLEY, command):
                assert flag.format(option) in text.replace("'", " "), (name, command, option)
    for name in ("parleyd", "_parley", "parleyd.fish"):
        text = (MADE / name).read_text(encoding="utf-8")
        for option in options_of(PARLEYD) - {"help", "version"}:
            assert option in text, (name, option)


def completed(program, *words):
    """What bash offers for the last word."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1";'
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return said("bash", "--norc", "-c", script, "sh", MADE / program, program, *words).split()


def bash_completes(_):
    assert completed("parley", "timel") == ["timeline"]
    assert completed("parley", "--json", "--home", "status", "di") == ["digest", "disconnect"]
    assert completed("parley", "timeline", "--l") == ["--limit"]
    assert completed("parley", "vote", "post1x", "u") == ["up"]
    assert completed("parley", "profile", "--") [:2] == ["--name", "--about"]
    assert "--home" in completed("parley", "--") and set(commands()) <= set(completed("parley", ""))
    assert completed("parley", "verify", str(MADE / "parleyd.conf.ex")) == [
        str(MADE / "parleyd.conf.example")]
    assert completed("parley", "timeline", "--author", "st") == []
    assert completed("parleyd", "--er") == ["--erase-after"]
    assert completed("parleyd", "--log", "w") == ["warning"]


def their_readers_understand_them(_):
    checks = [("mandoc", "-Tlint", "-W", "warning", MADE / name)
              for name in ("parley.1", "parleyd.8", "parleyd.conf.5")]
    checks += [("zsh", "-n", MADE / "_parley"), ("fish", "-n", MADE / "parley.fish"),
               ("fish", "-n", MADE / "parleyd.fish"), ("bash", "-n", MADE / "parley"),
               ("bash", "-n", MADE / "parleyd")]
    for check in checks:
        if shutil.which(check[0]) is None:
            print(f"# no {check[0]} here: {check[-1].name} was not tried")
            continue
        done = subprocess.run(check, capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout + done.stderr == "", (check, done)


run(every_command_and_option_stands_in_the_manual,
    every_command_and_option_is_completed,
    bash_completes,
    their_readers_understand_them)
