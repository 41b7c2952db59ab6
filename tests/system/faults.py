"""A disk that fails under real programs, without root: faulty_disk.c put under them, and told what
to do through a small shared file."""
import mmap
import os
import struct

EIO, ENOSPC, KILL, HANG = 1, 2, 3, 4


class FaultyDisk:
    """Everything below a folder. `environment` is for the programs that are to stand on it."""

    def __init__(self, library, folder, state):
        with open(state, "wb") as file:
            file.write(bytes(48))
        self.file = open(state, "r+b")
        self.memory = mmap.mmap(self.file.fileno(), 48)
        self.environment = {"LD_PRELOAD": os.path.abspath(library), "FAULTY_FOLDER": str(folder),
                            "FAULTY_STATE": str(state)}
        self.heal()

    def _set(self, index, value):
        self.memory[8 * index:8 * index + 8] = struct.pack("<q", value)

    def _get(self, index):
        return struct.unpack("<q", self.memory[8 * index:8 * index + 8])[0]

    @property
    def calls(self):
        return self._get(0)

    @property
    def syncs(self):
        return self._get(5)

    def fail(self, number, count, what):
        """The call with that number from now on, and those after it, count in all."""
        self._set(1, self.calls + number)
        self._set(2, count)
        self._set(3, what)

    def heal(self):
        self._set(1, 0)
        self._set(4, -1)

    def leave(self, bytes_count):
        """So many bytes, and then it is full."""
        self._set(4, bytes_count)

    def close(self):
        self.memory.close()
        self.file.close()
