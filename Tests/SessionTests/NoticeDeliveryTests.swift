import NIOCore
import Testing

@testable import Session

/// The conversation that stores a notice of the gateway in an owner's INBOX.
@Suite struct NoticeDeliveryTests {
    private static let messageID = "<notice-00ff@gateway.example>"

    /// Plays the server.
    ///
    /// - Parameter answers: the server's lines after each command.
    /// - Returns: the commands, without tags, and the last step.
    private static func run(
        _ answers: [[String]]
    ) -> ([String], ConversationStep<NoticeDelivery.Outcome>) {
        var delivery = NoticeDelivery(
            messageID: ByteBuffer(string: Self.messageID),
            message: ByteBuffer(string: "Subject: x\r\n\r\nx\r\n")
        )
        let profile = UpstreamProfile(capabilities: [], delimiter: UInt8(ascii: "/"))
        var step = delivery.begin(profile, tags: UpstreamTags(random: 7))
        var commands: [String] = []
        for lines in answers {
            var tag = ""
            if case .send(let segments) = step {
                let words = segments.map { String(buffer: $0) }.joined()
                    .split(separator: " ", maxSplits: 1).map(String.init)
                tag = words[0]
                if words.count > 1 { commands.append(words[1]) }
            }
            for line in lines {
                let text = line.hasPrefix("T ") ? "\(tag)\(line.dropFirst())" : line
                step = delivery.responseReceived(ByteBuffer(string: text + "\r\n"))
            }
        }
        return (commands, step)
    }

    private static func field(_ uid: Int, _ value: String) -> String {
        let field = "Message-ID: \(value)\r\n\r\n"
        return "* \(uid) FETCH (UID \(uid) BODY[HEADER.FIELDS (MESSAGE-ID)] "
            + "{\(field.utf8.count)}\r\n\(field))"
    }

    /// SEARCH matches the Message-ID anywhere in the field.
    @Test(arguments: [
        ("<notice-00ff@gateway.example> <notice-01ff@gateway.example>", false),
        ("<x <notice-00ff@gateway.example>>", false), ("<NOTICE-00FF@gateway.example>", false),
        (messageID, true), ("\r\n \(messageID) ", true),
    ])
    func `only a message with exactly the same Message-ID counts as delivered`(
        value: String,
        isIt: Bool
    ) {
        let (commands, step) = Self.run([
            ["T OK x"], ["* SEARCH 7 9", "T OK x"],
            [Self.field(7, "<other@x.example>"), Self.field(9, value), "T OK x"],
        ])
        #expect(commands[1] == "UID SEARCH HEADER Message-ID \"\(Self.messageID)\"\r\n")
        #expect(commands[2] == "UID FETCH 7,9 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\r\n")
        guard isIt else {
            guard case .send(let segments) = step else {
                Issue.record("\(step)")
                return
            }
            #expect(segments.map { String(buffer: $0) }.joined().contains("APPEND INBOX {17}"))
            return
        }
        #expect(step == .done(.delivered))
    }

    @Test func `a missing notice is appended to the INBOX`() {
        let (commands, step) = Self.run([["T OK x"], ["* SEARCH", "T OK x"], ["+ go"]])
        #expect(commands.last == "APPEND INBOX {17}\r\n")
        guard case .send(let segments) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(segments.map { String(buffer: $0) }.joined() == "Subject: x\r\n\r\nx\r\n\r\n")
    }
}
