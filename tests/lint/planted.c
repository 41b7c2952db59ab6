/* Faults on purpose, not built: an analyser that says nothing of them is not looking. */
#include <stddef.h>
#include <stdlib.h>

int planted_use_after_free(void);
int planted_past_the_end(void);

int planted_use_after_free(void) {
    int *number = malloc(sizeof *number);
    if (number == NULL)
        return 0;
    *number = 1;
    free(number);
    return *number;
}

int planted_past_the_end(void) {
    int numbers[4] = {0};
    size_t size = sizeof(numbers) / sizeof(numbers);
    return numbers[size + 3];
}
