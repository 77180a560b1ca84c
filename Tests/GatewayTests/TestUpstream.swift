import Access
import Logging
import NIOCore
import NIOEmbedded
import SASL
import Session
import Store
import Synchronization

@testable import Gateway
@testable import Store

extension EmbeddedEventLoop {
    /// What comes of a future needs more time, or another event.
    struct Pending: Error {}

    /// What a future has come to by now.
    func value<Value: Sendable>(of future: EventLoopFuture<Value>) throws -> Value {
        let result = Mutex<Result<Value, any Error>?>(nil)
        future.whenComplete { end in result.withLock { $0 = end } }
        self.run()
        guard let end = result.withLock({ $0 }) else { throw Pending() }
        return try end.get()
    }
}

/// Connects channels of an embedded loop to servers that a test plays.
final class EmbeddedConnector: UpstreamConnector {
    private let dialled = Mutex<[EmbeddedChannel]>([])
    /// How many addresses of the host are tried at the same time; the first one is reached.
    private let addresses: Int

    /// Whether an address is reached; otherwise the attempts last until they are closed.
    private let isReached: Bool

    init(addresses: Int = 1, isReached: Bool = true) {
        self.addresses = addresses
        self.isReached = isReached
    }

    /// The connections in order.
    var channels: [EmbeddedChannel] { self.dialled.withLock { $0 } }

    func dial(
        _ endpoint: Endpoint,
        on loop: any EventLoop,
        timeout: TimeAmount,
        configure: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        guard let embedded = loop as? EmbeddedEventLoop else {
            return loop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let channel = EmbeddedChannel(loop: embedded)
        do {
            try configure(channel)
            let others = try (1..<self.addresses).map { _ in
                let other = EmbeddedChannel(loop: embedded)
                try configure(other)
                return other
            }
            let address = try SocketAddress(ipAddress: "192.0.2.1", port: endpoint.port)
            self.dialled.withLock { $0 += others + [channel] }
            guard self.isReached else {
                return channel.closeFuture.flatMapThrowing { throw ChannelError.ioOnClosedChannel }
            }
            return channel.connect(to: address).map {
                for other in others { other.close(promise: nil) }
                return channel
            }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }
}

/// What connections to servers share, with virtual time and servers that a test plays.
struct TestUpstream {
    static let timeForLogin = TimeAmount.seconds(15)

    let loop = EmbeddedEventLoop()
    let connector: EmbeddedConnector
    let account: UpstreamAccount
    let services: UpstreamServices

    /// - Parameters:
    ///   - tls: of both servers.
    ///   - addresses: how many addresses the host has.
    ///   - isReached: whether one of them is reached.
    init(
        tls: Endpoint.Security = .none,
        kind: Account.Kind = .imap,
        addresses: Int = 1,
        isReached: Bool = true
    ) throws {
        self.connector = EmbeddedConnector(addresses: addresses, isReached: isReached)
        let masterKey = MasterKey()
        var account = CredentialCircuitsTests.account()
        account.kind = kind
        account.imap = Endpoint(host: "mail.kanzlei.example", port: 143, tls: tls)
        account.smtp = Endpoint(host: "mail.kanzlei.example", port: 587, tls: tls)
        account.sealedPassword = try masterKey.seal("secret", for: account.id)
        self.account = account
        let loop = self.loop
        var limits = GatewayConfiguration.Limits()
        limits.upstreamTimeout = Self.timeForLogin
        self.services = UpstreamServices(
            UpstreamServices.Dependencies(
                limits: limits,
                hostName: "gw.example",
                credentials: CredentialSource(masterKey, application: nil),
                permissions: CurrentPermissions(Self.snapshot([account])),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                connector: self.connector,
                now: { loop.now }
            )
        )
    }

    static func snapshot(_ accounts: [UpstreamAccount]) -> StoreSnapshot {
        let access = Snapshot(
            revision: 1,
            users: [],
            groups: [],
            accounts: [],
            grants: [],
            withdrawals: [],
            walls: []
        )
        return StoreSnapshot(
            access: access,
            endpoints: PersistentTable(accounts.map { ($0.id, $0) }),
            passwords: PersistentTable()
        )
    }

    var breaker: CredentialBreaker { self.services.credentialBreaker }

    /// Whether a login may be made now, with the credential given back.
    func isFree(_ service: CredentialService) -> Bool {
        let attempt = self.breaker.attempt(self.account, service: service, of: nil, on: self.loop)
        guard let attempt = try? self.loop.value(of: attempt) else { return false }
        attempt.accepted()
        return true
    }
}

/// The server's end of a connection.
extension EmbeddedChannel {
    /// The server says something, in as many octets at a time.
    func say(_ text: String, chunk: Int = .max) throws {
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty {
            let piece = ByteBuffer(bytes: octets.prefix(chunk))
            octets = octets.dropFirst(chunk)
            guard self.isActive else { return }
            try self.writeInbound(piece)
            self.embeddedEventLoop.run()
        }
    }

    /// What the server got since the last call.
    func heard() throws -> String {
        self.embeddedEventLoop.run()
        var octets = ByteBuffer()
        while let more = try self.readOutbound(as: ByteBuffer.self) {
            octets.writeImmutableBuffer(more)
        }
        return String(buffer: octets)
    }

    /// The server closes the connection.
    func hangUp() {
        self.close(promise: nil)
        self.embeddedEventLoop.run()
    }
}
