#include "standard_files.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define EXIT_SYSTEM 4

void parley_standard_files_open(void) {
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
        if (fcntl(file, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number is this one. Opened the other way round: to read standard input,
         * or to write the others, fails. */
        if (open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) != file)
            _exit(EXIT_SYSTEM);
    }
}
