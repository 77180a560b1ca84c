import Access
import Demo
import Foundation
import Logging
import NIOCore
import NIOPosix
import Store
import Support
import Testing

@testable import Gateway
@testable import gatepost

/// A whole gateway in this process: from its start to its end, on ports of its own.
@Suite(.timeLimit(.minutes(20))) struct GatewayRunTests {
    /// A gateway that runs, and the task that it runs in.
    private struct Running {
        let office: CommandBench
        let imap: Int
        let submission: Int
        let task: Task<Void, any Error>

        init() async throws {
            self.office = try await CommandBench.furnished()
            self.imap = try LoopbackPort.free(preferring: 0)
            self.submission = try LoopbackPort.free(preferring: 0)
            let text = try String(contentsOfFile: self.office.file, encoding: .utf8)
            var lines = text.components(separatedBy: "\n").filter { line in
                !Listener.Kind.allCases.contains { line.hasPrefix("  \($0.rawValue):") }
            }
            let place = try #require(lines.firstIndex(of: "listen:"))
            lines.insert("  imap: \"127.0.0.1:\(self.imap)\"", at: place + 1)
            lines.insert("  submission: \"127.0.0.1:\(self.submission)\"", at: place + 1)
            try Data(lines.joined(separator: "\n").utf8)
                .write(to: URL(fileURLWithPath: self.office.file))
            let configuration = try await GatewayConfiguration(
                file: self.office.file,
                readsEnvironment: false
            )
            let gateway = try Gateway(
                configuration: configuration,
                store: try self.office.store(),
                masterKey: try MasterKey(file: configuration.masterKey),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            self.task = Task { try await gateway.run() }
            while !FileManager.default.fileExists(atPath: configuration.controlSocket) {
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        func stop() async throws {
            self.task.cancel()
            try await self.task.value
        }
    }

    /// Sends lines, and takes what comes until the connection ends.
    private static func talk(_ port: Int, _ lines: [String]) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            for line in lines { try await outbound.write(ByteBuffer(string: line + "\r\n")) }
            var said = ByteBuffer()
            do {
                for try await octets in inbound { said.writeImmutableBuffer(octets) }
            } catch {}
            return String(buffer: said)
        }
    }

    @Test func `clients are greeted, and without TLS no password is taken`() async throws {
        let running = try await Running()
        let imap = try await Self.talk(
            running.imap,
            ["a1 CAPABILITY", "a2 LOGIN anna@kanzlei.example pw", "a3 LOGOUT"]
        )
        let lines = imap.components(separatedBy: "\r\n")
        #expect(lines.first?.hasPrefix("* OK [CAPABILITY ") == true, "\(imap)")
        #expect(lines.first?.contains("STARTTLS") == true)
        #expect(lines.contains { $0.hasPrefix("a2 NO [PRIVACYREQUIRED]") }, "\(imap)")
        #expect(lines.contains { $0.hasPrefix("* BYE") })
        #expect(lines.contains("a3 OK LOGOUT completed"))
        let submission = try await Self.talk(
            running.submission,
            ["EHLO x.example", "MAIL FROM:<anna@kanzlei.example>", "QUIT"]
        )
        let codes = submission.split(separator: "\r\n").map { $0.prefix(4) }
        #expect(codes.first == "220 ", "\(submission)")
        #expect(submission.contains("250-STARTTLS") || submission.contains("250 STARTTLS"))
        #expect(!codes.contains("354 ") && submission.contains("\r\n530 "), "\(submission)")
        #expect(codes.last == "221 ")
        try await running.stop()
    }

    @Test func `a command reaches the gateway, and a change of the store counts in it`()
        async throws
    {
        let running = try await Running()
        try await running.office.run("session list --json")
        try await running.office.run("group add Team")
        let configuration = try await GatewayConfiguration(
            file: running.office.file,
            readsEnvironment: false
        )
        let store = try running.office.store()
        let finding = await DoctorCommand.checkGateway(store, configuration: configuration)
        #expect(finding.state == "ok", "\(finding)")
        let none = await running.office.refusal(of: "session end 4711")
        #expect(none.contains("4711") || none.contains("no session"), "\(none)")
        try await running.stop()
        let after = await DoctorCommand.checkGateway(store, configuration: configuration)
        #expect(after.state == "not running")
    }

    @Test func `start and end are recorded, and the log is sealed`() async throws {
        let running = try await Running()
        try await running.stop()
        let store = try running.office.store()
        let events = try store.auditEntries().map(\.record.event)
        #expect(events.filter { $0.hasPrefix("gateway") } == ["gateway start", "gateway stop"])
        let masterKey = try MasterKey(file: running.office.folder.path("office/master.key"))
        let verified = try store.verifyAudit(masterKey)
        #expect(verified.problems == [] && verified.only?.sealed == verified.only?.last)
        #expect(!running.office.folder.names(in: "office").contains("gatepost.sock"))
        await #expect(throws: (any Error).self) {
            _ = try await Self.talk(running.imap, [])
        }
    }

    @Test func `a port that is taken ends the start, with nothing left open`() async throws {
        let running = try await Running()
        let configuration = try await GatewayConfiguration(
            file: running.office.file,
            readsEnvironment: false
        )
        let second = try Gateway(
            configuration: configuration,
            store: try running.office.store(),
            masterKey: try MasterKey(file: configuration.masterKey),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        await #expect(throws: (any Error).self) { try await second.run() }
        // The first serves on.
        let said = try await Self.talk(running.imap, ["a1 LOGOUT"])
        #expect(said.contains("a1 OK LOGOUT completed"))
        try await running.stop()
    }
}
