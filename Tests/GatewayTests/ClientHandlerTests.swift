import Access
import Dispatch
import NIOCore
import NIOEmbedded
import NIOPosix
import NIOTLS
import SASL
import Session
import Store
import Testing

@testable import Gateway

/// What a client's end of a session does whatever protocol the client speaks.
@Suite struct ClientHandlerTests {
    /// Counts what is read of the socket.
    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        var reads = 0

        func read(context: ChannelHandlerContext) {
            self.reads += 1
            context.read()
        }
    }

    /// A client on a connection that stands.
    private struct Bench {
        let fixture: GatewayFixture
        let sessions = EventLoopSessions()
        let channel = EmbeddedChannel()
        let socket = Socket()
        let client: ScriptedClientHandler

        init(
            _ security: Listener.Kind = .submission,
            checksPasswords: Bool = false,
            limits: (inout GatewayConfiguration.Limits) -> Void = { _ in }
        ) throws {
            self.fixture = try GatewayFixture(checksPasswords: checksPasswords, limits: limits)
            self.client = ScriptedClientHandler(
                self.fixture,
                sessions: self.sessions,
                security: security,
                eventLoop: self.channel.eventLoop
            )
            let operations = self.channel.pipeline.syncOperations
            try operations.addHandlers(self.socket, self.client)
            try self.channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 587)).wait()
            self.channel.embeddedEventLoop.run()
        }

        var gateway: GatewayContext { self.fixture.gateway }

        func events() -> [String] { self.client.session.takeEvents() }

        /// The client sends octets; the loop does not turn.
        func send(_ text: String) throws {
            try self.channel.writeInbound(ByteBuffer(string: text))
        }

        func log(in name: String) throws {
            self.client.session.actions = [
                .authenticate(
                    Credentials(
                        name: Array("\(name)@kanzlei.example".utf8),
                        password: Secret(Array("pw-\(name)".utf8))
                    )
                )
            ]
            self.client.perform()
        }

        /// A password that was right a moment ago is not checked again.
        func remember(_ name: String) throws {
            let user = try #require(self.fixture.user(name))
            let password = try #require(self.gateway.permissions.current.passwords[user])
            self.gateway.authenticator.remember(
                user,
                password: Array("pw-\(name)".utf8),
                basis: StoredPasswords.basis(of: password)
            )
        }

        func turn(_ time: TimeAmount = .nanoseconds(0)) {
            self.channel.embeddedEventLoop.advanceTime(by: time)
            self.channel.embeddedEventLoop.run()
        }
    }

    // MARK: - Greeting and TLS

    @Test func `a client is greeted once`() throws {
        let bench = try Bench()
        #expect(bench.events() == ["opened"])
        #expect(try bench.channel.said() == "hello\r\n")
        bench.channel.pipeline.fireChannelActive()
        #expect(bench.events() == [])
    }

    @Test func `with implicit TLS a client is greeted after the handshake`() throws {
        let bench = try Bench(.submissions)
        #expect(bench.events() == [])
        let done = TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil)
        bench.channel.pipeline.fireUserInboundEventTriggered(done)
        bench.channel.pipeline.fireUserInboundEventTriggered(done)
        #expect(bench.events() == ["opened"])
    }

    @Test func `after STARTTLS the session learns of TLS, and is not opened again`() throws {
        let bench = try Bench()
        _ = bench.events()
        let done = TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil)
        bench.channel.pipeline.fireUserInboundEventTriggered(done)
        #expect(bench.events() == ["TLS"])
    }

    // MARK: - Octets

    @Test func `responses to all input of a round are flushed once`() throws {
        let bench = try Bench()
        _ = try bench.channel.said()
        try bench.send("one")
        try bench.send("two")
        #expect(try bench.channel.said() == "")
        bench.turn()
        #expect(try bench.channel.said() == "onetwo")
    }

    @Test func `the last response is written before the connection is closed`() throws {
        let bench = try Bench()
        _ = try bench.channel.said()
        try bench.send("CLOSE")
        #expect(try bench.channel.said() == "CLOSE")
        #expect(!bench.channel.isActive)
    }

    @Test func `a client that takes no octets is not read`() throws {
        let bench = try Bench()
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.channel.read()
        #expect(bench.socket.reads == 0)
        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        #expect(bench.socket.reads == 1)
        bench.channel.pipeline.fireChannelWritabilityChanged()
        #expect(bench.socket.reads == 1)
    }

    @Test func `a client is not read while its session is busy`() throws {
        let bench = try Bench()
        bench.client.session.wantsClientOctets = false
        bench.channel.read()
        #expect(bench.socket.reads == 0)
        bench.client.session.wantsClientOctets = true
        bench.client.perform()
        #expect(bench.socket.reads == 1)
    }

    @Test func `a client is not read while the server that receives its octets takes none`() throws
    {
        let bench = try Bench()
        bench.client.takesClientOctets = false
        bench.channel.read()
        #expect(bench.socket.reads == 0)
        bench.client.takesClientOctets = true
        bench.client.upstreamWritabilityChanged()
        #expect(bench.socket.reads == 1)
    }

    // MARK: - Turns

    /// Uses up the time of this round.
    private static func exhaust(_ bench: Bench) {
        let end = NIODeadline.now() + .milliseconds(20)
        while bench.sessions.hasTime(on: bench.channel.eventLoop), NIODeadline.now() < end {}
    }

    @Test func `a session yields when the time of the round is used up`() throws {
        let bench = try Bench()
        _ = bench.events()
        Self.exhaust(bench)
        try bench.send("late")
        #expect(bench.events() == ["yield", "late"])
        bench.turn(.milliseconds(1))
        #expect(bench.events() == ["resume"])
    }

    @Test func `a session that yielded continues when its client takes responses`() throws {
        let bench = try Bench()
        _ = bench.events()
        Self.exhaust(bench)
        try bench.send("late")
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.turn(.milliseconds(1))
        #expect(bench.events() == ["yield", "late"])
        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.turn(.milliseconds(1))
        #expect(bench.events() == ["resume"])
    }

    // MARK: - Permissions

    @Test func `no octet is judged by permissions older than those in force`() throws {
        let bench = try Bench()
        _ = bench.events()
        try bench.fixture.change {
            try $0.setPassword("other", of: "bob@kanzlei.example", actor: "test")
        }
        try bench.send("command")
        #expect(bench.events() == ["servers", "snapshot", "command"])
        try bench.send("command")
        #expect(bench.events() == ["command"])
    }

    @Test func `a user whose password has changed is logged out before more input is read`()
        throws
    {
        let bench = try Bench()
        bench.client.session.authenticatedUser = bench.fixture.user("anna")
        _ = bench.events()
        try bench.fixture.change {
            try $0.setPassword("other", of: "anna@kanzlei.example", actor: "test")
        }
        bench.sessions.permissionsChanged(on: bench.channel.eventLoop)
        bench.turn(.milliseconds(1))
        #expect(bench.events() == ["end", "servers", "snapshot"])
    }

    // MARK: - Login

    @Test func `a successful login counts as a connection of its user`() throws {
        let bench = try Bench { $0.connectionsPerUser = 1 }
        _ = bench.events()
        try bench.remember("anna")
        try bench.log(in: "anna")
        bench.turn()
        #expect(bench.events() == ["accepted"])
        let anna = try #require(bench.fixture.user("anna"))
        #expect(bench.gateway.admission.admit(anna) == nil)
        #expect(bench.client.summary?.user == "anna@kanzlei.example")
        #expect(bench.client.summary?.protocol == "submission")
        try bench.channel.close().wait()
        #expect(bench.gateway.admission.admit(anna) != nil)
    }

    @Test func `a user with the maximum number of connections is not logged in`() throws {
        let bench = try Bench { $0.connectionsPerUser = 1 }
        _ = bench.events()
        let anna = try #require(bench.fixture.user("anna"))
        let other = bench.gateway.admission.admit(anna)
        try bench.remember("anna")
        try bench.log(in: "anna")
        bench.turn()
        #expect(bench.events() == ["too many connections"])
        #expect(other != nil && bench.client.slot == nil && bench.client.summary == nil)
    }

    @Test func `a password that was changed while it was checked opens no session`() throws {
        let bench = try Bench()
        _ = bench.events()
        try bench.remember("anna")
        try bench.log(in: "anna")
        // The answer is on its way.
        try bench.fixture.change {
            try $0.setPassword("other", of: "anna@kanzlei.example", actor: "test")
        }
        bench.turn()
        #expect(bench.events() == ["servers", "snapshot", "refused"])
        #expect(bench.client.slot == nil && bench.client.summary == nil)
    }

    /// Keeps the threads that check passwords until the end of the test.
    private static func occupyThreads(_ bench: Bench) -> DispatchSemaphore {
        let end = DispatchSemaphore(value: 0)
        for _ in 0..<StoredPasswords().threads {
            bench.gateway.authenticator.pools[0].submit { _ in end.wait() }
        }
        return end
    }

    @Test func `a pending login is cancelled when its client disconnects`() throws {
        let bench = try Bench(checksPasswords: true)
        let end = Self.occupyThreads(bench)
        defer { for _ in 0..<StoredPasswords().threads { end.signal() } }
        try bench.log(in: "anna")
        #expect(bench.gateway.authenticator.waitingChecks == 1)
        _ = bench.events()
        try bench.channel.close().wait()
        #expect(bench.gateway.authenticator.waitingChecks == 0)
        #expect(bench.client.pendingLogin == nil)
        #expect(bench.events() == ["closed"])
    }

    @Test func `a half-closed connection counts as closed`() throws {
        let bench = try Bench(checksPasswords: true)
        let end = Self.occupyThreads(bench)
        defer { for _ in 0..<StoredPasswords().threads { end.signal() } }
        try bench.log(in: "anna")
        #expect(bench.gateway.authenticator.waitingChecks == 1)
        _ = bench.events()
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(bench.events() == ["closed"])
        #expect(bench.gateway.authenticator.waitingChecks == 0)
    }

    // MARK: - Time

    @Test func `octets do not extend the time before the login`() throws {
        let bench = try Bench { $0.loginTimeout = .seconds(30) }
        _ = bench.events()
        for _ in 0..<29 {
            try bench.send(".")
            bench.turn(.seconds(1))
        }
        #expect(!bench.events().contains("idle"))
        try bench.send(".")
        bench.turn(.seconds(1))
        #expect(bench.events().contains("idle"))
        #expect(!bench.channel.isActive)
    }

    @Test func `a client that waits for its check is not disconnected for its silence`() throws {
        let bench = try Bench(checksPasswords: true) { $0.loginTimeout = .seconds(30) }
        let end = Self.occupyThreads(bench)
        defer { for _ in 0..<StoredPasswords().threads { end.signal() } }
        bench.turn(.seconds(29))
        try bench.log(in: "anna")
        _ = bench.events()
        bench.turn(CheckQueue.patience)
        #expect(bench.channel.isActive && !bench.events().contains("idle"))
        #expect(bench.gateway.authenticator.waitingChecks == 1)
        try bench.channel.close().wait()
        #expect(bench.gateway.authenticator.waitingChecks == 0)
    }

    @Test func `a client whose login is not answered at all is disconnected`() throws {
        let bench = try Bench(checksPasswords: true) { $0.loginTimeout = .seconds(30) }
        let end = Self.occupyThreads(bench)
        defer { for _ in 0..<StoredPasswords().threads { end.signal() } }
        try bench.log(in: "anna")
        bench.turn(Authenticator.longestAnswer - .seconds(1))
        #expect(bench.channel.isActive)
        bench.turn(.seconds(1))
        #expect(!bench.channel.isActive)
        #expect(bench.gateway.authenticator.waitingChecks == 0)
    }

    @Test func `after the login the timeout begins at the client's last octets`() throws {
        let bench = try Bench {
            $0.loginTimeout = .seconds(30)
            $0.idleTimeout = .minutes(31)
        }
        try bench.remember("anna")
        try bench.log(in: "anna")
        bench.turn(.minutes(30))
        try bench.send(".")
        bench.turn(.minutes(30))
        #expect(!bench.events().contains("idle"))
        bench.turn(.minutes(1))
        #expect(bench.events() == ["idle", "closed"])
    }

    @Test func `a session outlasts its client while a message is in transit`() throws {
        let bench = try Bench { $0.loginTimeout = .seconds(30) }
        bench.client.session.hasTransaction = true
        try bench.channel.close().wait()
        bench.turn()
        #expect(bench.sessions.isSending)
        #expect(bench.client.timeout != nil && bench.client.cancellations == 0)
        _ = bench.events()
        // It looks at the clock until it is over.
        bench.turn(.seconds(30))
        #expect(bench.events() == ["idle"])
        bench.client.session.hasTransaction = false
        bench.client.perform()
        #expect(bench.client.timeout == nil && bench.client.cancellations > 0)
        bench.turn(.minutes(31))
        #expect(bench.events() == [])
        bench.sessions.shutDown()
        #expect(bench.events() == [])
    }

    // MARK: - From the event loop

    @Test
    func `a session learns of shutdown, of its end by an administrator, and of the audit minute`()
        throws
    {
        let bench = try Bench()
        _ = bench.events()
        bench.sessions.shutDown()
        bench.client.endByAdministrator()
        bench.client.auditDue()
        #expect(bench.events() == ["shutdown", "end", "audit"])
    }
}
