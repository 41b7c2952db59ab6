"""Makes a C source of the page's files: embed.py OUT FILE...

Each file is served under its name, index.html as /, openapi.json below /v1/. The scripts are served
as one, page.js: a browser that has to ask for each of them, and to find out from one which others
there are, shows its first post twice as late. What index.html names has its hash in its own name,
and may be kept: another version has another name, and what somebody else put into the browser's
store, when the port was theirs, is refused for its hash."""
import base64
import hashlib
import pathlib
import re
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
PATHS = {"index.html": "/", "openapi.json": "/v1/openapi.json"}
FIRST, JOINED = "main.js", "page.js"

IMPORT = re.compile(r'^import \{ ([\w$, ]+) \} from "\./([\w.]+)";\n', re.MULTILINE)
DECLARED = re.compile(r"^(export )?(?:async )?(?:function\*?|class|const|let) ([\w$]+)", re.MULTILINE)
MODULES_OWN = re.compile(r"^(?:import|export)\b.*|\bimport\(.*|\bimport\.meta\b", re.MULTILINE)


def join(scripts):
    """One module of several: each behind those that it imports, in one scope. So what they declare
    must have different names, and import is { names } from "./file.js", without as and without *."""
    declared = {name: {found[2]: bool(found[1]) for found in DECLARED.finditer(text)} for name, text in scripts.items()}
    places, parts, begun = {}, [], set()

    def check(name, text):
        for other in declared[name]:
            if other in places:
                sys.exit(f"{name}: {other} is declared in {places[other]}, too")
            places[other] = name
        left = MODULES_OWN.search(text)
        if left:
            sys.exit(f"{name}: cannot be joined: {left[0]}")

    def add(name):
        begun.add(name)
        for names, other in IMPORT.findall(scripts[name]):
            for one in names.split(", "):
                if not declared.get(other, {}).get(one):
                    sys.exit(f"{name}: {other} does not export {one}")
            if other not in begun:
                add(other)
        text = DECLARED.sub(lambda found: found[0].removeprefix("export "), IMPORT.sub("", scripts[name]))
        check(name, text)
        parts.append(text)

    add(FIRST)
    if begun != set(scripts):
        sys.exit(f"imported by none: {', '.join(sorted(set(scripts) - begun))}")
    return "\n".join(parts)


def name_kept(files):
    """The files under names that say what is in them; index.html names them so."""
    html, kept = files.pop("index.html").decode(), {}
    for name in [name for name in files if f'="{name}"' in html]:
        data = files.pop(name)
        digest, (stem, end) = hashlib.sha256(data).digest(), name.split(".")
        lasting = f"{stem}-{digest.hex()[:16]}.{end}"
        checked = f' integrity="sha256-{base64.b64encode(digest).decode()}"' if end in ("css", "js") else ""
        html = html.replace(f'="{name}"', f'="{lasting}"{checked}')
        kept[lasting] = data
    return {**files, **kept, "index.html": html.encode()}, kept


def main():
    out, *names = (pathlib.Path(word) for word in sys.argv[1:] if not word.endswith("embed.py"))
    files = {path.name: path.read_bytes() for path in names if path.suffix != ".js"}
    files[JOINED] = join({path.name: path.read_text(encoding="utf-8") for path in names if path.suffix == ".js"}).encode()
    files, kept = name_kept(files)
    text = ['#include "page.h"', "#include <string.h>", ""]
    rows = []
    for number, (name, data) in enumerate(sorted(files.items())):
        text.append(f"static const uint8_t FILE_{number}[] = {{ /* {name} */")
        for at in range(0, len(data), 32):
            text.append("".join(f"{byte}," for byte in data[at:at + 32]))
        text.append("};")
        path = PATHS.get(name, "/" + name)
        rows.append(f'    {{"{path}", "{TYPES[pathlib.Path(name).suffix]}", FILE_{number}, sizeof FILE_{number}, {str(name in kept).lower()}}},')
    text += ["", "static const struct page_file FILES[] = {", *rows, "};", "",
             "const struct page_file *page_file_find(const char *path) {",
             "    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)",
             "        if (strcmp(FILES[i].path, path) == 0)",
             "            return &FILES[i];",
             "    return NULL;", "}", ""]
    out.write_text("\n".join(text), encoding="ascii")


main()
