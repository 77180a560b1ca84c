import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The conversation that stores a copy of a sent message in a Sent folder.
@Suite struct SentFilingTests {
    private static let profile = UpstreamProfile(
        capabilities: ["UIDPLUS", "LIST-EXTENDED", "SPECIAL-USE"],
        delimiter: UInt8(ascii: "."),
        personalPrefixes: [Array("INBOX.".utf8)],
        foreignPrefixes: [Array("INBOX.Others.".utf8)]
    )

    private static func scope(_ folder: String) -> Scope {
        FolderPath(octets: Array(folder.utf8)).map { .subtree($0) } ?? .account
    }

    /// Plays the server, with its lines after each command.
    ///
    /// - Returns: the commands, without tags, and the last step.
    private static func run(
        to purpose: SentFiling.Purpose = .file(octets: 10),
        messageID: String? = nil,
        creatable: [Scope] = [],
        others: Set<FiledCopy> = [],
        _ answers: [[String]]
    ) -> ([String], ConversationStep<SentFiling.Outcome>) {
        var filing = SentFiling(
            purpose,
            messageID: messageID.map { ByteBuffer(string: $0) },
            creatable: creatable,
            others: others
        )
        var step = filing.begin(Self.profile, tags: UpstreamTags(random: 7))
        var commands: [String] = []
        var tag = ""
        for lines in answers {
            if case .send(let segments) = step {
                let words = segments.map { String(buffer: $0) }.joined()
                    .split(separator: " ", maxSplits: 1).map(String.init)
                if words.count > 1 {
                    tag = words[0]
                    commands.append(words[1])
                }
            }
            if step == .sendMessage { step = filing.messageSent() }
            for line in lines {
                let text = line.hasPrefix("T ") ? "\(tag)\(line.dropFirst())" : line
                guard let response = Self.collected(text + "\r\n", &filing) else { continue }
                step = filing.responseReceived(response)
            }
        }
        return (commands, step)
    }

    /// The response as the connection collects it; nil if the conversation took its pieces.
    private static func collected(_ text: String, _ filing: inout SentFiling) -> ByteBuffer? {
        var reader = ResponseReader()
        reader.receive(ByteBuffer(string: text))
        var collected: ByteBuffer?
        while let piece = try? reader.next() {
            if filing.pieceReceived(piece) { continue }
            if collected == nil { collected = ByteBuffer() }
            collected?.writeImmutableBuffer(piece.octets)
        }
        return collected
    }

    /// A copy that another node may have filed can be there for long.
    @Test(arguments: [false, true])
    func `a repeated copy is looked for among messages of any age`(isRepeated: Bool) {
        var filing = SentFiling(
            .tidy(FiledCopy(folder: ByteBuffer(string: "Sent"), uidValidity: 9, uid: 4)),
            messageID: ByteBuffer(string: "<a@b.example>"),
            isRepeated: isRepeated
        )
        func text(_ step: ConversationStep<SentFiling.Outcome>) -> String {
            guard case .send(let segments) = step else { return "\(step)" }
            return segments.map { String(buffer: $0) }.joined()
        }
        let profile = UpstreamProfile(
            capabilities: ["UIDPLUS", "WITHIN"],
            delimiter: UInt8(ascii: "/")
        )
        let select = text(filing.begin(profile, tags: UpstreamTags(random: 7)))
        let tag = select.prefix { $0 != " " }
        _ = filing.responseReceived(ByteBuffer(string: "* OK [UIDVALIDITY 9] Ok\r\n"))
        let search = text(filing.responseReceived(ByteBuffer(string: "\(tag) OK done\r\n")))
        #expect(search.contains("UID SEARCH UNDELETED HEADER Message-ID"))
        #expect(search.contains("YOUNGER") == !isRepeated)
    }

    private static let own = "* LIST (\\Sent) \".\" INBOX.Gesendet"
    private static let plain = "* LIST () \".\" INBOX.Sent"
    private static let others = "* LIST (\\Sent) \".\" INBOX.Others.bob.Sent"
    private static let outside = "* LIST (\\Sent) \".\" Public.Sent"
    /// In a scope in which another user may create folders.
    private static let planted = "* LIST (\\Sent) \".\" INBOX.Akten.Neu"

