#ifndef GATEPOST_CCURL_H
#define GATEPOST_CCURL_H

#include <curl/curl.h>

/* Functions of libcurl with a variable number of arguments, as functions that Swift can call. */

typedef size_t (*gp_curl_callback)(char *octets, size_t size, size_t count, void *argument);

static inline CURLcode gp_curl_set_long(CURL *curl, CURLoption option, long value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode gp_curl_set_size(CURL *curl, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode gp_curl_set_string(CURL *curl, CURLoption option, const char *value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode gp_curl_set_pointer(CURL *curl, CURLoption option, void *value) {
    return curl_easy_setopt(curl, option, value);
}

static inline CURLcode gp_curl_set_headers(CURL *curl, struct curl_slist *list) {
    return curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
}

static inline CURLcode gp_curl_set_callback(
    CURL *curl, CURLoption option, gp_curl_callback callback) {
    return curl_easy_setopt(curl, option, callback);
}

static inline CURLcode gp_curl_get_long(CURL *curl, CURLINFO info, long *value) {
    return curl_easy_getinfo(curl, info, value);
}

static inline CURLcode gp_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
