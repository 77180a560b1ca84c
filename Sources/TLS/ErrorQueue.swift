import COpenSSL

/// OpenSSL's queue of errors, one for each thread: cleared before a call, and drained after one
/// that failed.
enum ErrorQueue {
    /// What a call failed for: OpenSSL's number for it, and its words.
    struct Reason {
        var code: CInt
        var text: String
    }

    static func clear() {
        ERR_clear_error()
    }

    /// The reason of the first error; the rest is dropped.
    static func drain() -> Reason {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else {
            return Reason(code: 0, text: "unknown reason")
        }
        return Reason(code: ERR_GET_REASON(code), text: String(cString: text))
    }
}
