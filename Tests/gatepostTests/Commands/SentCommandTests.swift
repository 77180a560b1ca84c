import Access
import Foundation
import Logging
import NIOCore
import NIOPosix
import Support
import Synchronization
import Testing

@testable import Gateway
@testable import Store
@testable import gatepost

/// `gatepost sent`: with a running gateway, and without one.
@Suite struct SentCommandTests {
    private static let bob = "bob@kanzlei.example"

    /// Puts a copy for Bob's account into the folder beside the store.
    /// - Returns: its name.
    private static func put(
        _ name: String,
        suffix: String = "eml",
        in bench: CommandBench
    ) throws -> String {
        let name = "\(try bench.store().upstream(Self.bob).id.rawValue).\(name)"
        let folder = bench.folder.path("office/sent")
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        try bench.folder.write(
            "From: <bob@kanzlei.example>\r\nMessage-ID: <a@x.example>\r\n\r\ntext\r\n",
            as: "office/sent/\(name).\(suffix)"
        )
        return name
    }

    @Test func `without a gateway copies are listed, dropped, and not tried`() async throws {
        let bench = try await CommandBench.furnished()
        try await bench.run(lines: ["sent list", "sent list --json"])
        let name = try Self.put("one", in: bench)
        let unknown = try Self.put("two", suffix: "unknown", in: bench)
        let rows = try WaitingCopyRow.all(bench.store(), gateway: nil, refused: [])
        #expect(Set(rows.map(\.copy)) == [name, unknown])
        let row = try #require(rows.first { $0.copy == name })
        #expect(row.account == Self.bob && row.state == .waiting)
        #expect(row.messageID == "<a@x.example>")
        #expect(row.error == "no gateway runs here" && row.seconds == nil && !row.elsewhere)
        #expect(rows.first { $0.copy == unknown }?.state == .unknown)
        try await bench.run(lines: ["sent list", "sent list --json"])

        let retry = await bench.refusal(of: "sent retry")
        #expect(retry.contains("at its next start"))
        for command in ["retry", "drop --yes"] {
            for name in ["nobody", "../\(name)", "\(name).eml"] {
                let said = await bench.refusal(of: "sent \(command) \(name)")
                #expect(said.contains("no copy \(name) waits here"))
            }
        }
        let unsure = await bench.refusal(of: "sent drop \(name)")
        #expect(unsure.contains("--yes") && unsure.contains(Self.bob))
        try await bench.run("sent drop \(name) --yes")
        #expect(bench.folder.names(in: "office/sent") == ["\(unknown).unknown"])
        let record = try #require(try bench.store().auditEntries().last?.record)
        #expect(record.account == Self.bob && record.event == "change")
        #expect(record.detail == ["sent drop \(name): <a@x.example>"])
        try await bench.run("sent drop \(unknown) --yes")
        #expect(bench.folder.names(in: "office/sent") == [])
    }

    @Test func `a running gateway is asked, and drops the copy itself`() async throws {
        let bench = try await CommandBench.furnished()
        let name = try Self.put("one", in: bench)
        let unknown = try Self.put("two", suffix: "unknown", in: bench)
        let configuration = try await GatewayConfiguration(
            file: bench.file,
            readsEnvironment: false
        )
        let context = try GatewayContext(
            configuration: configuration,
            store: try bench.store(),
            masterKey: try MasterKey(file: configuration.masterKey),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let group = MultiThreadedEventLoopGroup.singleton
        let socket = ControlSocket(gateway: context, listeners: NoSessions())
        await socket.bind(on: group)
        let copies = context.sentCopies
        copies.writer.start()
        copies.upstream.withLock { $0 = context.upstream }
        let file = bench.folder.path("office/sent/\(name).eml")
        let waiting = try #require(SentCopies.waiting(URL(fileURLWithPath: file)))
        copies.schedule(waiting, in: .hours(1), on: group.next(), attempt: 0, error: "full")

        try await bench.run("sent list --json")
        let answer = copies.answer(SentCopyRequest(.list))
        let rows = try WaitingCopyRow.all(bench.store(), gateway: answer, refused: [])
        let row = try #require(rows.first { $0.copy == name })
        #expect(row.state == .waiting && row.error == "full" && (row.seconds ?? 0) > 3_500)
        #expect(row.cells.last == "full")
        for name in [name, unknown] { try await bench.run("sent drop \(name) --yes") }
        while !bench.folder.names(in: "office/sent").isEmpty {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(copies.answer(SentCopyRequest(.list)).attempts.isEmpty)

        // Without an attempt that waits, the copy is being filed.
        let other = try Self.put("three", in: bench)
        let busy = await bench.refusal(of: "sent drop \(other) --yes")
        #expect(busy.contains("at this moment"))
        let nothing = await bench.refusal(of: "sent retry \(other)")
        #expect(nothing.contains("at this moment"))
        try await bench.run("sent retry")
        copies.stop()
        await socket.close()
    }

    private struct NoSessions: ControlledSessions {
        func sessions(on loop: any EventLoop) -> EventLoopFuture<[SessionSummary]> {
            loop.makeSucceededFuture([])
        }

        func endSession(
            _ number: UInt64,
            on loop: any EventLoop
        ) -> EventLoopFuture<SessionSummary?> {
            loop.makeSucceededFuture(nil)
        }
    }
}
