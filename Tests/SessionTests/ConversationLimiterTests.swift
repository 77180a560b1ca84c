import IMAP
import NIOCore
import Session
import Testing

/// What a server may say in a conversation that no client leads.
@Suite struct ConversationLimiterTests {
    /// - Returns: how many of these responses are taken, of so many at most.
    private static func taken(_ response: String, atMost count: Int) -> Int {
        var limiter = ConversationLimiter()
        let octets = ByteBuffer(string: response + "\r\n")
        return (0..<count).first { _ in !limiter.takes(octets) } ?? count
    }

    @Test(arguments: [
        "* OK hello", "* NO hello", "* 5 EXISTS", "* 5 EXPUNGE", "* CAPABILITY IMAP4rev1",
        "* STATUS INBOX (MESSAGES 1)", "* FLAGS ()", "* X-FOO", "!?",
    ])
    func `responses that nobody asked for have a bound`(response: String) {
        let count = ConversationLimiter.maximumUnaskedOctets / (response.utf8.count + 2)
        #expect(Self.taken(response, atMost: 100_000) == count)
    }

    @Test(arguments: [
        "* LIST () \"/\" INBOX", "* SEARCH 1 2 3", "* 1 FETCH (UID 1)", "A1 OK done", "+ go on",
    ])
    func `an answer is not among them`(response: String) {
        #expect(Self.taken(response, atMost: 100_000) == 100_000)
    }

    @Test func `an answer has a bound, and another one is another's`() {
        var limiter = ConversationLimiter()
        let isTaken1 = limiter.takesOctets(ConversationLimiter.maximumOctets)
        #expect(isTaken1)
        let isTaken2 = limiter.takesOctets(1)
        #expect(!isTaken2)
        limiter.commandSent()
        let isTaken3 = limiter.takesOctets(ConversationLimiter.maximumOctets)
        #expect(isTaken3)
    }

    @Test func `messages do not count`() {
        var limiter = ConversationLimiter()
        for _ in 0..<100 {
            let isTaken4 = limiter.takesOctets(ConversationLimiter.maximumOctets)
            #expect(isTaken4)
            limiter.messageOctetsTaken(ConversationLimiter.maximumOctets)
        }
        let isTaken5 = limiter.takesOctets(1)
        #expect(isTaken5)
    }

    @Test func `a mailbox with thousands of keywords is selected`() {
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
