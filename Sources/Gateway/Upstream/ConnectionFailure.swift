import Glibc
import NIOCore
import NIOPosix
package import TLS

/// Why a connection to another host failed, in the classes that need different remedies.
///
/// The errors of the network library name its own types (`SingleConnectionFailure(…)`). Each error that reaches the
/// log or an administrator passes through this type. It contains no octet that a peer sent.
package enum ConnectionFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// The host answered that no program listens on the port (ECONNREFUSED).
    case refused
    /// The host did not answer within the connect timeout (ETIMEDOUT).
    case timedOut
    /// The resolver found no address for the host name.
    case noSuchHost
    /// No route leads to the host or its network (EHOSTUNREACH, ENETUNREACH).
    case unreachable
    /// The peer aborted an open connection (ECONNRESET, EPIPE).
    case reset
    /// The peer closed the connection before the exchange was over.
    case closed
    /// The process or the machine has no free file descriptor (EMFILE, ENFILE).
    case noDescriptor
    /// The TLS handshake, or a TLS record after it, failed.
    case tls(TLSError)
    /// Another system error, by its errno(3) number.
    case system(CInt)
    /// An error of this program's own types. Their descriptions are plain text.
    case other(String)

    /// - Parameter error: an error of NIO, of the TLS target, or of this program.
    package init(_ error: any Error) {
        self =
            switch error {
            case let error as ConnectionFailure: error
            case let error as TLSError: .tls(error)
            case let error as IOError: Self(code: error.errnoCode)
            case let error as NIOConnectionError: Self(attempts: error)
            case is SocketAddressError.UnknownHost: .noSuchHost
            case ChannelError.connectTimeout: .timedOut
            case ChannelError.eof, ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed,
                ChannelError.inputClosed, ChannelError.outputClosed:
                .closed
            case let error as any CustomStringConvertible: .other(error.description)
            default: .other("\(error)")
            }
    }

    /// - Parameter code: an errno(3) number.
    private init(code: CInt) {
        self =
            switch code {
            case ECONNREFUSED: .refused
            case ETIMEDOUT: .timedOut
            case EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN: .unreachable
            case ECONNRESET, EPIPE, ECONNABORTED: .reset
            case EMFILE, ENFILE: .noDescriptor
            default: .system(code)
            }
    }

    /// A host name leads to several addresses, and each attempt fails in its own way (RFC 8305). The most telling
    /// failure counts: a machine without IPv6 cannot reach `::1`, but the refusal of `127.0.0.1` is the reason.
    private init(attempts: NIOConnectionError) {
        let failures = attempts.connectionErrors.map { Self($0.error) }
        let mostTelling = failures.min { $0.rank < $1.rank }
        self = mostTelling ?? .noSuchHost
    }

    /// The order in which failures of several addresses explain why none could be reached.
    private var rank: Int {
        switch self {
        case .refused, .tls: 0
        case .timedOut: 1
        case .reset, .closed, .noDescriptor, .system, .other: 2
        case .unreachable, .noSuchHost: 3
        }
    }

    /// Whether the network worked and TLS failed.
    package var isTLS: Bool {
        if case .tls = self { true } else { false }
    }

    /// What happened, without a remedy.
    package var reason: String {
        switch self {
        case .refused: "connection refused"
        case .timedOut: "no answer in time"
        case .noSuchHost: "no such host"
        case .unreachable: "no route to the host"
        case .reset: "connection reset by the peer"
        case .closed: "the connection was closed"
        case .noDescriptor: "no free file descriptor"
        case .tls(let error): error.description
        case .system(let code): String(cString: strerror(code))
        case .other(let text): text
        }
    }

    /// What an administrator can do about it; nil where the reason says it, or nothing general is known.
    package var remedy: String? {
        switch self {
        case .refused: "check the port, and that the server runs"
        case .timedOut: "check host, port and firewall"
        case .noSuchHost: "check the spelling of the host name, and DNS"
        case .unreachable: "check the host's address, routes and firewall"
        case .reset, .closed: "check the port and --tls, and look into the server's log"
        case .noDescriptor: "raise the limit of open files"
        case .tls(let error): Self.remedy(for: error)
        case .system, .other: nil
        }
    }

    private static func remedy(for error: TLSError) -> String? {
        switch error {
        case .certificateUnverified:
            "check its certificate chain, or name its certificate authority with --ca"
        case .nameMismatch: "use a host name that its certificate is for"
        case .handshakeFailed, .closedDuringHandshake, .protocolViolation:
            "check the port and --tls: implicit TLS and STARTTLS use different ports"
        case .uncleanShutdown: "look into the server's log"
        case .protocolVersion: "enable TLS 1.2 or 1.3 on the server"
        case .unusableName: "name the server by host name or address"
        case .unusableFile: "check the file of --ca"
        case .noCommonProtocol, .keyDoesNotMatch, .unusableSettings, .outOfMemory: nil
        }
    }

    /// Reason and remedy in one line: `connection refused: check the port, and that the server runs`.
    package var description: String {
        self.remedy.map { "\(self.reason): \($0)" } ?? self.reason
    }
}
