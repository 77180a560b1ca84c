import Access
import Foundation
import NIOCore
import NIOPosix
import Store
import Support

@testable import Gateway

/// Copies of sent messages in the folder of a gateway that starts.
struct SpoolBench {
    let server: FakeMailServer
    let fixture: StoreFixture
    let copies: SentCopies

    init(
        _ script: [String: String] = [:],
        accounts: [String] = ["anna", "bob"],
        settleTime: TimeAmount = .milliseconds(10)
    ) async throws {
        self.server = try await FakeMailServer(script)
        self.fixture = try StoreFixture(accounts, port: self.server.port)
        let upstream = try UpstreamFixture.services(self.fixture)
        self.copies = SentCopies(
            store: self.fixture.store,
            settleTime: settleTime,
            writer: self.fixture.background,
            log: upstream.serverLog,
            logger: self.fixture.log.logger
        )
        try FileManager.default.createDirectory(
            at: self.copies.folder,
            withIntermediateDirectories: true
        )
    }

    static func message(_ text: String) -> String {
        "From: <anna@kanzlei.example>\r\nMessage-ID: <\(text)@x.example>\r\n\r\n\(text)\r\n"
    }

    /// Puts a file into the spool; `ACCOUNT` in its name stands for the number of Anna's account.
    func put(_ name: String, _ text: String) throws {
        let account = try self.fixture.account("anna").rawValue
        try self.fixture.folder.write(
            Self.message(text),
            as: "sent/" + name.replacing("ACCOUNT", with: "\(account)")
        )
    }

    func start() throws {
        self.copies.start(
            try UpstreamFixture.services(self.fixture),
            on: MultiThreadedEventLoopGroup.singleton
        )
    }

    var names: [String] { self.fixture.folder.names(in: "sent") }

    func wait(until isDone: () -> Bool) async throws {
        while !isDone() { try await Task.sleep(for: .milliseconds(10)) }
    }

    func stop() async throws {
        self.copies.stop()
        try await self.fixture.stop()
        try await self.server.stop()
    }
}
