"""Writes the manual pages and the completions for bash, zsh and fish of both programs into a
directory. What they say of commands and options comes from the programs themselves, so that none of
them can fall behind. Usage: make.py PARLEY PARLEYD OUTPUT"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
FILES = ("import", "verify")  # whose argument is a file


def words_of(command):
    """What may be typed as it stands: up|down|none, set, add."""
    return [word for word in re.findall(r"[A-Za-z.]+", command["arguments"])
            if word.islower()]


# --- the manual -----------------------------------------------------------------------------------

def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("\"", "\\(dq")
    return "\\&" + text if text[:1] in ".'" else text


def macro(text):
    """Text as arguments of a macro: no word of it is taken for a macro."""
    return " ".join("\\&" + roff(word) for word in text.split())


def option_item(option):
    argument = f" Ns = Ns Ar {macro(option['argument'])}" if option["argument"] else ""
    return f".It Fl \\-{roff(option['name'])}{argument}\n{sentence(option['words'])}"


def sentence(words):
    words = words[0].upper() + words[1:] + "."
    return "\n".join(line for line in re.sub(r"([.;]) +", r"\1\n", roff(words)).split("\n"))


def options_list(options):
    return "\n".join([".Bl -tag -width indent", *map(option_item, options), ".El"])


def command_item(command):
    arguments = f" {macro(command['arguments'])}" if command["arguments"] else ""
    lines = [f".It Ic {command['name']}{arguments}", sentence(command["words"])]
    if command["options"]:
        lines.append(options_list(command["options"]))
    return "\n".join(lines)


def key_item(option):
    shown = option["example"].replace("{", "{ ").replace("}", " }")
    return "\n".join([f".It Cm {roff(option['name'])}", sentence(option["words"]),
                      ".Pp", "Example:", f".Li {macro(option['name'] + ' = ' + shown)}"])


def manual(name, table):
    text = (HERE / (name + ".in")).read_text(encoding="utf-8")
    parts = {
        "@COMMANDS@": "\n".join([".Bl -tag -width indent", *map(command_item, table["commands"]),
                                 ".El"]),
        "@COMMON@": options_list(table["common"]),
        "@OPTIONS@": options_list(table["parleyd"]),
        "@KEYS@": "\n".join([".Bl -tag -width indent",
                             *[key_item(row) for row in table["parleyd"] if row["example"]], ".El"]),
        "@VERSION@": table["version"],
    }
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


# --- bash -----------------------------------------------------------------------------------------

def flags(options):
    return " ".join("--" + option["name"] for option in options)


def valued(options):
    return "|".join("--" + option["name"] for option in options if option["argument"])


BASH = r"""# bash completion of parley
_parley() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command= index=1 options= words=
    COMPREPLY=()
    while [ $index -lt $COMP_CWORD ]; do
        case ${COMP_WORDS[index]} in
        %(common_valued)s) index=$((index + 1)) ;;
        -*) ;;
        *) command=${COMP_WORDS[index]}; break ;;
        esac
        index=$((index + 1))
    done
    case $previous in
    --home) COMPREPLY=($(compgen -d -- "$current")); return ;;
    %(all_valued)s) [ -z "$command" ] || return ;;
    esac
    case $command in
    '') options='%(common)s' words='%(commands)s' ;;
