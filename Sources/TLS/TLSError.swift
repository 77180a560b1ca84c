/// The reason why a TLS connection or context is unusable.
package enum TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// OpenSSL's reason; it contains no secret.
    case handshakeFailed(String)
    /// The server's certificate chain has no trusted authority, or is not valid now.
    case certificateUnverified(String)
    /// The certificate is valid for other names than the requested one (RFC 7817 §3).
    case nameMismatch
    /// The peer supports neither TLS 1.2 nor TLS 1.3.
    case protocolVersion
    /// No application protocol is common, or the server chose one that was not offered
    /// (RFC 7301 §3.2).
    case noCommonProtocol
    /// The octets after the handshake are no TLS records, or were changed in transit.
    case protocolViolation(String)
    /// The connection ended without close_notify: the last message may be truncated.
    case uncleanShutdown
    /// The connection ended before the handshake did.
    case closedDuringHandshake
    /// A certificate cannot be verified for the server's name.
    case unusableName
    /// A file is missing or is not PEM.
    case unusableFile(String)
    /// The private key does not match its certificate.
    case keyDoesNotMatch(String)
    /// OpenSSL, or the system's policy, rejects the program's settings.
    case unusableSettings
    /// OpenSSL could not allocate memory.
    case outOfMemory

    package var description: String {
        switch self {
        case .handshakeFailed(let reason): "TLS handshake failed: \(reason)"
        case .certificateUnverified(let reason): "certificate not trusted: \(reason)"
        case .nameMismatch: "the certificate is not for the server's name"
        case .protocolVersion: "no common TLS version: 1.2 or 1.3 is needed"
        case .noCommonProtocol: "no common application protocol (ALPN)"
        case .protocolViolation(let reason): "TLS protocol violation: \(reason)"
        case .uncleanShutdown: "the connection ended without close_notify"
        case .closedDuringHandshake: "the connection was closed during the TLS handshake"
        case .unusableName: "the server's name is neither a host name nor an address"
        case .unusableFile(let file): "\(file) is not a PEM file that this user can read"
        case .keyDoesNotMatch(let file): "the key \(file) does not belong to its certificate"
        case .unusableSettings: "OpenSSL does not accept the TLS settings"
        case .outOfMemory: "OpenSSL is out of memory"
        }
    }
}
