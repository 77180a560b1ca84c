#ifndef GATEPOST_CLDAP_H
#define GATEPOST_CLDAP_H

#include <lber.h>
#include <ldap.h>
#include <openldap.h>
#include <sys/time.h>

/* Options of libldap as functions that Swift can call, and constants that are no plain numbers. */

static const int gp_LDAP_OPT_X_TLS_PROTOCOL_TLS1_2 = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;

static const int gp_LDAP_RES_BIND = (int)LDAP_RES_BIND;
static const int gp_LDAP_RES_SEARCH_ENTRY = (int)LDAP_RES_SEARCH_ENTRY;
static const int gp_LDAP_RES_SEARCH_REFERENCE = (int)LDAP_RES_SEARCH_REFERENCE;
static const int gp_LDAP_RES_SEARCH_RESULT = (int)LDAP_RES_SEARCH_RESULT;
static const int gp_LDAP_RES_EXTENDED = (int)LDAP_RES_EXTENDED;
static const int gp_LDAP_RES_INTERMEDIATE = (int)LDAP_RES_INTERMEDIATE;

static inline int gp_ldap_set_number(LDAP *ld, int option, int value) {
    return ldap_set_option(ld, option, &value);
}

/* An empty string clears the option. */
static inline int gp_ldap_set_string(LDAP *ld, int option, const char *value) {
    return ldap_set_option(ld, option, value);
}

static inline int gp_ldap_set_off(LDAP *ld, int option) {
    return ldap_set_option(ld, option, LDAP_OPT_OFF);
}

static inline int gp_ldap_set_on(LDAP *ld, int option) {
    return ldap_set_option(ld, option, LDAP_OPT_ON);
}

/* Without a time limit of libldap's own. */
static inline int gp_ldap_set_endless(LDAP *ld, int option) {
    struct timeval endless = {-1, 0};
    return ldap_set_option(ld, option, &endless);
}

/* The longest message that libldap reads, in octets. */
static inline int gp_ldap_set_maximum_incoming(LDAP *ld, ber_len_t octets) {
    Sockbuf *socket = NULL;
    if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &socket) != LDAP_OPT_SUCCESS || socket == NULL)
        return LDAP_OPT_ERROR;
    return ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &octets) == 1
        ? LDAP_OPT_SUCCESS : LDAP_OPT_ERROR;
}

static inline int gp_ldap_connection_refused(
    LDAP *ld, Sockbuf *socket, LDAPURLDesc *server, struct sockaddr *address,
    struct ldap_conncb *callback) {
    (void)ld, (void)socket, (void)server, (void)address, (void)callback;
    return -1;
}

static inline void gp_ldap_connection_ended(
    LDAP *ld, Sockbuf *socket, struct ldap_conncb *callback) {
    (void)ld, (void)socket, (void)callback;
}

/* Makes every connection fail that libldap opens by itself. */
static inline int gp_ldap_refuse_connections(LDAP *ld) {
    static struct ldap_conncb refusal = {
        gp_ldap_connection_refused, gp_ldap_connection_ended, NULL};
    return ldap_set_option(ld, LDAP_OPT_CONNECT_CB, &refusal);
}

/* libldap exports this function for OpenLDAP's own programs, and installs no header for it. */
LDAP_F(BerElement *) ldap_get_message_ber LDAP_P((LDAPMessage * message));

/* The value of an extended response (RFC 4511 section 4.12), within the message; a null pointer if
   it has none. ldap_parse_extended_result ends the process if the response has an empty name. */
static inline struct berval gp_ldap_extended_value(LDAPMessage *message) {
    struct berval value = {0, NULL}, element = {0, NULL};
    ber_len_t length = 0;
    ber_tag_t tag = LBER_DEFAULT;
    BerElement *message_ber = ldap_get_message_ber(message);
    BerElement *ber = message_ber == NULL ? NULL : ber_dup(message_ber);
    if (ber == NULL) return value;
    if (ber_skip_tag(ber, &length) == LDAP_RES_EXTENDED)
        while ((tag = ber_skip_element(ber, &element)) != LBER_DEFAULT)
            if (tag == LDAP_TAG_EXOP_RES_VALUE) {
                value = element;
                break;
            }
    ber_free(ber, 0);
    return value;
}

/* The TLS library of libldap, such as "GnuTLS"; ldap_memfree frees it. */
static inline char *gp_ldap_tls_package(void) {
    char *name = NULL;
    return ldap_get_option(NULL, LDAP_OPT_X_TLS_PACKAGE, &name) == LDAP_OPT_SUCCESS ? name : NULL;
}

/* The text of the last error; ldap_memfree frees it. */
static inline char *gp_ldap_diagnostic(LDAP *ld) {
    char *text = NULL;
    const int code = ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
    return code == LDAP_OPT_SUCCESS ? text : NULL;
}

static inline int gp_ldap_result_code(LDAP *ld) {
    int code = LDAP_OTHER;
    (void)ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &code);
    return code;
}

#endif
