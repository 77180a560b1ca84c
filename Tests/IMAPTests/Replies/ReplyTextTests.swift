import IMAP
import NIOCore
import Testing

/// Every text of the gateway: a condition, at most one code in brackets, and words that repeat nothing of a peer.
@Suite struct ReplyTextTests {
    static let texts: [ReplyText] = [
        .completed("NOOP"), .completed("COPY", .tryCreate), .loggedIn(["IMAP4rev1"]),
        .selected(isReadOnly: true), .selected(isReadOnly: false), .beginTLS,
        .status(.uidNext(4)), .closed, .someUnavailable, .someOutdated,
        .noUpdate(tag: ByteBuffer(string: "a1")), .noSuchMailbox, .notPermitted, .unavailable,
        .answerUnreadable, .contactAdministrator, .credentialSuspended, .serverUnanswering,
        .passwordCheckOverloaded, .tooManyConnectionsOfUser, .authenticationFailed,
        .authorizationFailed, .privacyRequired, .unknownMechanism, .badCharset,
        .refusedByServer(nil), .refusedByServer(.overQuota), .cannotAcrossAccounts, .tryCreate,
        .noSuchMessage, .expungedMeanwhile, .tooBig, .tooManyParts, .tooManyMessages,
        .tooManySubscriptions, .tooManyUnsubscriptions, .tooManyWatched, .tooManyGrants, .inUse,
        .partlyCopied(SequenceSet(uids: [1, 2, 7])), .undoneLater, .movedWithMarks, .movedLater,
        .cannotOnThisServer, .lacking("SORT"), .partlyStored(3, .overQuota), .partlyStored(3, nil),
        .tooManyResults, .cannotHaveName, .cannotChangeACL, .cannotGrantRight, .noSuchIdentifier,
        .grantedElsewhere, .cannotChangeInbox, .badEvent, .badSyntax, .badUnknownCommand, .badState,
        .badForServer, .badNoModSeq, .badNotEnabled,
    ]

    static let farewells: [ReplyText.Farewell] = [
        .loggedOut, .syntax, .tooBig, .tooManyErrors, .tooManyLogins, .octetsBehindStartTLS,
        .loginTooLong, .idleTooLong, .shuttingDown, .overloaded, .accessEnded,
        .endedByAdministrator, .upstreamEnded,
    ]

    private static func line(_ text: ReplyText) -> String {
        String(buffer: Reply.untagged(text))
    }

    /// What a client reads: condition, code and words.
    private static func parts(
        _ text: ReplyText
    ) -> (condition: String, code: String?, words: String)? {
        let line = Self.line(text)
        guard
            let match = line.wholeMatch(
                of: /\* (?<condition>OK|NO|BAD|BYE)(?: \[(?<code>[^\]]*)\])? (?<words>[^\r\n]+)\r\n/
            )
        else { return nil }
        return (
            String(match.output.condition), match.output.code.map(String.init),
            String(match.output.words)
        )
    }

    @Test(arguments: texts + farewells.map { .bye($0) })
    func `a text is one line of printable ASCII that a client understands`(text: ReplyText) throws {
        let line = Self.line(text)
        #expect(line.utf8.dropLast(2).allSatisfy { (0x20..<0x7F).contains($0) }, "\(line)")
        #expect(line.utf8.count < 200, "\(line)")
        let parts = try #require(Self.parts(text), "\(line)")
        #expect(!parts.words.hasPrefix(" ") && !parts.words.hasSuffix(" "))
        #expect(parts.code?.isEmpty != true)
    }

    @Test(arguments: texts + farewells.map { .bye($0) })
    func `a server's reader reads what the gateway writes`(text: ReplyText) throws {
        let head = try ResponseHead(Reply.untagged(text))
        guard case .status(let condition, let rest) = head else {
            Issue.record("\(head)")
            return
        }
        let parts = try #require(Self.parts(text))
        let conditions: [String: Condition] = ["OK": .ok, "NO": .no, "BAD": .bad, "BYE": .bye]
        #expect(condition == conditions[parts.condition])
        #expect(try ResponseText(rest).code != nil || parts.code == nil)
    }

    @Test(arguments: texts)
    func `a tag stands before its text, and nothing else does`(text: ReplyText) {
        let tagged = String(buffer: Reply.tagged(ByteBuffer(string: "a1"), text: text))
        #expect(tagged == "a1" + Self.line(text).dropFirst())
    }

    @Test func `what is not there and what is hidden sound alike`() {
        #expect(Self.line(.noSuchMailbox) == "* NO [NONEXISTENT] No such mailbox\r\n")
        #expect(!Self.line(.noSuchMailbox).contains("right"))
    }

    @Test(arguments: farewells)
    func `a farewell ends a connection, whatever its reason`(farewell: ReplyText.Farewell) throws {
        #expect(try #require(Self.parts(.bye(farewell))).condition == "BYE")
    }

    @Test func `texts are told apart`() {
        let lines = Self.texts.map(Self.line) + Self.farewells.map { Self.line(.bye($0)) }
        #expect(Set(lines).count == lines.count)
    }

    // MARK: - Continuations

    @Test(arguments: [Reply.Request.literal, .sasl(challenge: []), .idling])
    func `a continuation is one line that begins with a plus`(request: Reply.Request) {
        let line = String(buffer: Reply.continuation(request))
        #expect(line.hasPrefix("+ ") && line.hasSuffix("\r\n"))
        #expect(line.split(separator: "\r\n").count == 1)
    }

    /// The tag of a client, as an answer repeats it.
    @Test(arguments: ["a1", "A]b", "x\"y", "a\\b", "."])
    func `a tag in an answer breaks nothing of it`(tag: String) throws {
        let progress = Reply.progress(tag: ByteBuffer(string: tag), done: 3, of: 7)
        guard case .status(.ok, _) = try ResponseHead(progress) else {
            Issue.record("\(String(buffer: progress))")
            return
        }
        let head = Reply.esearchHead(tag: ByteBuffer(string: tag))
        #expect(String(buffer: head).hasPrefix("* ESEARCH (TAG \""))
        #expect(String(buffer: head).filter { $0 == "\"" }.count == 2)
    }

    @Test(arguments: [
        ("plain", 100, "plain"), ("a\r\nb", 100, "ab"), ("\u{1B}[2J", 100, "?[2J"),
        ("\0", 100, "?"),
        ("M\u{FC}ller", 100, "M??ller"), ("abcdef", 3, "abc"), ("", 100, ""), ("abc", 0, ""),
    ])
    func `octets of a server are shown as printable ASCII, and cut`(
        text: String,
        maximum: Int,
        shown: String
    ) {
        #expect(Reply.printable(ByteBuffer(string: text), maximumOctets: maximum) == shown)
    }
}
