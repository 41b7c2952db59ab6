/* Writes the vectors of bundles: bundle_vectors DIRECTORY writes DIRECTORY/NAME.parley for each and
 * DIRECTORY/verdicts.txt. A test compares them with what is in the tree. */
#include "bundle_fixture.h"

#include <stdio.h>

static struct fixture_bundle bundle;

static FILE *open_in(const char *directory, const char *name, const char *ending) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        perror(path);
    return file;
}

static void print_verdict(FILE *out, const struct fixture_named_bundle *named) {
    struct parley_bundle_finding finding;
    char log[65] = "-";
    fixture_judge(&finding, fixture_bundle_bytes(&bundle));
    if (finding.has_entry)
        parley_hex_encode(log, finding.log.bytes, sizeof finding.log.bytes);
    fprintf(out, "%s\t%s\t%llu\t%s\t%llu\t%s\n", named->name, parley_error_name(finding.error),
            (unsigned long long)finding.offset, log, (unsigned long long)finding.seq, named->words);
}

int main(int argc, char **argv) {
    if (argc != 2 || parley_crypto_self_test() != PARLEY_E_OK)
        return 2;
    FILE *verdicts = open_in(argv[1], "verdicts", ".txt");
    if (verdicts == NULL)
        return 4;
    fputs("# Bundles, SPEC 7. Columns: NAME of the file NAME.parley, verdict (OK or the error's\n"
          "# name), byte offset of what is wrong (of the end when OK), log and seq of the damaged\n"
          "# entry or - and 0 when the damage is outside any, words. Made by bundle_vectors.\n",
          verdicts);
    for (size_t i = 0; i < fixture_named_bundles_count; i++) {
        const struct fixture_named_bundle *named = &fixture_named_bundles[i];
        named->make(&bundle);
        FILE *file = open_in(argv[1], named->name, ".parley");
        if (file == NULL)
            return 4;
        fwrite(bundle.data, 1, bundle.size, file);
        fclose(file);
        print_verdict(verdicts, named);
    }
    return fclose(verdicts) == 0 ? 0 : 4;
}
