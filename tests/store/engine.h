/* Both engines behind one face, so that every test of the store runs on each. */
#ifndef PARLEY_TEST_ENGINE_H
#define PARLEY_TEST_ENGINE_H

#include "../../node/store/kv.h"
#include "../sim/kv_memory.h"

enum engine_kind { ENGINE_MEMORY, ENGINE_LEVELDB };

struct engine {
    enum engine_kind kind;
    struct parley_disk *disk; /* memory */
    char path[64];            /* LevelDB: a directory of its own */
    struct parley_kv *kv;     /* NULL while closed */
};

/* An empty engine, not yet open. */
void engine_init(struct engine *engine, enum engine_kind kind);
/* Closes it and drops all that it held. */
void engine_clear(struct engine *engine);
enum parley_error engine_open(struct engine *engine, bool create);
void engine_close(struct engine *engine);

#endif
