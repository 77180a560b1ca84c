import Access
import Dispatch
import NIOCore
import NIOEmbedded
import NIOPosix
import Session
import Store
import Testing

@testable import Gateway

/// Answers that wait for their records in the audit log.
@Suite(.timeLimit(.minutes(20))) struct ClientHandlerAuditTests {
    /// Counts what is read of the socket.
    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        var reads = 0

        func read(context: ChannelHandlerContext) {
            self.reads += 1
            context.read()
        }
    }

    /// A client on a connection that stands, and a log whose thread the test may stop.
    private final class Bench: Sendable {
        let fixture: GatewayFixture
        let channel = NIOAsyncTestingChannel()
        let client: NIOLoopBound<ScriptedClientHandler>
        let socket: NIOLoopBound<Socket>

        init(audit: GatewayConfiguration.AuditMode = .required) async throws {
            self.fixture = try GatewayFixture(audit: audit)
            let (fixture, channel) = (self.fixture, self.channel)
            let loop = channel.testingEventLoop
            (self.client, self.socket) = try await loop.executeInContext {
                let client = ScriptedClientHandler(
                    fixture,
                    sessions: EventLoopSessions(),
                    security: .submission,
                    eventLoop: loop
                )
                let socket = Socket()
                try channel.pipeline.syncOperations.addHandlers(socket, client)
                return (
                    NIOLoopBound(client, eventLoop: loop), NIOLoopBound(socket, eventLoop: loop)
                )
            }
            try await channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 587)).get()
            fixture.gateway.audit.start(on: loop) { _ in }
            try await self.settle()
            _ = try await self.said()
        }

        func perform(_ actions: [ScriptedSession.Action]) async throws {
            let client = self.client
            try await self.channel.testingEventLoop.executeInContext {
                client.value.session.actions = actions
                client.value.perform()
            }
            await self.channel.testingEventLoop.run()
        }

        /// Stops the thread of the log until the semaphore is signalled.
        func block() -> DispatchSemaphore {
            let isFree = DispatchSemaphore(value: 0)
            self.fixture.gateway.audit.pool.submit { _ in isFree.wait() }
            return isFree
        }

        /// Waits until the thread of the log has nothing to do, and the loop has heard of it.
        func settle() async throws {
            try await self.fixture.gateway.audit.pool.runIfActive {}
            await self.channel.testingEventLoop.run()
            await self.channel.testingEventLoop.run()
        }

        func said() async throws -> String {
            var text = ""
            while let octets = try await self.channel.readOutbound(as: ByteBuffer.self) {
                text += String(buffer: octets)
            }
            return text
        }

        var selects: Int {
            get throws {
                try self.fixture.store.auditEntries().filter { $0.record.event == "select" }.count
            }
        }

        func end() async throws {
            self.fixture.gateway.audit.cancel()
            _ = try? await self.channel.finish()
            try await self.fixture.gateway.audit.stop()
        }
    }

    private static func event(
        _ outcome: AuditRecord.Outcome = .allowed
    ) -> ScriptedSession.Action {
        var event = AuditEvent("select")
        event.outcome = outcome
        event.mailbox = AuditEvent.MailboxReference(account: AccountID(1))
        return .audit(event)
    }

    private static func line(_ text: String) -> ScriptedSession.Action {
        .toClient(ByteBuffer(string: "\(text)\r\n"))
    }

    @Test func `an answer waits until its record is on the disk`() async throws {
        let bench = try await Bench()
        let isFree = bench.block()
        try await bench.perform([Self.line("before"), Self.event(), Self.line("OK")])
        try await bench.perform([Self.line("later")])
        #expect(try await bench.said() == "before\r\n")
        isFree.signal()
        try await bench.settle()
        #expect(try bench.selects == 1)
        #expect(try await bench.said() == "OK\r\nlater\r\n")
        try await bench.perform([Self.line("free")])
        #expect(try await bench.said() == "free\r\n")
        try await bench.end()
    }

    @Test func `neither the client nor its servers are read while an answer waits`() async throws {
        let bench = try await Bench()
        let (client, socket) = (bench.client, bench.socket)
        let loop = bench.channel.testingEventLoop
        let isFree = bench.block()
        try await bench.perform([Self.event(), Self.line("OK")])
        let before = try await loop.executeInContext {
            #expect(!client.value.isWritable && !client.value.wantsOctets)
            let reads = socket.value.reads
            client.value.context?.channel.pipeline.read()
            #expect(socket.value.reads == reads && client.value.hasPendingRead)
            return reads
        }
        // Buffered commands wait, too.
        try await loop.executeInContext { client.value.workOn() }
        #expect(try await loop.executeInContext { client.value.readsOnWhenWritable })
        isFree.signal()
        try await bench.settle()
        await loop.advanceTime(by: .milliseconds(1))
        try await loop.executeInContext {
            #expect(socket.value.reads > before && client.value.isWritable)
            #expect(client.value.session.takeEvents().contains("resume"))
        }
        try await bench.end()
    }

    @Test func `an answer waits for all records before it`() async throws {
        let bench = try await Bench()
        let isFree = bench.block()
        try await bench.perform([Self.event(), Self.line("one"), Self.event(), Self.line("two")])
        #expect(try await bench.said() == "")
        isFree.signal()
        try await bench.settle()
        #expect(try bench.selects == 2)
        #expect(try await bench.said() == "one\r\ntwo\r\n")
        try await bench.end()
    }

    @Test func `without its record the answer is withheld, and the connection ends`() async throws {
        let bench = try await Bench()
        bench.fixture.store.close()
        try await bench.perform([Self.event(), Self.event(), Self.line("OK")])
        try await bench.settle()
        #expect(try await bench.said() == "farewell\r\n")
        #expect(!bench.channel.isActive)
        try await bench.perform([Self.line("OK"), .closeClient])
        #expect(try await bench.said() == "")
        bench.fixture.gateway.audit.cancel()
        try await bench.fixture.gateway.audit.stop()
    }

    @Test func `a connection is closed behind the answers that wait`() async throws {
        let bench = try await Bench()
        let isFree = bench.block()
        try await bench.perform([Self.event(), Self.line("OK"), .closeClient])
        #expect(bench.channel.isActive)
        isFree.signal()
        try await bench.settle()
        #expect(try await bench.said() == "OK\r\n")
        #expect(!bench.channel.isActive)
        try await bench.end()
    }

    @Test func `a client that leaves meanwhile is recorded nonetheless`() async throws {
        let bench = try await Bench()
        let isFree = bench.block()
        try await bench.perform([Self.event(), Self.line("OK")])
        try await bench.channel.close().get()
        await bench.channel.testingEventLoop.run()
        isFree.signal()
        try await bench.settle()
        #expect(try bench.selects == 1)
        bench.fixture.gateway.audit.cancel()
        try await bench.fixture.gateway.audit.stop()
    }

    @Test func `a login waits for no record`() async throws {
        let bench = try await Bench()
        let isFree = bench.block()
        try await bench.perform([.audit(AuditEvent("login")), Self.line("answer")])
        #expect(try await bench.said() == "answer\r\n")
        isFree.signal()
        try await bench.end()
    }

    /// What was refused or failed opened nothing; and without `required` no answer waits.
    @Test(
        arguments: [
            (.required, .refused), (.required, .failed), (.besteffort, .allowed),
        ] as [(GatewayConfiguration.AuditMode, AuditRecord.Outcome)]
    )
    func `other answers do not wait`(
        audit: GatewayConfiguration.AuditMode,
        outcome: AuditRecord.Outcome
    ) async throws {
        let bench = try await Bench(audit: audit)
        let isFree = bench.block()
        try await bench.perform([Self.event(outcome), Self.line("answer")])
        #expect(try await bench.said() == "answer\r\n")
        isFree.signal()
        try await bench.end()
    }
}
