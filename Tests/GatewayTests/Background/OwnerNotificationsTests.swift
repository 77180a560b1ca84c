import Access
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import Gateway
@testable import Store

/// Messages for owners: in their INBOXes once, and in the store until then.
@Suite struct OwnerNotificationsTests {
    private struct Bench {
        let server: FakeMailServer
        let fixture: StoreFixture
        let notifications: OwnerNotifications

        init(_ script: [String: String] = [:]) async throws {
            self.server = try await FakeMailServer(script)
            self.fixture = try StoreFixture(["anna", "bob"], port: self.server.port)
            self.notifications = OwnerNotifications(
                store: self.fixture.store,
                hostName: "mail.gateway.example",
                writer: self.fixture.background,
                logger: self.fixture.log.logger
            )
        }

        /// Grants something of Bob's, of which he is told.
        func grant(_ rights: Rights = [.lookup, .read]) throws {
            _ = try self.fixture.store.addGrant(
                GrantRequest(
                    account: StoreFixture.address("bob"),
                    subject: StoreFixture.address("anna"),
                    rights: rights,
                    send: .none
                ),
                consent: .notify,
                actor: "root"
            )
        }

        func start() throws {
            self.notifications.start(
                try UpstreamFixture.services(self.fixture),
                on: MultiThreadedEventLoopGroup.singleton
            )
        }

        func wait(until isDone: () throws -> Bool) async throws {
            while try !isDone() { try await Task.sleep(for: .milliseconds(10)) }
        }

        func stop() async throws {
            self.notifications.stop()
            try await self.fixture.stop()
            try await self.server.stop()
        }
    }

    private static func notice(token: [UInt8] = Array(repeating: 0xAB, count: 16)) -> Notice {
        Notice(
            id: 1,
            account: AccountID(1),
            subject: "x",
            text: "y",
            created: Moment(seconds: 0),
            token: token
        )
    }

    @Test(
        arguments: [
            ([0xAB, 0x01, 0xF0], "<notice-ab01f0@mail.example>"), ([], "<notice-@mail.example>"),
            ([0, 255], "<notice-00ff@mail.example>"),
        ] as [([UInt8], String)]
    )
    func `a Message-ID contains the random token in hexadecimal`(token: [UInt8], messageID: String)
    {
        #expect(
            OwnerNotifications.messageID(of: Self.notice(token: token), at: "mail.example")
                == messageID
        )
    }

    @Test func `a message is delivered at the start and then removed from the store`() async throws
    {
        let bench = try await Bench()
        try bench.grant()
        let notice = try #require(try bench.fixture.store.notices().first)
        try bench.start()
        try await bench.wait { try bench.fixture.store.notices().isEmpty }
        let message = try #require(bench.server.messages.last)
        let messageID = OwnerNotifications.messageID(of: notice, at: "mail.gateway.example")
        let lines = message.components(separatedBy: "\r\n")
        #expect(lines.contains("Message-ID: \(messageID)"))
        #expect(lines.contains("To: <bob@kanzlei.example>"))
        #expect(lines.contains("From: Gatepost <gatepost@mail.gateway.example>"))
        #expect(lines.contains("Subject: \(notice.subject)"))
        #expect(lines.contains("Auto-Submitted: auto-generated"))
        #expect(lines.contains { $0.hasPrefix("Date: ") && $0.hasSuffix(" +0000") })
        #expect(lines.allSatisfy { $0.utf8.count <= 998 && $0.utf8.allSatisfy { $0 < 128 } })
        let body = message.components(separatedBy: "\r\n\r\n").dropFirst().joined()
            .replacing("\r\n", with: "")
        let text = String(decoding: try #require(Data(base64Encoded: body)), as: UTF8.self)
        #expect(text == notice.text.replacing("\n", with: "\r\n") + "\r\n")
        try await bench.stop()
    }

    @Test func `a message that the mailbox has already is not delivered again`() async throws {
        let bench = try await Bench(["UID SEARCH": "* SEARCH 7\r\n\\T OK done\r\n"])
        try bench.grant()
        let notice = try #require(try bench.fixture.store.notices().first)
        let messageID = OwnerNotifications.messageID(of: notice, at: "mail.gateway.example")
        let field = "Message-ID: \(messageID)\r\n\r\n"
        bench.server.answer([
            "UID FETCH": "* 1 FETCH (UID 7 BODY[HEADER.FIELDS (MESSAGE-ID)] "
                + "{\(field.utf8.count)}\r\n\(field))\r\n\\T OK done\r\n"
        ])
        try bench.start()
        try await bench.wait { try bench.fixture.store.notices().isEmpty }
        #expect(bench.server.messages.isEmpty)
        try await bench.stop()
    }

    @Test func `each of several messages is delivered, one at a time`() async throws {
        let bench = try await Bench()
        try bench.grant()
        try bench.grant([.lookup, .read, .write])
        try bench.grant([.lookup, .read, .insert])
        let count = try bench.fixture.store.notices().count
        #expect(count >= 2)
        try bench.start()
        try await bench.wait { try bench.fixture.store.notices().isEmpty }
        #expect(bench.server.messages.count == count)
        #expect(Set(bench.server.messages).count == count)
        try await bench.stop()
    }

    @Test func `a refused message stays in the store, and the server is not asked for a while`()
        async throws
    {
        let bench = try await Bench(["APPEND": "\\T NO full\r\n"])
        try bench.grant()
        try bench.start()
        try await bench.wait {
            bench.fixture.log.count("cannot deliver a message to an owner; the gateway tries again")
                > 0
        }
        #expect(try bench.fixture.store.notices().count == 1)
        let connections = bench.server.connections
        for _ in 0..<5 { bench.notifications.deliver() }
        bench.notifications.stop()
        try await bench.fixture.stop()
        #expect(bench.server.connections == connections)
        #expect(try bench.fixture.store.notices().count == 1)
        try await bench.server.stop()
    }

    @Test func `a message that is added later is delivered at the next call of deliver`()
        async throws
    {
        let bench = try await Bench()
        try bench.start()
        #expect(bench.server.connections == 0)
        try bench.grant()
        bench.notifications.deliver()
        try await bench.wait { try bench.fixture.store.notices().isEmpty }
        #expect(bench.server.messages.count == 1)
        try await bench.stop()
    }
}
