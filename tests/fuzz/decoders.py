"""What each fuzz target is the judge of, and how its inputs are made."""
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# The sources that decode, by target. What in them is no decoder is in not_decoders.txt.
FILES = {
    "address": ["proto/address.c"],
    "api": ["node/shell/api.c", "node/shell/api_name.c", "node/shell/api_post.c",
            "node/shell/api_people.c", "node/shell/api_profile.c",
            "node/shell/api_purge.c"],
    "body": ["proto/body.c"],
    "bundle": ["proto/bundle.c", "proto/bundle_judge.c"],
    "chunk": ["proto/chunk.c", "proto/chunk_write.c"],
    "codec": ["proto/codec.c"],
    "config": ["node/shell/options.c"],
    "entry": ["proto/entry.c"],
    "guard": ["node/shell/http_guard.c"],
    "invite": ["node/shell/invite_text.c"],
    "key_file": ["node/shell/key_file.c"],
    "link": ["proto/link.c", "proto/noise.c"],
    "node": ["node/messages.c", "node/ingest.c", "node/records.c", "node/jobs.c",
             "node/catchup.c", "node/serve.c", "node/interest.c", "node/hello.c",
             "node/sessions.c", "node/session_set.c", "node/small.c", "node/missing.c",
             "node/shuffle.c", "node/tree.c", "node/bodies_take.c"],
    "ranges": ["proto/ranges.c"],
    "reconcile": ["proto/reconcile.c", "proto/reconcile_set.c"],
    "record": ["proto/identity_record.c"],
    "replay": ["proto/replay.c"],
    "store": ["node/store/segment.c", "node/store/layout.c", "node/store/rows.c",
              "node/store/read_run.c", "node/store/read_rows.c"],
    "text": ["proto/text.c", "proto/bech32m.c", "proto/words.c",
             "proto/device_request.c"],
    "wire": ["proto/wire.c", "proto/wire_list.c", "proto/wire_range.c"],
}

# Longer inputs say little more, and each takes longer.
LENGTHS = {"config": 1024, "link": 150, "node": 1601, "reconcile": 600, "store": 200, "api": 1024}
LENGTH = 2048


def length(target):
    return LENGTHS.get(target, LENGTH)
