import Foundation
import Logging
import NIOCore
import NIOPosix
import Session
import Synchronization
import Testing

@testable import Gateway
@testable import Store

/// A mail server that takes connections and says nothing: no login waits for it for long.
@Suite(.timeLimit(.minutes(2))) @MainActor struct LoginDeadlineTests {
    private struct Conversation: ServerConversation {
        mutating func begin(
            _ profile: UpstreamProfile,
            tags: UpstreamTags
        ) -> ConversationStep<Bool> {
            .done(true)
        }

        mutating func responseReceived(_ response: ByteBuffer) -> ConversationStep<Bool> {
            .done(true)
        }
    }

    /// A thread of its own: what other tests do on a shared loop would count as the server's silence.
    nonisolated private static let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()

    static func gateway(
        timeForLogin: TimeAmount = .milliseconds(300)
    ) async throws -> GatewayContext {
        let file = try #require(Office.first.get().environment["GATEPOST_CONFIG"])
        var configuration = try await GatewayConfiguration(file: file, readsEnvironment: false)
        configuration.store =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("deadline-\(UUID().uuidString).db").path
        configuration.exchange = nil
        configuration.limits.upstreamTimeout = timeForLogin
        return try GatewayContext(
            configuration: configuration,
            store: PermissionStore(path: configuration.store),
            masterKey: MasterKey(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    nonisolated static func removeStore(_ gateway: GatewayContext) {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: gateway.configuration.store + suffix)
        }
    }

    private static func silentServer() async throws -> any Channel {
        try await ServerBootstrap(group: self.loop).bind(host: "127.0.0.1", port: 0).get()
    }

    private static func account(
        at server: any Channel,
        _ gateway: GatewayContext
    ) throws -> UpstreamAccount {
        var account = CredentialCircuitsTests.account()
        let port = try #require(server.localAddress?.port)
        account.imap = Endpoint(host: "127.0.0.1", port: port, tls: .none)
        account.smtp = account.imap
        account.sealedPassword = try gateway.masterKey.seal("x", for: account.id)
        return account
    }

    /// Asks again until no other login has the credential.
    private static func expectFree(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        _ gateway: GatewayContext
    ) async throws {
        while true {
            do {
                let breaker = gateway.upstream.credentialBreaker
                return try await breaker.attempt(account, service, on: self.loop).get().accepted()
            } catch is CredentialBreaker.WaitedTooLong {
                continue
            }
        }
    }

    @Test func `a conversation gives the credential back`() async throws {
        let gateway = try await Self.gateway()
        defer { Self.removeStore(gateway) }
        let server = try await Self.silentServer()
        let account = try Self.account(at: server, gateway)
        let pool = NIOThreadPool.singleton
        let outcome = await withCheckedContinuation { continuation in
            ConversationConnection.run(
                Conversation(),
                target: account,
                upstream: gateway.upstream,
                pool: pool,
                on: Self.loop
            ) {
                continuation.resume(returning: $0)
            }
        }
        #expect(outcome == nil)
        try await Self.expectFree(account, .imap, gateway)
        try await server.close().get()
    }

    /// Logins that got their answer.
    private final class Answers: Sendable {
        private let counted = Mutex(0)

        var count: Int { self.counted.withLock { $0 } }

        func add() {
            self.counted.withLock { $0 += 1 }
        }
    }

    /// An IMAP server that takes its time to greet and to check a credential.
    private final class SlowServer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        /// Within the time for a login, and twice it is more than that.
        static let time = TimeAmount.seconds(3)
        static let timeForLogin = TimeAmount.seconds(5)

        private let answers: Answers

        init(_ answers: Answers) {
            self.answers = answers
        }

        func channelActive(context: ChannelHandlerContext) {
            let greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"
            let channel = context.channel
            context.eventLoop.scheduleTask(in: Self.time) {
                channel.writeAndFlush(ByteBuffer(string: greeting), promise: nil)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let line = String(buffer: self.unwrapInboundIn(data))
            let tag = line.prefix { $0 != " " }
            let (channel, answers) = (context.channel, self.answers)
            let time = line.contains("AUTHENTICATE") ? Self.time : .zero
            context.eventLoop.scheduleTask(in: time) {
                guard channel.isActive else { return }
                if time > .zero { answers.add() }
                channel.writeAndFlush(ByteBuffer(string: "\(tag) OK done\r\n"), promise: nil)
            }
        }
    }

    @Test func `a conversation at a slow server goes on to the verdict, and begins no pause`()
        async throws
    {
        let gateway = try await Self.gateway(timeForLogin: SlowServer.timeForLogin)
        defer { Self.removeStore(gateway) }
        let answers = Answers()
        let server = try await ServerBootstrap(group: Self.loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SlowServer(answers))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let account = try Self.account(at: server, gateway)
        // Two that were given no answer would begin a pause.
        for number in 1...2 {
            let pool = NIOThreadPool.singleton
            let outcome = await withCheckedContinuation { continuation in
                ConversationConnection.run(
                    Conversation(),
                    target: account,
                    upstream: gateway.upstream,
                    pool: pool,
                    on: Self.loop
                ) { continuation.resume(returning: $0) }
            }
            #expect(outcome == nil)
            while answers.count < number { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(gateway.upstream.credentialBreaker.denial(account, service: .imap) == nil)
        try await server.close().get()
    }

    @Test func `a connection for sending gives the credential back`() async throws {
        let gateway = try await Self.gateway()
        defer { Self.removeStore(gateway) }
        let server = try await Self.silentServer()
        let account = try Self.account(at: server, gateway)
        let endpoint = account.imap
        let connection = try await Self.loop.submit {
            let client = SubmissionClientHandler(
                gateway: gateway,
                sessions: EventLoopSessions(),
                security: .submission,
                address: nil,
                eventLoop: Self.loop
            )
            let connection = SubmissionConnection(
                endpoint: endpoint,
                target: account,
                user: nil,
                client: client,
                upstream: gateway.upstream
            )
            connection.open(on: Self.loop)
            return NIOLoopBound(connection, eventLoop: Self.loop)
        }.get()
        try await Self.expectFree(account, .submission, gateway)
        try await Self.loop.submit { connection.value.close() }.get()
        try await server.close().get()
    }
}
