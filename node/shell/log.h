/* Lines for the operator, on standard error: "TIME LEVEL words", the time in UTC; under systemd's
 * journal, "<PRIORITY>words". No address of a peer stands in a line above debug; nothing secret in
 * any. What is not printable ASCII is shown as a question mark.
 */
#ifndef PARLEY_SHELL_LOG_H
#define PARLEY_SHELL_LOG_H

#include <parley/node.h>

/* Lines below the level are dropped. Starts as PARLEY_LOG_WARNING. */
void parley_log_set_level(enum parley_log_level level);
bool parley_log_is_on(enum parley_log_level level);
/* "debug", "info", "warning", "error"; false for any other word. */
bool parley_log_level_parse(enum parley_log_level *level, const char *word);
const char *parley_log_level_word(enum parley_log_level level);
/* One line, cut at 1,000 bytes. */
void parley_log_line(enum parley_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
