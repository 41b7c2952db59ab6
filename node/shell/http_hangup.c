/* Whether who waits for an answer, or reads a stream, is still there. See http_internal.h.
 *
 * libwebsockets 4.1 reads nothing while an answer is on its way, and the answer of a stream always
 * is. Of one whose reader went it hears again and again, as often as the loop turns, that there is
 * something to read, and keeps the processor busy until the answer is there or the next ping is
 * refused.
 */
#include "http_internal.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct hangup {
    uv_poll_t poll;
    int fd; /* libuv wants one of its own for each watch */
    struct exchange *exchange;
};

static void on_closed(uv_handle_t *handle) {
    struct hangup *hangup = handle->data;
    close(hangup->fd);
    free(hangup);
}

static void on_hangup(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events; /* an error is the end, too */
    struct hangup *hangup = poll->data;
    uv_poll_stop(poll);
    lws_set_timeout(hangup->exchange->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
}

bool hangup_open(struct exchange *exchange) {
    struct hangup *hangup = calloc(1, sizeof(*hangup));
    if (hangup == NULL)
        return false;
    hangup->exchange = exchange;
    hangup->fd = fcntl(lws_get_socket_fd(exchange->wsi), F_DUPFD_CLOEXEC, 0);
    if (hangup->fd < 0 ||
        uv_poll_init(exchange->http->ping->loop, &hangup->poll, hangup->fd) != 0) {
        if (hangup->fd >= 0)
            close(hangup->fd);
        free(hangup);
        return false;
    }
    hangup->poll.data = hangup;
    exchange->hangup = hangup;
    return uv_poll_start(&hangup->poll, UV_DISCONNECT, on_hangup) == 0;
}

void hangup_close(struct hangup *hangup) {
    if (hangup != NULL)
        uv_close((uv_handle_t *)&hangup->poll, on_closed);
}
