/// Why a TLS connection, or a context for some, cannot be had.
package enum TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// OpenSSL's own words; they name no secret.
    case handshakeFailed(String)
    /// The chain of the server's certificate leads to nothing trusted, or is out of date.
    case certificateUnverified(String)
    /// The certificate is for other names than the one asked for (RFC 7817 §3).
    case nameMismatch
    /// The peer speaks no TLS 1.2 and no TLS 1.3.
    case protocolVersion
    /// The peer offers, or has chosen, application protocols that are not ours (RFC 7301 §3.2).
    case noCommonProtocol
    /// What arrived after the handshake is no TLS, or was changed on its way.
    case protocolViolation(String)
    /// The connection ended without close_notify: what came last may be cut.
    case uncleanShutdown
    case closedDuringHandshake
    case unusableName
    case unusableFile(String)
    case keyDoesNotMatch(String)
    /// OpenSSL, or the policy of the system, does not take this program's own settings.
    case unusableSettings
    case outOfMemory

    package var description: String {
        switch self {
        case .handshakeFailed(let reason): "TLS handshake failed: \(reason)"
        case .certificateUnverified(let reason): "certificate not trusted: \(reason)"
        case .nameMismatch: "the certificate is not for the server's name"
        case .protocolVersion: "no common TLS version: 1.2 or 1.3 is needed"
        case .noCommonProtocol: "no common application protocol (ALPN)"
        case .protocolViolation(let reason): "TLS broken: \(reason)"
        case .uncleanShutdown: "the connection was cut without a TLS goodbye"
        case .closedDuringHandshake: "the connection was closed during the TLS handshake"
        case .unusableName: "the server's name is no host name and no address"
        case .unusableFile(let file): "\(file) cannot be read as PEM"
        case .keyDoesNotMatch(let file): "the key \(file) does not belong to its certificate"
        case .unusableSettings: "OpenSSL does not accept the TLS settings"
        case .outOfMemory: "OpenSSL is out of memory"
        }
    }
}
