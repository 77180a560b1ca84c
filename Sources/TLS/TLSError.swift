/// Why a TLS connection, or a context for some, cannot be had.
package enum TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// OpenSSL's own words; they name no secret.
    case handshakeFailed(String)
    case certificateUnverified(String)
    case protocolViolation(String)
    /// The connection ended without close_notify: what came last may be cut.
    case uncleanShutdown
    case closedDuringHandshake
    case unusableName
    case unusableFile(String)
    case keyDoesNotMatch(String)
    case outOfMemory

    package var description: String {
        switch self {
        case .handshakeFailed(let reason): "TLS handshake failed: \(reason)"
        case .certificateUnverified(let reason): "certificate not trusted: \(reason)"
        case .protocolViolation(let reason): "TLS broken: \(reason)"
        case .uncleanShutdown: "the connection was cut without a TLS goodbye"
        case .closedDuringHandshake: "the connection was closed during the TLS handshake"
        case .unusableName: "the server's name is no host name and no address"
        case .unusableFile(let file): "\(file) cannot be read as PEM"
        case .keyDoesNotMatch(let file): "the key \(file) does not belong to its certificate"
        case .outOfMemory: "OpenSSL is out of memory"
        }
    }
}
