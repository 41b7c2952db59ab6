#include "lan_group.h"
#include <string.h>

static bool is_among(const char *text, const struct parley_interface *interfaces, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(interfaces[i].text, text) == 0)
            return true;
    return false;
}

static bool has_joined(const struct lan_group *group, const char *text) {
    for (size_t i = 0; i < group->count; i++)
        if (strcmp(group->joined[i], text) == 0)
            return true;
    return false;
}

static int leave(uv_udp_t *socket, const char *address, const char *text) {
    return uv_udp_set_membership(socket, address, text, UV_LEAVE_GROUP);
}

static void leave_gone(struct lan_group *group, uv_udp_t *socket, const char *address,
                       const struct parley_interface *interfaces, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (is_among(group->joined[i], interfaces, count))
            memmove(group->joined[kept++], group->joined[i], sizeof group->joined[i]);
        else
            (void)leave(socket, address, group->joined[i]);
    }
    group->count = kept;
}

static void join(struct lan_group *group, uv_udp_t *socket, const char *address, const char *text) {
    if (uv_udp_set_membership(socket, address, text, UV_JOIN_GROUP) != 0)
        return; /* it is in, by this address or by another one of the same link */
    if (has_joined(group, text)) {
        /* The link of before has gone, and another one has its address. */
        while (leave(socket, address, text) == 0)
            ;
        (void)uv_udp_set_membership(socket, address, text, UV_JOIN_GROUP);
    } else if (group->count < PARLEY_INTERFACES_MAX) {
        memcpy(group->joined[group->count++], text, strlen(text) + 1);
    }
}

void lan_group_follow(struct lan_group *group, uv_udp_t *socket, const char *address,
                      const struct parley_interface *interfaces, size_t count) {
    leave_gone(group, socket, address, interfaces, count);
    for (size_t i = 0; i < count; i++)
        if (parley_ip_is_v4(&interfaces[i].ip))
            join(group, socket, address, interfaces[i].text);
}
