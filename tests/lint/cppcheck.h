/* What foreign headers, which cppcheck does not read, say that it must know. */
#define noreturn __attribute__((noreturn))
#define json_array_foreach(array, i, value)                                                        \
    for (i = 0; i < json_array_size(array) && (value = json_array_get(array, i)) != NULL; i++)