    @Test(arguments: [
        ([Self.own, Self.others], "INBOX.Gesendet"), ([Self.others, Self.own], "INBOX.Gesendet"),
        ([Self.plain, Self.own], "INBOX.Gesendet"), ([Self.own, Self.plain], "INBOX.Gesendet"),
        ([Self.outside, Self.plain, Self.others], "INBOX.Sent"),
        ([Self.own, "* LIST (\\Sent) \".\" INBOX.Neu"], "INBOX.Gesendet"),
        ([Self.planted, Self.own], "INBOX.Gesendet"), ([Self.planted, Self.plain], "INBOX.Sent"),
        ([Self.planted], "INBOX.Akten.Neu"),
    ])
    func `the copy goes to the account's own Sent folder`(lines: [String], folder: String) {
        let creatable = [Self.scope("Akten")]
        let (_, step) = Self.run(creatable: creatable, [lines + ["T OK done"]])
        guard case .send(let segments) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(segments.map { String(buffer: $0) }.joined().hasSuffix(" SELECT \(folder)\r\n"))
    }

    @Test func `foreign and ambiguous Sent folders are not used`() {
        let lines = [Self.others, Self.outside, "* LIST () \".\" Sent", "T OK done"]
        #expect(Self.run([lines]).1 == .done(.noSentFolder))
        let planted = [Self.planted, "* LIST (\\Sent) \".\" INBOX.Akten.Alt", "T OK done"]
        let creatable = [Self.scope("Akten")]
        #expect(Self.run(creatable: creatable, [planted]).1 == .done(.noSentFolder))
    }

    private static let begun = [
        [own, "T OK done"], ["* OK [UIDVALIDITY 9] Ok", "T OK [READ-WRITE] done"], ["+ go"],
    ]

    @Test func `a second continuation request does not send the message again`() {
        let (commands, step) = Self.run(Self.begun)
        #expect(commands.last == "APPEND INBOX.Gesendet (\\Seen) {10}\r\n")
        #expect(step == .sendMessage)
        #expect(Self.run(Self.begun + [["+ go on"]]).1 == .done(.refused))
    }

    @Test(arguments: ["T NO [OVERQUOTA] full", "T OK [APPENDUID 9 8] early", "* BYE", "x OK"])
    func `a response in the middle of the message ends the conversation`(answer: String) {
        var filing = SentFiling(.file(octets: 10), messageID: nil)
        var tag = ""
        var step = filing.begin(Self.profile, tags: UpstreamTags(random: 7))
        for lines in Self.begun {
            if case .send(let segments) = step, let first = segments.first {
                tag = String(buffer: first).split(separator: " ").first.map(String.init) ?? ""
            }
            for line in lines {
                let text = line.hasPrefix("T ") ? "\(tag)\(line.dropFirst())" : line
                step = filing.responseReceived(ByteBuffer(string: text + "\r\n"))
            }
        }
        let text = answer.hasPrefix("T ") ? "\(tag)\(answer.dropFirst())" : answer
        step = filing.responseReceived(ByteBuffer(string: text + "\r\n"))
        guard answer.hasPrefix("*") else { return #expect(step == .done(.refused)) }
        #expect(step == .wait)
    }

    // MARK: - The same message, filed by a mail program

    private static let copy = FiledCopy(
        folder: ByteBuffer(string: "INBOX.Gesendet"),
        uidValidity: 9,
        uid: 8
    )
    private static let identifier = "<a@client.example>"
    private static let selected = ["* OK [UIDVALIDITY 9] Ok", "T OK [READ-WRITE] done"]

    private static func part(_ uid: Int, _ item: String, _ text: String) -> [String] {
        ["* 1 FETCH (UID \(uid) BODY[\(item)] {\(text.utf8.count)}\r\n\(text))", "T OK done"]
    }

    private static func sizes(_ sizes: [(Int, Int)]) -> [String] {
        sizes.map { "* 1 FETCH (UID \($0) RFC822.SIZE \($1))" } + ["T OK done"]
    }

    @Test func `the own copy is removed if the folder has another copy of the message`() {
        let (commands, step) = Self.run(
            to: .tidy(Self.copy),
            messageID: Self.identifier,
            [
                Self.selected, ["* SEARCH 5 8", "T OK done"], Self.sizes([(5, 90), (8, 99)]),
                Self.part(8, "HEADER", "From: a\r\n\r\n"), Self.part(8, "TEXT", "text"),
                Self.part(5, "HEADER", "From: a\r\n\r\n"), Self.part(5, "TEXT", "text"),
                ["T OK done"], ["T OK done"],
            ]
        )
        #expect(step == .done(.removed))
        #expect(commands[1] == "UID SEARCH UNDELETED HEADER Message-ID \"<a@client.example>\"\r\n")
        #expect(commands[2] == "UID FETCH 5,8 (UID RFC822.SIZE)\r\n")
        #expect(commands[3].hasPrefix("UID FETCH 8 (UID BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC "))
        #expect(commands[4] == "UID FETCH 8 (UID BODY.PEEK[TEXT])\r\n")
        #expect(
            commands.suffix(2) == [
                "UID STORE 8 +FLAGS.SILENT (\\Deleted)\r\n", "UID EXPUNGE 8\r\n",
            ]
        )
    }

