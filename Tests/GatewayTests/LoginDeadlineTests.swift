import NIOCore
import NIOEmbedded
import Session
import Synchronization
import Testing

@testable import Gateway
@testable import Store

/// A mail server that takes connections and says nothing, or takes its time: no login waits for it for long.
@Suite(.timeLimit(.minutes(20))) struct LoginDeadlineTests {
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

    /// What conversations came to; nil inside where the server could not be used.
    private final class Outcomes: Sendable {
        private let list = Mutex<[Bool?]>([])

        var all: [Bool?] { self.list.withLock { $0 } }

        func add(_ outcome: Bool?) {
            self.list.withLock { $0.append(outcome) }
        }
    }

    private static func converse(_ test: TestUpstream) -> Outcomes {
        let outcomes = Outcomes()
        ConversationConnection.run(
            Conversation(),
            at: ConversationServer(account: test.account, upstream: test.services),
            on: test.loop
        ) { outcomes.add($0) }
        test.loop.run()
        return outcomes
    }

    private static let greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"

    /// Answers each command with OK.
    private static func answerAll(_ server: EmbeddedChannel, from line: String) throws {
        var line = line
        while !line.isEmpty {
            try server.say("\(line.prefix { $0 != " " }) OK done\r\n")
            line = try server.heard()
        }
    }

    @Test func `a conversation returns its lease`() throws {
        let test = try TestUpstream()
        let outcomes = Self.converse(test)
        test.loop.advanceTime(by: .milliseconds(14_999))
        #expect(outcomes.all == [])
        #expect(!test.isFree(.imap))
        test.loop.advanceTime(by: .milliseconds(1))
        #expect(outcomes.all == [nil])
        #expect(test.isFree(.imap))
    }

    @Test func `a conversation with a slow server waits for the verdict, and causes no pause`()
        throws
    {
        let test = try TestUpstream()
        // Two that were given no answer would begin a pause.
        for number in 1...2 {
            let outcomes = Self.converse(test)
            let server = try #require(test.connector.channels.last)
            test.loop.advanceTime(by: .seconds(9))
            try server.say(Self.greeting)
            let login = try server.heard()
            #expect(login.contains(" AUTHENTICATE PLAIN "))
            test.loop.advanceTime(by: .milliseconds(5_999))
            #expect(outcomes.all == [])
            test.loop.advanceTime(by: .milliseconds(1))
            #expect(outcomes.all == [nil])
            #expect(test.connector.channels.count == number)
            #expect(server.isActive)
            // Within the time for an answer, which runs from the credential on.
            test.loop.advanceTime(by: .milliseconds(8_999))
            try Self.answerAll(server, from: login)
            #expect(!server.isActive)
            #expect(outcomes.all == [nil])
        }
        #expect(test.breaker.denial(test.account, service: .imap) == nil)
    }

    @Test func `logins to a server are paused after two logins without an answer in time`()
        throws
    {
        let test = try TestUpstream()
        for _ in 1...2 {
            #expect(test.breaker.denial(test.account, service: .imap) == nil)
            _ = Self.converse(test)
            let server = try #require(test.connector.channels.last)
            test.loop.advanceTime(by: .seconds(9))
            try server.say(Self.greeting)
            test.loop.advanceTime(by: .milliseconds(14_999))
            #expect(server.isActive)
            test.loop.advanceTime(by: .milliseconds(1))
            #expect(!server.isActive)
        }
        #expect(test.breaker.denial(test.account, service: .imap) == .serverUnanswering)
    }

    /// A session that sends.
    private final class Sender: SubmissionConnectionClient {
        var events: [String] = []
        var isWritable: Bool { true }

        func upstreamReady(_ profile: SubmissionProfile) { self.events.append("ready") }
        func upstreamFailed(_ fault: SubmissionFault) { self.events.append("\(fault)") }
        func upstreamOctetsReceived(_ octets: ByteBuffer) {}
        func upstreamClosed() { self.events.append("closed") }
        func upstreamWritabilityChanged() {}
    }

    private static func send(_ test: TestUpstream) -> (Sender, SubmissionConnection) {
        let sender = Sender()
        let connection = SubmissionConnection(
            endpoint: test.account.imap,
            target: test.account,
            user: nil,
            client: sender,
            upstream: test.services
        )
        connection.open(on: test.loop)
        test.loop.run()
        return (sender, connection)
    }

    @Test func `a submission connection returns its lease`() throws {
        let test = try TestUpstream()
        let (sender, _) = Self.send(test)
        test.loop.advanceTime(by: .milliseconds(14_999))
        #expect(sender.events == [])
        test.loop.advanceTime(by: .milliseconds(1))
        #expect(sender.events == ["unreachable"])
        #expect(test.isFree(.submission))
    }

    @Test(arguments: [("535 5.7.8 no\r\n", true), ("235 2.7.0 in\r\n", false)])
    func `a session that closes early does not hide the verdict`(
        answer: String,
        isRefused: Bool
    ) throws {
        let test = try TestUpstream()
        let (sender, connection) = Self.send(test)
        let server = try #require(test.connector.channels.last)
        try server.say("220 x\r\n")
        try server.say("250-x\r\n250 AUTH PLAIN\r\n")
        #expect(try server.heard().contains("AUTH PLAIN "))
        connection.close()
        test.loop.advanceTime(by: .seconds(10))
        #expect(server.isActive)
        try server.say(answer)
        #expect(!server.isActive)
        #expect(sender.events == [])
        let denial = test.breaker.denial(test.account, service: .submission)
        #expect(denial == (isRefused ? .credentialRefused : nil))
    }

    @Test func `a session that closes before the credential is sent closes the connection`() throws
    {
        let test = try TestUpstream()
        let (_, connection) = Self.send(test)
        let server = try #require(test.connector.channels.last)
        try server.say("220 x\r\n")
        connection.close()
        test.loop.run()
        #expect(!server.isActive)
        #expect(test.isFree(.submission))
    }
}
