#!/usr/bin/env python3
"""A picture of one or more runs of the scale model, side by side.

Usage: tests/scale/draw.py RUN.json... > RUN.svg
"""
import html
import json
import sys

WIDTH, LEFT, LINE, GAP = 760, 190, 20, 26
COLOURS = ("#3566a8", "#c8743a", "#4f8f5b", "#8a5a9e")
INK, PALE, FRAME = "#222", "#777", "#ddd"


class Picture:
    """Rows of bars, from the top down."""

    def __init__(self):
        self.parts, self.at = [], 10

    def text(self, across, words, size=12, colour=INK, anchor="start"):
        """One line of words at the current height."""
        self.parts.append(f'<text x="{across}" y="{self.at}" font-size="{size}" fill="{colour}" '
                          f'text-anchor="{anchor}">{html.escape(words)}</text>')

    def heading(self, words):
        """Begins a block."""
        self.at += GAP
        self.text(10, words, 13)
        self.parts.append(f'<line x1="10" x2="{WIDTH - 10}" y1="{self.at + 5}" '
                          f'y2="{self.at + 5}" stroke="{FRAME}"/>')
        self.at += 6

    def bar(self, name, value, most, colour, words):
        """One bar; most: what the whole width stands for."""
        self.at += LINE
        width = 0 if most <= 0 else (WIDTH - LEFT - 160) * min(1, value / most)
        self.text(LEFT - 8, name, 11, PALE, "end")
        self.parts.append(f'<rect x="{LEFT}" y="{self.at - 10}" width="{max(width, 1):.1f}" '
                          f'height="12" rx="2" fill="{colour}"/>')
        self.text(LEFT + max(width, 1) + 6, words, 11)

    def svg(self):
        """All of it."""
        height = self.at + 20
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">'
                f'<rect width="100%" height="100%" fill="#fff"/>' + "\n".join(self.parts) +
                "</svg>\n")


def amount(value):
    """Bytes in words."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def name_of(run):
    """A run in a few words."""
    kind = "flooding" if run["flooding"] else "as built"
    return f'{run["scenario"]}, {run["nodes"]} nodes, seed {run["seed"]}, {kind}'


def draw_phases(picture, runs):
    """Delays, copies and hops of each phase that had posts."""
    rows = [(run, phase, COLOURS[i % len(COLOURS)]) for i, run in enumerate(runs)
            for phase in run["phases"] if phase["posts"] > 0]
    blocks = (("Delay of a post, ms", "delay_ms", ("p50", "p90", "p99", "max")),
              ("Copies of a payload that a node receives", "copies_by_node", ("mean", "p99")),
              ("Hops", "hops", ("mean", "p99")))
    for title, key, fields in blocks:
        most = max((phase[key][field] for _, phase, _ in rows for field in fields), default=0)
        picture.heading(title)
        for _, phase, colour in rows:
            for field in fields:
                value = phase[key][field]
                picture.bar(f'{phase["name"]} {field}', value, most, colour, f"{value:.4g}")
    picture.heading("Interested nodes reached, and control bytes for each post")
    most = max((phase["control_bytes_per_post"] for _, phase, _ in rows), default=0)
    for _, phase, colour in rows:
        picture.bar(f'{phase["name"]} reached', phase["reached_share"], 1, colour,
                    f'{100 * phase["reached_share"]:.3f} %')
        picture.bar(f'{phase["name"]} control', phase["control_bytes_per_post"], most, colour,
                    amount(phase["control_bytes_per_post"]))


def draw_traffic(picture, runs):
    """Bytes by type, of the whole run."""
    totals = []
    for run in runs:
        total = {}
        for phase in run["phases"]:
            for kind, count in phase["traffic"].items():
                total[kind] = total.get(kind, 0) + count["bytes"]
        totals.append(total)
    most = max((value for total in totals for value in total.values()), default=0)
    picture.heading("Bytes sent, by type of message")
    for i, total in enumerate(totals):
        for kind, value in sorted(total.items(), key=lambda item: -item[1]):
            picture.bar(kind, value, most, COLOURS[i % len(COLOURS)], amount(value))


def draw_rest(picture, runs):
    """Bounds, figures and the machine."""
    picture.heading("Bounds")
    for i, run in enumerate(runs):
        for bound in run["bounds"]:
            picture.at += LINE
            limit = f'at most {bound["at_most"]:g}' if "at_most" in bound else \
                f'at least {bound["at_least"]:g}'
            picture.text(LEFT, f'{bound["what"]}: {bound["value"]:g} ({limit})', 11,
                         "#2a6a35" if bound["holds"] else "#b02a2a")
            picture.text(LEFT - 8, "holds" if bound["holds"] else "DOES NOT HOLD", 11,
                         COLOURS[i % len(COLOURS)], "end")
    picture.heading("Cost")
    for i, run in enumerate(runs):
        machine = run["machine"]
        picture.at += LINE
        picture.text(20, f'{run["steps"]} steps in {run["simulated_s"]:g} simulated seconds; '
                     f'{machine["cpu_s"]} s of CPU; a node touches '
                     f'{amount(machine["node_touched_bytes_mean"])} of '
                     f'{amount(machine["node_allocated_bytes"])}; the process had '
                     f'{amount(machine["process_bytes_max"])}', 11, COLOURS[i % len(COLOURS)])


def main():
    """Reads runs, writes one picture."""
    runs = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            runs.append(json.load(file))
    if not runs:
        sys.exit(__doc__.strip())
    picture = Picture()
    for i, run in enumerate(runs):
        picture.at += LINE
        picture.text(10, name_of(run), 14, COLOURS[i % len(COLOURS)])
    draw_phases(picture, runs)
    draw_traffic(picture, runs)
    draw_rest(picture, runs)
    sys.stdout.write(picture.svg())


if __name__ == "__main__":
    main()