    /// Messages that a recipient, who knows the Message-ID, could store in the folder.
    @Test(arguments: [
        [Self.part(5, "HEADER", "From: a\r\n\r\n"), Self.part(5, "TEXT", "other")],
        [Self.part(5, "HEADER", "From: a\r\nSubject: other\r\n\r\n")],
        // It was removed in the meantime.
        [["T OK done"]],
    ])
    func `a different message with the same Message-ID does not remove the own copy`(
        decoy: [[String]]
    ) {
        let (commands, step) = Self.run(
            to: .tidy(Self.copy),
            messageID: Self.identifier,
            [
                Self.selected, ["* SEARCH 5 8", "T OK done"], Self.sizes([(5, 90), (8, 99)]),
                Self.part(8, "HEADER", "From: a\r\n\r\n"), Self.part(8, "TEXT", "text"),
            ] + decoy
        )
        #expect(step == .done(.kept))
        #expect(!commands.contains { $0.contains("STORE") || $0.contains("EXPUNGE") })
    }

    @Test func `missing messages, other sizes and the gateway's own copies are not compared`() {
        func run(
            _ found: String,
            _ sizes: [(Int, Int)]? = nil
        ) -> ConversationStep<SentFiling.Outcome> {
            let other = FiledCopy(folder: Self.copy.folder, uidValidity: 9, uid: 7)
            var answers = [Self.selected, ["* SEARCH \(found)", "T OK done"]]
            if let sizes { answers.append(Self.sizes(sizes)) }
            return Self.run(
                to: .tidy(Self.copy),
                messageID: Self.identifier,
                others: [other],
                answers
            ).1
        }
        #expect(run("8") == .done(.kept))
        #expect(run("5") == .done(.kept))
        #expect(run("7 8") == .done(.kept))
        #expect(run("5 8", [(5, 20_000), (8, 99)]) == .done(.kept))
        #expect(run("5 8", [(5, 99)]) == .done(.kept))
    }

    @Test func `another UIDVALIDITY removes nothing`() {
        let selected = ["* OK [UIDVALIDITY 10] Ok", "T OK [READ-WRITE] done"]
        let (commands, step) = Self.run(
            to: .tidy(Self.copy),
            messageID: Self.identifier,
            [selected]
        )
        #expect(step == .done(.kept) && commands.count == 1)
    }

    @Test func `a copy without APPENDUID stays`() {
        let answers: [([String], FiledCopy?)] = [
            (["T OK [APPENDUID 9 8] done"], Self.copy), (["T OK [APPENDUID 10 8] done"], nil),
            (["T OK [APPENDUID 9 8:9] done"], nil), (["T OK done"], nil),
        ]
        for (lines, copy) in answers {
            let (_, step) = Self.run(Self.begun + [lines])
            #expect(step == .done(.filed(copy)), "\(lines)")
        }
    }

    @Test func `a message that was filed earlier removes the own copy at once`() {
        let (commands, step) = Self.run(
            messageID: Self.identifier,
            Self.begun + [
                ["T OK [APPENDUID 9 8] done"], ["* SEARCH 5 8", "T OK done"],
                Self.sizes([(5, 90), (8, 99)]),
                Self.part(8, "HEADER", "From: a\r\n\r\n"), Self.part(8, "TEXT", "text"),
                Self.part(5, "HEADER", "From: a\r\n\r\n"), Self.part(5, "TEXT", "text"),
                ["T OK done"], ["T OK done"],
            ]
        )
        #expect(step == .done(.removed) && commands.last == "UID EXPUNGE 8\r\n")
        // A failure after the APPEND does not change that the copy is stored.
        let filed = Self.run(
            messageID: Self.identifier,
            Self.begun + [["T OK [APPENDUID 9 8] done"], ["T NO no"]]
        )
        #expect(filed.1 == .done(.filed(Self.copy)))
    }
}
