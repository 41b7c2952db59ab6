"""The handshake on a real port, attacked: flips, cuts, repeats, reflections, probes; and repeats
again after the node was stopped and after it was killed."""
import os
import signal
import subprocess
import sys

from nodes import run

PROBER = os.path.abspath(sys.argv[3])


def attack(home, *options):
    done = subprocess.run([PROBER, home.address, *options], text=True, capture_output=True,
                          timeout=200)
    for line in done.stdout.splitlines():
        print("# " + line)
    assert done.returncode == 0, done.stdout + done.stderr


def no_touched_flight_gets_a_byte(scratch):
    home = scratch.home("a").init().start()
    kept = os.path.join(scratch.folder, "flights")
    attack(home, "--save", kept)
    assert home.end() == 0
    home.start()
    attack(home, "--replay", kept)
    home.end(signal.SIGKILL)
    home.start()
    attack(home, "--replay", kept)


run(no_touched_flight_gets_a_byte)
