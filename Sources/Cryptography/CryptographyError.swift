import COpenSSL

/// The reason why a call of libcrypto failed.
package enum CryptographyError: Error, Equatable, Sendable {
    /// A key, a certificate or a parameter is unusable; the text says why.
    case unusable(String)
    /// The sealed text has another key or purpose, or was changed.
    case notAuthentic
    /// libcrypto lacks memory or an algorithm.
    case unavailable

    /// Empties libcrypto's error queue of this thread: ``TLS`` reads it after its own calls.
    static func clearQueue() {
        ERR_clear_error()
    }
}
