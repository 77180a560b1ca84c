import Access
import Foundation
import Logging
import NIOCore
import NIOPosix
import Store
import Support
import Synchronization
import Testing

@testable import Gateway
@testable import gatepost

/// The socket for administrators' commands: who may ask, what is answered, and what ends a connection.
@Suite struct ControlSocketTests {
    /// Sessions of no clients.
    private final class Sessions: ControlledSessions {
        let open = Mutex<[SessionSummary]>([])

        func sessions(on loop: any EventLoop) -> EventLoopFuture<[SessionSummary]> {
            loop.makeSucceededFuture(self.open.withLock { $0 })
        }

        func endSession(
            _ number: UInt64,
            on loop: any EventLoop
        ) -> EventLoopFuture<SessionSummary?> {
            let ended = self.open.withLock { open -> SessionSummary? in
                guard let index = open.firstIndex(where: { $0.session == number }) else {
                    return nil
                }
                return open.remove(at: index)
            }
            return loop.makeSucceededFuture(ended)
        }
    }

    private final class Bench: Sendable {
        let office: CommandBench
        let context: GatewayContext
        let sessions = Sessions()
        let socket: ControlSocket

        init(_ office: CommandBench) async throws {
            self.office = office
            let configuration = try await GatewayConfiguration(
                file: office.file,
                readsEnvironment: false
            )
            self.context = try GatewayContext(
                configuration: configuration,
                store: try office.store(),
                masterKey: try MasterKey(file: configuration.masterKey),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            self.socket = ControlSocket(gateway: self.context, listeners: self.sessions)
            await self.socket.bind(on: MultiThreadedEventLoopGroup.singleton)
        }

        var path: String { self.context.configuration.controlSocket }

        func ask(_ request: ControlMessage.Request) async throws -> ControlMessage.Answer {
            try await ControlClient.ask(request, at: self.path)
        }

        /// Sends octets as they are.
        /// - Returns: all that comes back until the connection ends.
        func exchange(_ pieces: [ByteBuffer], endsOutput: Bool = false) async throws -> String {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(unixDomainSocketPath: self.path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                            wrappingChannelSynchronously: channel
                        )
                    }
                }
            return try await channel.executeThenClose { inbound, outbound in
                for piece in pieces {
                    // The gateway may have closed already.
                    try? await outbound.write(piece)
                }
                if endsOutput { channel.channel.close(mode: .output, promise: nil) }
                var answer = ByteBuffer()
                do {
                    for try await octets in inbound { answer.writeImmutableBuffer(octets) }
                } catch {}
                return String(buffer: answer)
            }
        }
    }

    private static func withBench(_ body: (Bench) async throws -> Void) async throws {
        let bench = try await Bench(CommandBench())
        try await body(bench)
        await bench.socket.close()
    }

    private static func session(_ number: UInt64, _ user: String = "anna") -> SessionSummary {
        SessionSummary(session: number, user: user, protocol: "imap", from: "192.0.2.7", since: 1)
    }

    private static let list = ControlMessage.Request(actor: "root")

    // MARK: - Who may ask

    @Test(
        arguments: [
            (0, 1_000, true), (1_000, 1_000, true), (1_001, 1_000, false), (65_534, 0, false),
            (0, 0, true), (.max, 1_000, false),
        ] as [(uid_t, uid_t, Bool)]
    )
    func `root and the gateway's own user may ask`(peer: uid_t, user: uid_t, mayAsk: Bool) {
        #expect(ControlHandler.mayAsk(peer, gatewayUser: user) == mayAsk)
    }

    @Test func `the socket is nobody else's, and goes with the gateway`() async throws {
        let bench = try await Bench(CommandBench())
        let attributes = try FileManager.default.attributesOfItem(atPath: bench.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(attributes[.type] as? FileAttributeType == .typeSocket)
        await bench.socket.close()
        #expect(!FileManager.default.fileExists(atPath: bench.path))
        await #expect(throws: ControlClient.NotRunning.self) { try await bench.ask(Self.list) }
    }

    @Test func `somebody else's socket is not taken, and what a gateway left is`() async throws {
        try await Self.withBench { (bench: Bench) async throws in
            bench.sessions.open.withLock { $0 = [Self.session(1)] }
            let second = try await Bench(bench.office)
            // The first still answers.
            #expect(try await second.ask(Self.list).sessions?.count == 1)
            await second.socket.close()
            #expect(FileManager.default.fileExists(atPath: bench.path))
        }
        let office = try CommandBench()
        try Data().write(to: URL(fileURLWithPath: office.folder.path("office/gatepost.sock")))
        let bench = try await Bench(office)
        #expect(try await bench.ask(Self.list).sessions == [])
        await bench.socket.close()
    }

    @Test func `a folder that is gone is no reason not to serve`() async throws {
        let bench = try await Bench(CommandBench())
        await bench.socket.close()
        try FileManager.default.removeItem(atPath: bench.office.folder.path("office"))
        await bench.socket.bind(on: MultiThreadedEventLoopGroup.singleton)
        await #expect(throws: ControlClient.NotRunning.self) { try await bench.ask(Self.list) }
    }

    // MARK: - Sessions

    @Test func `sessions are listed by their numbers`() async throws {
        try await Self.withBench { (bench: Bench) async throws in
            bench.sessions.open.withLock { $0 = [7, 3, 12].map { Self.session($0) } }
            let answer = try await bench.ask(Self.list)
            #expect(answer.sessions?.map(\.session) == [3, 7, 12])
            #expect(answer.sessions?.first == Self.session(3))
            #expect(answer.hasEnded == nil && answer.state == nil && answer.credentials == nil)
        }
    }

    @Test func `thousands of sessions are one answer`() async throws {
        try await Self.withBench { (bench: Bench) async throws in
            let sessions = (0..<5_000).map { Self.session(UInt64($0), "u\($0)@kanzlei.example") }
            bench.sessions.open.withLock { $0 = sessions }
            #expect(try await bench.ask(Self.list).sessions == sessions)
        }
    }

    @Test func `a session is ended once, and recorded with who did it`() async throws {
        try await Self.withBench { (bench: Bench) async throws in
            bench.context.audit.start(on: MultiThreadedEventLoopGroup.singleton) { _ in }
            bench.sessions.open.withLock { $0 = [Self.session(7)] }
            let request = ControlMessage.Request(end: 7, actor: "clara as gatepost")
            #expect(try await bench.ask(request).hasEnded == true)
            #expect(try await bench.ask(request).hasEnded == false)
            bench.context.audit.cancel()
            try await bench.context.audit.stop()
            let records = try bench.office.store().auditEntries().map(\.record)
                .filter { $0.event == "session end" }
            #expect(records.map(\.actor) == ["clara as gatepost"])
            #expect(records.map(\.from) == ["command line"])
            #expect(records.map(\.detail) == [["session 7 of anna"]])
        }
    }

    // MARK: - The store

    @Test func `the state is that of the store in force`() async throws {
        try await Self.withBench { (bench: Bench) async throws in
            let answer = try await bench.ask(ControlMessage.Request(state: true, actor: "root"))
            let state = try #require(answer.state)
            #expect(state.revision == (try bench.office.store().revision()))
            #expect(state.name == "gatepost.sqlite" && state.problem == nil)
            #expect(state.store == FileIdentity(path: bench.context.configuration.store))
            #expect(answer.sessions == nil)
        }
    }

    @Test func `commands that change the store find it in force, and one that is not is refused`()
        async throws
    {
        try await Self.withBench { (bench: Bench) async throws in
            try await StoreInPlace.require(bench.context.configuration)
            try await bench.office.run("group add Team")
            #expect(try bench.office.store().groups().count == 1)
            // Another file takes its place, and the gateway has the old one.
            let path = bench.context.configuration.store
            let copy = try Data(contentsOf: URL(fileURLWithPath: path))
            try FileManager.default.removeItem(atPath: path)
            try copy.write(to: URL(fileURLWithPath: path))
            let said = await bench.office.refusal(of: "group add Another")
            #expect(said.contains("the gateway has another store in force than \(path)"), "\(said)")
            #expect(said.contains("gatepost store accept"))
        }
    }

    // MARK: - Credentials

    @Test func `credentials that rest are none at the beginning`() async throws {
        try await Self.withBench { (bench: Bench) async throws in
            let request = ControlMessage.Request(credentials: .init(), actor: "root")
            #expect(try await bench.ask(request).credentials == [])
            let stored = StoredCredentials(bench.context.configuration)
            #expect(await stored.suspended() == [])
        }
    }

    @Test func `without a gateway no credential rests`() async throws {
        let office = try CommandBench()
        let configuration = try await GatewayConfiguration(
            file: office.file,
            readsEnvironment: false
        )
        #expect(await StoredCredentials(configuration).suspended() == nil)
        try await StoreInPlace.require(configuration)
    }

    // MARK: - What is no request

    @Test(arguments: [
        "\n", "{}\n", "nonsense\n", "{\"actor\":7}\n", "[]\n", "{\"actor\":\"root\"}x\n",
        "{\"actor\":\"root\",\"end\":-1}\n", "{\"actor\":\"root\",\"end\":\"x\"}\n", "\0\n",
        "GET / HTTP/1.1\r\n\r\n",
    ])
    func `what is no request is not answered, and the connection ends`(text: String) async throws {
        try await Self.withBench { (bench: Bench) async throws in
            #expect(try await bench.exchange([ByteBuffer(string: text)]) == "")
            // Others are served.
            #expect(try await bench.ask(Self.list).sessions == [])
        }
    }

    @Test func `a request may come in pieces, and may have what this version does not know`()
        async throws
    {
        try await Self.withBench { (bench: Bench) async throws in
            let text = "{\"actor\":\"root\",\"colour\":\"green\",\"state\":false}\n"
            let pieces = text.utf8.map { ByteBuffer(bytes: [$0]) }
            let answer = try await bench.exchange(pieces)
            #expect(answer.contains("\"sessions\":[]") && answer.hasSuffix("\n"))
        }
    }

    @Test func `a request that never ends is read up to a bound, and then its connection ends`()
        async throws
    {
        try await Self.withBench { (bench: Bench) async throws in
            let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_024)
            let count = ControlLine.maximumRequestOctets / 1_024 + 1
            #expect(try await bench.exchange(Array(repeating: piece, count: count)) == "")
            #expect(try await bench.ask(Self.list).sessions == [])
        }
    }

    @Test func `a second request of one connection is not answered`() async throws {
        try await Self.withBench { (bench: Bench) async throws in
            let line = "{\"actor\":\"root\",\"state\":true}\n"
            let answer = try await bench.exchange([
                ByteBuffer(string: line), ByteBuffer(string: line),
            ])
            #expect(answer.split(separator: "\n").count <= 1)
        }
    }
}

