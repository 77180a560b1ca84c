import NIOCore
import NIOEmbedded
import Session
import Synchronization
import Testing

@testable import Gateway
@testable import Store

/// A conversation that no client leads, at a server that a test plays.
@Suite(.timeLimit(.minutes(20))) struct ConversationConnectionTests {
    private final class Outcomes: Sendable {
        private let list = Mutex<[FolderReading.Outcome?]>([])

        var all: [FolderReading.Outcome?] { self.list.withLock { $0 } }

        func add(_ outcome: FolderReading.Outcome?) {
            self.list.withLock { $0.append(outcome) }
        }
    }

    private static let folders =
        "* LIST () \"/\" INBOX\r\n* LIST () \"/\" {8}\r\nBerichte\r\n"
        + "* LIST () \"/\" {4}\r\nA\"\\b\r\n"

    /// A conversation whose server is logged in at, and asked for its folders.
    private struct Listing {
        let test: TestUpstream
        let server: EmbeddedChannel
        let outcomes = Outcomes()
        /// Of the command that is not answered.
        let tag: String

        init() throws {
            let test = try TestUpstream()
            self.test = test
            let outcomes = self.outcomes
            ConversationConnection.run(
                FolderReading(),
                at: ConversationServer(account: test.account, upstream: test.services),
                on: test.loop
            ) { outcomes.add($0) }
            test.loop.run()
            let server = try #require(test.connector.channels.last)
            self.server = server
            try server.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
            let login = try server.heard().prefix { $0 != " " }
            try server.say("\(login) OK [CAPABILITY IMAP4rev1] in\r\n")
            let delimiter = try server.heard().prefix { $0 != " " }
            try server.say("* LIST (\\Noselect) \"/\" \"\"\r\n\(delimiter) OK done\r\n")
            let list = try server.heard()
            #expect(list.contains(" LIST \"\" \"*\""))
            self.tag = String(list.prefix { $0 != " " })
        }

        var answer: String { ConversationConnectionTests.folders + "\(self.tag) OK done\r\n" }
    }

    /// How many folders were listed; nil where there is no list.
    private static func folders(_ outcomes: Outcomes) -> Int? {
        guard case .listed(let folders, _)?? = outcomes.all.first, outcomes.all.count == 1 else {
            return nil
        }
        return folders.folders.count
    }

    @Test func `a server that throttles a login is left alone by everybody`() throws {
        let test = try TestUpstream()
        let outcomes = Outcomes()
        ConversationConnection.run(
            FolderReading(),
            at: ConversationServer(account: test.account, upstream: test.services),
            on: test.loop
        ) { outcomes.add($0) }
        test.loop.run()
        let server = try #require(test.connector.channels.last)
        try server.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n")
        let login = try server.heard().prefix { $0 != " " }
        #expect(!test.services.profiles.isPaused(test.account))
        try server.say(
            "\(login) BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n"
        )
        #expect(outcomes.all == [nil])
        #expect(test.services.profiles.isPaused(test.account))
    }

    @Test func `a list does not depend on where its octets are split`() throws {
        let octets = try Listing().answer.utf8.count
        for cut in 0..<octets {
            let listing = try Listing()
            try listing.server.say(listing.answer.octets(before: cut))
            #expect(listing.outcomes.all.isEmpty)
            try listing.server.say(listing.answer.octets(from: cut))
            #expect(Self.folders(listing.outcomes) == 3, "cut behind \(cut) octets")
            #expect(!listing.server.isActive)
        }
    }

    @Test func `a server that closes within its list, even in a literal, has listed no folder`()
        throws
    {
        let octets = try Listing().answer.utf8.count
        for end in 0..<octets {
            let listing = try Listing()
            try listing.server.say(listing.answer.octets(before: end))
            listing.server.hangUp()
            #expect(listing.outcomes.all == [nil], "behind \(end) octets")
        }
    }

    @Test func `the last responses of a server count, although they are read in later turns`()
        throws
    {
        let listing = try Listing()
        let many = String(repeating: "* LIST () \"/\" INBOX\r\n", count: 250)
        try listing.server.say(many + listing.answer)
        #expect(listing.outcomes.all.isEmpty)
        listing.server.hangUp()
        #expect(listing.outcomes.all.isEmpty)
        listing.test.loop.advanceTime(by: .seconds(1))
        #expect(Self.folders(listing.outcomes) == 253)
    }

    @Test func `a server that does not answer a command is abandoned after its time`()
        throws
    {
        let listing = try Listing()
        let time = GatewayConfiguration.Limits().upstreamTransferTime
        listing.test.loop.advanceTime(by: time - .seconds(1))
        #expect(listing.outcomes.all.isEmpty)
        listing.test.loop.advanceTime(by: time)
        #expect(listing.outcomes.all == [nil])
        #expect(!listing.server.isActive)
        #expect(listing.test.isFree(.imap))
    }

    @Test func `a conversation closes the connection of a server that exceeds the limits`() throws {
        let listing = try Listing()
        let line = "* 1 EXISTS\r\n"
        let count = ConversationLimiter.maximumUnaskedOctets / line.utf8.count + 1
        try listing.server.say(String(repeating: line, count: count))
        for _ in 0..<count where listing.outcomes.all.isEmpty {
            listing.test.loop.advanceTime(by: .milliseconds(1))
        }
        #expect(listing.outcomes.all == [nil])
        #expect(!listing.server.isActive)
    }
}
