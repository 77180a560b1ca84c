import Access
import Foundation
import NIOCore
import NIOPosix
import Session
import Store
import Support
import Testing

@testable import Gateway

/// A gateway that was killed between any two steps of keeping a copy: the next one files each copy once.
@Suite struct SentCopiesRecoveryTests {
    private typealias Bench = SpoolBench

    /// What lies in the folder after a step, and which messages are to be filed.
    @Test(
        arguments: [
            ([], []), (["x.part"], []), (["x.part", "ACCOUNT.1.eml"], ["ACCOUNT.1.eml"]),
            (["ACCOUNT.1.eml"], ["ACCOUNT.1.eml"]),
            (
                ["x.part", "ACCOUNT.1.eml", "ACCOUNT.2.own.eml"],
                ["ACCOUNT.1.eml", "ACCOUNT.2.own.eml"]
            ),
            (["ACCOUNT.1.eml", "y.part", "ACCOUNT.2.eml"], ["ACCOUNT.1.eml", "ACCOUNT.2.eml"]),
        ] as [([String], [String])]
    )
    func `complete copies are filed once each, and incomplete ones are not`(
        files: [String],
        filed: [String]
    ) async throws {
        let bench = try await Bench()
        for name in files { try bench.put(name, name.replacing(".", with: "-")) }
        try bench.start()
        try await bench.wait { bench.names.isEmpty }
        let expected = filed.map { Bench.message($0.replacing(".", with: "-")) }
        #expect(bench.server.messages.sorted() == expected.sorted())
        let appends = bench.server.commands.filter { $0.hasPrefix("APPEND") }
        #expect(appends.count == filed.count)
        #expect(appends.allSatisfy { $0.hasPrefix("APPEND Sent (\\Seen)") }, "\(appends)")
        try await bench.stop()
        // The space is free again.
        #expect(bench.copies.space.begin([try bench.fixture.account("anna")]))
    }

    @Test func `a copy is filed in the account that its name has, and in no other`() async throws {
        let bench = try await Bench()
        let bob = try bench.fixture.account("bob").rawValue
        try bench.put("ACCOUNT.1.eml", "for-anna")
        try bench.put("\(bob).2.eml", "for-bob")
        try bench.start()
        try await bench.wait { bench.names.isEmpty }
        let logins = bench.server.commands.filter { $0.hasPrefix("AUTHENTICATE PLAIN ") }
            .compactMap { Data(base64Encoded: String($0.dropFirst("AUTHENTICATE PLAIN ".count))) }
            .map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(logins.filter { $0.contains("anna") }) == ["\0anna@kanzlei.example\0up-anna"])
        #expect(Set(logins.filter { $0.contains("bob") }) == ["\0bob@kanzlei.example\0up-bob"])
        #expect(bench.server.messages.count == 2)
        try await bench.stop()
    }

    /// What a server says instead of taking the copy.
    @Test(arguments: [
        ["APPEND": "\\T NO [OVERQUOTA] full\r\n"], ["SELECT": "\\T NO no such mailbox\r\n"],
        ["LIST": "* LIST () \"/\" INBOX\r\n\\T OK done\r\n"],
        ["AUTHENTICATE": "\\T NO [UNAVAILABLE] later\r\n"],
    ])
    func `a copy that the server refuses stays, and the failure is logged`(
        script: [String: String]
    ) async throws {
        let bench = try await Bench(script)
        try bench.put("ACCOUNT.1.eml", "one")
        try bench.start()
        try await bench.wait {
            bench.fixture.log.count("cannot file a sent copy; the gateway tries again") > 0
        }
        #expect(bench.names.count == 1)
        // A slow machine sees more than one try, and each sends the message once.
        let tries = bench.server.commands.count { $0.hasPrefix("APPEND") }
        #expect(bench.server.messages.count <= tries)
        try await bench.stop()
        #expect(bench.names.count == 1, "it is there for the next start")
    }

    @Test func `a copy that is removed while it waits is not filed`() async throws {
        let bench = try await Bench()
        try bench.start()
        let account = try bench.fixture.account("anna")
        bench.copies.space.found(account, octets: 7)
        bench.copies.file(
            SentCopies.Waiting(
                file: bench.copies.folder.appendingPathComponent("gone.eml"),
                account: account,
                octets: 7,
                messageID: nil
            ),
            on: MultiThreadedEventLoopGroup.singleton.next(),
            attempt: 0
        )
        try await bench.wait {
            bench.fixture.log.count("the file of a sent copy was removed while it waited") > 0
        }
        #expect(bench.server.connections == 0)
        try await bench.stop()
    }

    @Test func `copies of one account are filed one after the other`() async throws {
        let bench = try await Bench()
        for number in 0..<4 { try bench.put("ACCOUNT.\(number).eml", "m\(number)") }
        try bench.start()
        try await bench.wait { bench.names.isEmpty }
        // Within one connection everything of a copy comes before anything of the next one's.
        let order = bench.server.commands.filter {
            $0.hasPrefix("SELECT") || $0.hasPrefix("APPEND")
        }
        .map { String($0.prefix(6)) }
        #expect(order == (0..<4).flatMap { _ in ["SELECT", "APPEND"] })
        #expect(Set(bench.server.messages).count == 4)
        try await bench.stop()
    }
}
