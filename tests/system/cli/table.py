"""Every command with every exit status that it can give. The walk must have seen each of them, and
no other: 0 done, 1 the answer is no, 2 wrong usage, 3 no node answers, 4 the disk or the system
failed, 5 timed out."""

# Makes a home itself: no node is asked.
OFFLINE = {
    "init": "0 1 2 4",
    "verify": "0 1 2 4",
    "recover": "0 1 2 4 5",
}
# Works on the home, or through the node that runs on it.
EITHER = {
    "id": "0 1 2 4 5",
    "post": "0 1 2 4 5",
    "echo": "0 1 2 4 5",
    "vote": "0 1 2 4 5",
    "erase": "0 1 2 4 5",
    "profile": "0 1 2 4 5",
    "follow": "0 1 2 4 5",
    "unfollow": "0 1 2 4 5",
    "follows": "0 1 2 4 5",
    "timeline": "0 1 2 3 4 5",
    "show": "0 1 2 4 5",
    "thread": "0 1 2 4 5",
    "purge": "0 1 2 4 5",
    "mute": "0 1 2 4 5",
    "unmute": "0 1 2 4 5",
    "block": "0 1 2 4 5",
    "unblock": "0 1 2 4 5",
    "allow": "0 1 2 4 5",
    "unallow": "0 1 2 4 5",
    "why": "0 1 2 4 5",
    "export": "0 1 2 4 5",
    "import": "0 1 2 4 5",
    "digest": "0 1 2 4 5",
    "status": "0 1 2 4 5",
    "doctor": "0 1 2 4 5",
    "device": "0 1 2 4 5",
    "rotate": "0 1 2 4 5",
    "check": "0 1 2 4 5",
    "rebuild": "0 1 2 4 5",
    "repair": "0 1 2 4 5",
}
# Has nothing to do where no node runs.
ONLINE = {
    "open": "0 1 2 3 4 5",
    "peers": "0 2 3 4 5",
    "connect": "0 1 2 3 4 5",
    "disconnect": "0 1 2 3 4 5",
    "invite": "0 1 2 3 4 5",
    "accept": "0 1 2 3 4 5",
}
TABLE = {**OFFLINE, **EITHER, **ONLINE}

# What each takes, so that it is taken as far as the home or the node. POST, AUTHOR and KEY are put
# in by the walk.
WORDS = {
    "init": [], "id": [], "post": ["text"], "echo": ["POST"], "vote": ["POST", "up"],
    "erase": ["POST"], "profile": [], "follow": ["AUTHOR"], "unfollow": ["AUTHOR"], "follows": [],
    "timeline": [], "show": ["POST"], "thread": ["POST"], "purge": ["POST"],
    "mute": [], "unmute": ["AUTHOR"], "block": [], "unblock": ["AUTHOR"], "allow": [],
    "unallow": ["AUTHOR"], "why": ["POST"], "export": [],
    "import": ["-"], "verify": ["-"], "digest": [], "status": [], "doctor": [], "open": ["--json"], "peers": [],
    "device": ["list"], "rotate": [], "recover": [],
    "check": [], "rebuild": [], "repair": [],
    "connect": ["KEY@127.0.0.1:9"], "disconnect": ["KEY"], "invite": [],
    "accept": ["pinvite1x"],
}
