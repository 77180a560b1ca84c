import COpenSSL

/// OpenSSL's error queue of the current thread. Clear it before a call, drain it after a failed
/// one.
enum ErrorQueue {
    /// The reason of a failed call: OpenSSL's code and text.
    struct Reason {
        var code: CInt
        var text: String
    }

    /// Removes errors of earlier calls.
    ///
    /// The queue is empty nearly always, and to find that out costs less than to clear it.
    static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Removes all errors and returns the first.
    static func drain() -> Reason {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else {
            return Reason(code: 0, text: "unknown reason")
        }
        return Reason(code: ERR_GET_REASON(code), text: String(cString: text))
    }
}
