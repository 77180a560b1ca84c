import COpenSSL

/// OpenSSL's queue of errors, one for each thread: cleared before a call, and drained after one
/// that failed.
enum ErrorQueue {
    static func clear() {
        ERR_clear_error()
    }

    /// The reason of the first error; the rest is dropped.
    static func drain() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return "unknown reason" }
        return String(cString: reason)
    }
}
