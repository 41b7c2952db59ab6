/* The commands: one table row each. */
#ifndef PARLEY_TOOL_COMMAND_H
#define PARLEY_TOOL_COMMAND_H

#include "client.h"
#include "options.h"
#include <argp.h>

struct command {
    const char *name;
    const char *arguments; /* for --help */
    const char *words;
    size_t arguments_min, arguments_max;
    const char *keys; /* letters of its own options, see options.c */
    int (*run)(const struct options *options);
};

int command_init(const struct options *options);
int command_open(const struct options *options);
int command_id(const struct options *options);
int command_doctor(const struct options *options);
int command_status(const struct options *options);
int command_digest(const struct options *options);
int command_post(const struct options *options);
int command_timeline(const struct options *options);
int command_show(const struct options *options);
int command_thread(const struct options *options);
int command_echo(const struct options *options);
int command_vote(const struct options *options);
int command_erase(const struct options *options);
int command_purge(const struct options *options);
int command_profile(const struct options *options);
int command_invite(const struct options *options);
int command_accept(const struct options *options);
int command_follow(const struct options *options);
int command_unfollow(const struct options *options);
int command_mute(const struct options *options);
int command_unmute(const struct options *options);
int command_block(const struct options *options);
int command_unblock(const struct options *options);
int command_allow(const struct options *options);
int command_unallow(const struct options *options);
int command_why(const struct options *options);
/* post1..., or something that ends as a handle does. */
bool is_post(const char *text);
int command_follows(const struct options *options);
int command_peers(const struct options *options);
int command_connect(const struct options *options);
int command_disconnect(const struct options *options);
int command_export(const struct options *options);
int command_import(const struct options *options);
int command_check(const struct options *options);
int command_rebuild(const struct options *options);
int command_repair(const struct options *options);
int command_device(const struct options *options);
int command_rotate(const struct options *options);
int command_recover(const struct options *options);
/* init --join. */
int command_join(const struct options *options);
int command_verify(const struct options *options);

#endif
