import COpenSSL

/// Why libcrypto could not do what was asked.
package enum CryptographyError: Error, Equatable, Sendable {
    /// A key, a certificate or parameters that cannot be used.
    case unusable(String)
    /// A sealed text was made with another key, for another purpose, or was changed.
    case notAuthentic
    /// libcrypto failed for want of memory or of an algorithm.
    case unavailable

    /// Empties libcrypto's queue of errors, which is one for each thread: TLS reads it after its own calls.
    static func clearQueue() {
        ERR_clear_error()
    }
}