%(cases)s
    esac
    case $command:$current in
    *:-*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    %(files)s) COMPREPLY=($(compgen -f -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    esac
}
complete -o filenames -F _parley parley
"""


def bash(table):
    common = table["common"]
    own = [option for command in table["commands"] for option in command["options"]]
    return BASH % {
        "common": flags(common),
        "common_valued": valued(common),
        "all_valued": "|".join(sorted({"--" + option["name"] for option in own if option["argument"]})),
        "commands": " ".join(command["name"] for command in table["commands"]),
        "cases": "\n".join(f"    {command['name']}) options='{flags(command['options'] + common)}' "
                           f"words='{' '.join(words_of(command))}' ;;"
                           for command in table["commands"]),
        "files": "|".join(name + ":*" for name in FILES),
    }


BASH_DAEMON = r"""# bash completion of parleyd
_parleyd() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    case $previous in
    --home) COMPREPLY=($(compgen -d -- "$current")) ;;
    --config) COMPREPLY=($(compgen -f -- "$current")) ;;
    --log) COMPREPLY=($(compgen -W 'debug info warning error' -- "$current")) ;;
    %s) ;;
    *) COMPREPLY=($(compgen -W '%s --help --version' -- "$current")) ;;
    esac
}
complete -o filenames -F _parleyd parleyd
"""


def bash_daemon(table):
    return BASH_DAEMON % (valued(table["parleyd"]), flags(table["parleyd"]))


# --- zsh ------------------------------------------------------------------------------------------

def zsh_words(words):
    return words.replace("\\", "\\\\").replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]") \
        .replace(":", "\\:")


def zsh_option(option):
    value = ""
    if option["argument"]:
        action = {"home": "_directories", "config": "_files"}.get(option["name"], " ")
        value = f":{zsh_words(option['argument'])}:{action}"
    return f"'*--{option['name']}[{zsh_words(option['words'])}]{value}'"


def zsh_case(command):
    rest = "'*:file:_files'" if command["name"] in FILES else \
        f"'*:word:({' '.join(words_of(command))})'" if words_of(command) else "'*: : '"
    options = " ".join(map(zsh_option, command["options"]))
    return f"    {command['name']}) _arguments $common {options} {rest} ;;"


def zsh(table):
    return "\n".join([
        "#compdef parley parleyd",
        "local curcontext=$curcontext state line",
        "local -a common commands",
        "if [[ $service == parleyd ]]; then",
        "    _arguments " + " ".join(map(zsh_option, table["parleyd"])),
        "    return",
        "fi",
        "common=(" + " ".join(map(zsh_option, table["common"])) + ")",
        "commands=(",
        *[f"    '{command['name']}:{zsh_words(command['words'])}'" for command in table["commands"]],
        ")",
        "_arguments -C $common '1: :->command' '*:: :->rest'",
        "case $state in",
        "command) _describe -t commands command commands ;;",
        "rest)",
        "    case $line[1] in",
        *map(zsh_case, table["commands"]),
        "    esac ;;",
        "esac", ""])


# --- fish -----------------------------------------------------------------------------------------

def fish_quoted(words):
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_option(program, option, condition=""):
    value = " -r" if option["argument"] else ""
    value += " -F" if option["name"] in ("home", "config") else ""
    return f"complete -c {program}{condition} -l {option['name']}{value} -d {fish_quoted(option['words'])}"


def fish(table):
    lines = ["complete -c parley -f", *[fish_option("parley", option) for option in table["common"]]]
    for command in table["commands"]:
        name = command["name"]
        seen = f" -n '__fish_seen_subcommand_from {name}'"
        lines.append(f"complete -c parley -n __fish_use_subcommand -a {name} "
                     f"-d {fish_quoted(command['words'])}")
        lines += [fish_option("parley", option, seen) for option in command["options"]]
        if words_of(command):
            lines.append(f"complete -c parley{seen} -a {fish_quoted(' '.join(words_of(command)))}")
        if name in FILES:
            lines.append(f"complete -c parley{seen} -F")
    return "\n".join(lines) + "\n"


def fish_daemon(table):
    return "\n".join(["complete -c parleyd -f",
                      *[fish_option("parleyd", option) for option in table["parleyd"]]]) + "\n"


def main():
    parley, parleyd, output = sys.argv[1:]
    table = json.loads(subprocess.run([parley, "--print-table"], capture_output=True, check=True).stdout)
    example = subprocess.run([parleyd, "--print-config"], capture_output=True, check=True, text=True)
    made = {name: manual(name, table) for name in ("parley.1", "parleyd.8", "parleyd.conf.5")}
    made |= {"parley": bash(table), "parleyd": bash_daemon(table), "_parley": zsh(table),
             "parley.fish": fish(table), "parleyd.fish": fish_daemon(table),
             "parleyd.conf.example": example.stdout}
    for name, text in made.items():
        (pathlib.Path(output) / name).write_text(text, encoding="utf-8")


main()
