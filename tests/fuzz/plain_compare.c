/* In the place of libFuzzer's own comparisons, which look at what is compared so as to write it
 * into inputs: a build that counts edges alone has no use for that, and it takes a fifth of the
 * time. For clang; the linker puts these there (--wrap).
 */
#include <stddef.h>
#include <stdint.h>

#define PLAIN __attribute__((no_sanitize("coverage"), no_builtin))

int __wrap_memcmp(const void *a, const void *b, size_t size);
int __wrap_bcmp(const void *a, const void *b, size_t size);
int __wrap_strcmp(const char *a, const char *b);
int __wrap_strncmp(const char *a, const char *b, size_t size);

PLAIN int __wrap_memcmp(const void *a, const void *b, size_t size) {
    const uint8_t *first = a, *second = b;
    uint64_t words[2];
    for (; size >= 8; first += 8, second += 8, size -= 8) {
        __builtin_memcpy(&words[0], first, 8);
        __builtin_memcpy(&words[1], second, 8);
        if (words[0] != words[1])
            break;
    }
    for (; size > 0; first++, second++, size--)
        if (*first != *second)
            return *first < *second ? -1 : 1;
    return 0;
}

PLAIN int __wrap_bcmp(const void *a, const void *b, size_t size) {
    return __wrap_memcmp(a, b, size);
}

PLAIN int __wrap_strncmp(const char *a, const char *b, size_t size) {
    for (; size > 0; a++, b++, size--)
        if (*a != *b || *a == '\0')
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

PLAIN int __wrap_strcmp(const char *a, const char *b) {
    return __wrap_strncmp(a, b, SIZE_MAX);
}
