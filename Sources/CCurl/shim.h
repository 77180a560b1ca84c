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

static inline CURLcode gp_curl_set_progress(
    CURL *curl, curl_xferinfo_callback callback, void *argument) {
    CURLcode code = curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, callback);
    return code != CURLE_OK ? code : curl_easy_setopt(curl, CURLOPT_XFERINFODATA, argument);
}

/* Lets an aborted request leave a name resolution behind instead of waiting for it: libcurl 7.87. */
static inline CURLcode gp_curl_set_quick_exit(CURL *curl) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)curl;
    return CURLE_OK;
#endif
}

static inline CURLcode gp_curl_get_long(CURL *curl, CURLINFO info, long *value) {
    return curl_easy_getinfo(curl, info, value);
}

static inline CURLcode gp_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
