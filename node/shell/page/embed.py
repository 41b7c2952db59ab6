"""Makes a C source of the page's files: embed.py OUT FILE...

Each file is served under its name, index.html as /, openapi.json below /v1/."""
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
PATHS = {"index.html": "/", "openapi.json": "/v1/openapi.json"}


def main():
    out, *names = (pathlib.Path(word) for word in sys.argv[1:] if not word.endswith("embed.py"))
    text = ['#include "page.h"', "#include <string.h>", ""]
    rows = []
    for number, file in enumerate(sorted(names, key=lambda path: path.name)):
        data = file.read_bytes()
        text.append(f"static const uint8_t FILE_{number}[] = {{ /* {file.name} */")
        for at in range(0, len(data), 32):
            text.append("".join(f"{byte}," for byte in data[at:at + 32]))
        text.append("};")
        path = PATHS.get(file.name, "/" + file.name)
        rows.append(f'    {{"{path}", "{TYPES[file.suffix]}", FILE_{number}, sizeof FILE_{number}}},')
    text += ["", "static const struct page_file FILES[] = {", *rows, "};", "",
             "const struct page_file *page_file_find(const char *path) {",
             "    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++)",
             "        if (strcmp(FILES[i].path, path) == 0)",
             "            return &FILES[i];",
             "    return NULL;", "}", ""]
    out.write_text("\n".join(text), encoding="ascii")


main()
