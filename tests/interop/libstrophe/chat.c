/* Two people with libstrophe, in one program: login, roster, presence, chat, a message that waits, and an orderly end.
 *
 * The story is told by what comes in: a stanza that belongs to its next place moves it on. Exits with 0 at the end, and
 * with 1 where the story stops.
 *
 * Where the server is, is in the environment: see ../run.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>

#define ROMEO "romeo@localhost"
#define JULIET "juliet@localhost"
#define GREETING "It is my lady, <O>, it is my love! & \xe2\x98\x80"
#define PATIENCE 20000 /* milliseconds */

struct person {
    const char *address, *password, *port;
    long flags;
    xmpp_ctx_t *context;
    xmpp_conn_t *connection;
    int online;
};

static struct person romeo = {.address = ROMEO, .password = "montague"};
static struct person juliet = {.address = JULIET, .password = "capulet", .flags = XMPP_CONN_FLAG_LEGACY_SSL};

static enum { ARRIVING, GREETED, ANSWERED, ROMEO_LEFT, STORED, ROMEO_IS_BACK, LEAVING, OVER } place = ARRIVING;

static void come(struct person *person);

static int move_on(int from, int to) {
    if ((int)place != from) return 0;
    place = to;
    return 1;
}

static void say(struct person *person, const char *to, const char *text) {
    xmpp_stanza_t *message = xmpp_message_new(person->context, "chat", to, NULL);
    xmpp_message_set_body(message, text);
    xmpp_send(person->connection, message);
    xmpp_stanza_release(message);
}

static void be_present(struct person *person, const char *to) {
    xmpp_stanza_t *presence = xmpp_presence_new(person->context);
    if (to) xmpp_stanza_set_to(presence, to);
    xmpp_send(person->connection, presence);
    xmpp_stanza_release(presence);
}

static void ask(struct person *person, const char *id, const char *name, const char *ns) {
    xmpp_stanza_t *iq = xmpp_iq_new(person->context, "get", id);
    xmpp_stanza_t *child = xmpp_stanza_new(person->context);
    xmpp_stanza_set_name(child, name);
    xmpp_stanza_set_ns(child, ns);
    xmpp_stanza_add_child(iq, child);
    xmpp_send(person->connection, iq);
    xmpp_stanza_release(child);
    xmpp_stanza_release(iq);
}

static int on_roster(xmpp_conn_t *connection, xmpp_stanza_t *iq, void *data) {
    (void)connection;
    if (strcmp(xmpp_stanza_get_type(iq), "result") == 0) be_present(data, NULL);
    return 0;
}

/* What was sent before has been dealt with. */
static int on_pong(xmpp_conn_t *connection, xmpp_stanza_t *iq, void *data) {
    (void)connection, (void)iq, (void)data;
    if (move_on(ROMEO_LEFT, STORED)) come(&romeo);
    return 0;
}

static int on_presence(xmpp_conn_t *connection, xmpp_stanza_t *presence, void *data) {
    struct person *person = data;
    const char *from = xmpp_stanza_get_from(presence), *type = xmpp_stanza_get_type(presence);
    if (!from) return 1;
    if (!type && strcmp(from, xmpp_conn_get_bound_jid(connection)) == 0) {
        person->online = 1;
        if (place == ARRIVING && romeo.online && juliet.online)
            be_present(&romeo, xmpp_conn_get_bound_jid(juliet.connection));
    } else if (person == &juliet && strncmp(from, ROMEO "/", strlen(ROMEO "/")) == 0) {
        if (!type && move_on(ARRIVING, GREETED)) say(&romeo, JULIET, GREETING);
        if (type && strcmp(type, "unavailable") == 0 && move_on(ANSWERED, ROMEO_LEFT)) {
            say(&juliet, ROMEO, "What's in a name?");
            xmpp_id_handler_add(connection, on_pong, "ping", person);
            ask(&juliet, "ping", "ping", "urn:xmpp:ping");
        }
    }
    return 1;
}

static int on_message(xmpp_conn_t *connection, xmpp_stanza_t *message, void *data) {
    struct person *person = data;
    char *body = xmpp_message_get_body(message);
    if (!body) return 1;
    if (person == &juliet && strcmp(body, GREETING) == 0) {
        say(&juliet, xmpp_stanza_get_from(message), "Ay me!");
    } else if (person == &romeo && strcmp(body, "Ay me!") == 0 && move_on(GREETED, ANSWERED)) {
        xmpp_disconnect(connection);
    } else if (person == &romeo && strcmp(body, "What's in a name?") == 0) {
        int waited = xmpp_stanza_get_child_by_name_and_ns(message, "delay", "urn:xmpp:delay") != NULL;
        if (waited && move_on(ROMEO_IS_BACK, LEAVING)) {
            xmpp_disconnect(romeo.connection);
            xmpp_disconnect(juliet.connection);
        }
    }
    xmpp_free(person->context, body);
    return 1;
}

static void on_connection(xmpp_conn_t *connection, xmpp_conn_event_t event, int error, xmpp_stream_error_t *why,
                          void *data) {
    struct person *person = data;
    (void)error, (void)why;
    if (event == XMPP_CONN_CONNECT) {
        if (person == &romeo) move_on(STORED, ROMEO_IS_BACK);
        xmpp_handler_add(connection, on_presence, NULL, "presence", NULL, person);
        xmpp_handler_add(connection, on_message, NULL, "message", NULL, person);
        xmpp_id_handler_add(connection, on_roster, "roster", person);
        ask(person, "roster", "query", XMPP_NS_ROSTER);
        return;
    }
    person->online = 0;
    if (place != ANSWERED && place != ROMEO_LEFT && place != LEAVING) xmpp_stop(person->context);
    if (!romeo.online && !juliet.online && move_on(LEAVING, OVER)) xmpp_stop(person->context);
}

static void come(struct person *person) {
    person->connection = xmpp_conn_new(person->context);
    xmpp_conn_set_flags(person->connection, person->flags);
    xmpp_conn_set_cafile(person->connection, getenv("STUBE_CERTIFICATE"));
    xmpp_conn_set_jid(person->connection, person->address);
    xmpp_conn_set_pass(person->connection, person->password);
    unsigned short port = (unsigned short)atoi(person->port);
    if (xmpp_connect_client(person->connection, "127.0.0.1", port, on_connection, person) != XMPP_EOK)
        xmpp_stop(person->context);
}

static int too_late(xmpp_ctx_t *context, void *data) {
    (void)data;
    xmpp_stop(context);
    return 0;
}

int main(void) {
    xmpp_initialize();
    xmpp_ctx_t *context = xmpp_ctx_new(NULL, xmpp_get_default_logger(XMPP_LEVEL_ERROR));
    romeo.context = juliet.context = context;
    romeo.port = getenv("STUBE_PORT"), juliet.port = getenv("STUBE_TLS_PORT");
    xmpp_global_timed_handler_add(context, too_late, PATIENCE, NULL);
    come(&romeo);
    come(&juliet);
    xmpp_run(context);
    if (place != OVER) fprintf(stderr, "the story stops at place %d\n", place);
    return place != OVER;
}
