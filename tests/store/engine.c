#include "engine.h"
#include "../../node/shell/kv_leveldb.h"
#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void engine_init(struct engine *engine, enum engine_kind kind) {
    *engine = (struct engine){.kind = kind};
    if (kind == ENGINE_MEMORY) {
        engine->disk = parley_disk_create();
        assert(engine->disk != NULL);
        return;
    }
    snprintf(engine->path, sizeof engine->path, "/tmp/parley-store-XXXXXX");
    char *made = mkdtemp(engine->path);
    assert(made != NULL);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

void engine_clear(struct engine *engine) {
    engine_close(engine);
    parley_disk_free(engine->disk);
    if (engine->kind == ENGINE_LEVELDB)
        nftw(engine->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    *engine = (struct engine){0};
}

enum parley_error engine_open(struct engine *engine, bool create) {
    assert(engine->kv == NULL);
    if (engine->kind == ENGINE_MEMORY)
        return parley_kv_memory_open(&engine->kv, engine->disk, create);
    return parley_kv_leveldb_open(&engine->kv, engine->path, create, 0, NULL, 0);
}

void engine_close(struct engine *engine) {
    if (engine->kv != NULL)
        engine->kv->calls->close(engine->kv);
    engine->kv = NULL;
}
