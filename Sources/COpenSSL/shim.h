#ifndef GATEPOST_COPENSSL_H
#define GATEPOST_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Macros of libssl and libcrypto, as functions that Swift can call. */

static inline long gp_SSL_CTX_get_min_proto_version(SSL_CTX *context) {
    return SSL_CTX_get_min_proto_version(context);
}

static inline long gp_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

static inline long gp_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_max_proto_version(context, version);
}

static inline long gp_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *groups) {
    return SSL_CTX_set1_groups_list(context, groups);
}

static const uint64_t gp_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t gp_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t gp_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;

static inline long gp_SSL_CTX_set_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_mode(context, mode);
}

static inline long gp_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}

static inline void gp_SSL_CTX_set_tlsext_servername_callback(
    SSL_CTX *context, int (*callback)(SSL *, int *, void *)) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
}

static inline void gp_SSL_CTX_set_tlsext_servername_arg(SSL_CTX *context, void *argument) {
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

static inline long gp_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name);
}

static inline void gp_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline void gp_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline const char *gp_X509_verify_error(long code) {
    return X509_verify_cert_error_string(code);
}

static inline int gp_sk_GENERAL_NAME_num(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

static inline GENERAL_NAME *gp_sk_GENERAL_NAME_value(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

/* A DNS name of a certificate; NULL for names of other types. */
static inline const unsigned char *gp_GENERAL_NAME_dns(const GENERAL_NAME *name, int *length) {
    if (name->type != GEN_DNS) return NULL;
    *length = ASN1_STRING_length(name->d.dNSName);
    return ASN1_STRING_get0_data(name->d.dNSName);
}

static inline EVP_PKEY *gp_EVP_EC_gen(const char *curve) { return EVP_EC_gen(curve); }

static inline int gp_SSL_CTX_set_ciphersuites(SSL_CTX *context, const char *suites) {
    return SSL_CTX_set_ciphersuites(context, suites);
}

static inline void gp_OPENSSL_free(void *octets) { OPENSSL_free(octets); }

static inline GENERAL_NAMES *gp_sk_GENERAL_NAME_new(void) { return sk_GENERAL_NAME_new_null(); }

static inline int gp_sk_GENERAL_NAME_push(GENERAL_NAMES *names, GENERAL_NAME *name) {
    return sk_GENERAL_NAME_push(names, name);
}

static inline void gp_GENERAL_NAMES_free(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }

#endif
