import IMAP
import NIOCore
import Session
import Testing

/// The limits of a server's responses in a conversation without a client.
@Suite struct ConversationLimiterTests {
    /// - Returns: how many of these responses are accepted, at most `count`.
    private static func taken(_ response: String, atMost count: Int) -> Int {
        var limiter = ConversationLimiter()
        let octets = ByteBuffer(string: response + "\r\n")
        return (0..<count).first { _ in !limiter.takes(octets) } ?? count
    }

    @Test(arguments: [
        "* OK hello", "* NO hello", "* 5 EXISTS", "* 5 EXPUNGE", "* CAPABILITY IMAP4rev1",
        "* STATUS INBOX (MESSAGES 1)", "* FLAGS ()", "* X-FOO", "!?",
    ])
    func `unsolicited responses are limited`(response: String) {
        let count = ConversationLimiter.maximumUnaskedOctets / (response.utf8.count + 2)
        #expect(Self.taken(response, atMost: 100_000) == count)
    }

    @Test(arguments: [
        "* LIST () \"/\" INBOX", "* SEARCH 1 2 3", "* 1 FETCH (UID 1)", "A1 OK done", "+ go on",
    ])
    func `answers do not count as unsolicited responses`(response: String) {
        #expect(Self.taken(response, atMost: 100_000) == 100_000)
    }

    @Test func `the octets of each answer are limited separately`() {
        var limiter = ConversationLimiter()
        let isTaken1 = limiter.takesOctets(ConversationLimiter.maximumOctets)
        #expect(isTaken1)
        let isTaken2 = limiter.takesOctets(1)
        #expect(!isTaken2)
        limiter.commandSent()
        let isTaken3 = limiter.takesOctets(ConversationLimiter.maximumOctets)
        #expect(isTaken3)
    }

    @Test func `octets of messages are not limited`() {
        var limiter = ConversationLimiter()
        for _ in 0..<100 {
            let isTaken4 = limiter.takesOctets(ConversationLimiter.maximumOctets)
            #expect(isTaken4)
            limiter.messageOctetsTaken(ConversationLimiter.maximumOctets)
        }
        let isTaken5 = limiter.takesOctets(1)
        #expect(isTaken5)
    }

    @Test func `a mailbox with thousands of keywords stays within the limits`() {
        var limiter = ConversationLimiter()
        let keywords = String(repeating: "x", count: ResponseCollector.maximumOctets - 100)
        let isTaken6 = limiter.takes(ByteBuffer(string: "* FLAGS (\(keywords))\r\n"))
        #expect(isTaken6)
        let isTaken7 = limiter.takes(
            ByteBuffer(string: "* OK [PERMANENTFLAGS (\(keywords))] Ok\r\n")
        )
        #expect(isTaken7)
        let isTaken8 = limiter.takes(ByteBuffer(string: "* 3 EXISTS\r\n"))
        #expect(isTaken8)
    }
}