/// What goes over the socket, as other versions read it.
@Suite struct ControlMessageTests {
    private static func text(_ request: ControlMessage.Request) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(request), as: UTF8.self)
    }

    @Test func `a request has what it asks for and who asks`() throws {
        #expect(try Self.text(.init(actor: "root")) == #"{"actor":"root"}"#)
        #expect(try Self.text(.init(end: 7, actor: "x")) == #"{"actor":"x","end":7}"#)
        #expect(try Self.text(.init(state: true, actor: "x")) == #"{"actor":"x","state":true}"#)
        #expect(
            try Self.text(.init(credentials: .init(), actor: "x"))
                == #"{"actor":"x","credentials":{}}"#
        )
    }

    @Test(arguments: [
        #"{"actor":"root"}"#, #"{"actor":"x","end":7}"#, #"{"actor":"x","state":true}"#,
        #"{"actor":"x","credentials":{}}"#,
    ])
    func `a request is read as it was written`(text: String) throws {
        let request = try JSONDecoder().decode(
            ControlMessage.Request.self,
            from: Data(text.utf8)
        )
        #expect(try Self.text(request) == text)
    }

    @Test func `an answer has what was asked for and nothing else`() throws {
        let encoder = JSONEncoder()
        #expect(
            String(decoding: try encoder.encode(ControlMessage.Answer()), as: UTF8.self) == "{}"
        )
        var answer = ControlMessage.Answer()
        answer.refusal = "no"
        answer.hasEnded = false
        let read = try JSONDecoder().decode(
            ControlMessage.Answer.self,
            from: encoder.encode(answer)
        )
        #expect(read == answer)
    }

    @Test func `a verdict names the server and the version that it is about`() async throws {
        let office = try await CommandBench.furnished()
        let account = try office.store().upstream("bob@kanzlei.example")
        let verdict = try #require(
            ControlMessage.CredentialRequest.Verdict(of: account, service: .imap, isAccepted: false)
        )
        #expect(verdict.account == account.id.rawValue && !verdict.isAccepted)
        #expect(verdict.server == CredentialService.imap.server(of: account))
        // There is no server for sending.
        #expect(
            ControlMessage.CredentialRequest.Verdict(
                of: account,
                service: .submission,
                isAccepted: true
            )
                == nil
        )
    }
}
