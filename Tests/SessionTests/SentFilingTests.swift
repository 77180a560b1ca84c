import NIOCore
import Testing

@testable import Session

/// The conversation that puts a copy of a sent message into a Sent folder.
@Suite struct SentFilingTests {
    private static let profile = UpstreamProfile(
        capabilities: ["UIDPLUS", "LIST-EXTENDED", "SPECIAL-USE"],
        delimiter: UInt8(ascii: "."),
        personalPrefixes: [Array("INBOX.".utf8)],
        foreignPrefixes: [Array("INBOX.Others.".utf8)]
    )

    /// Plays the server: what it answers to each command.
    /// - Returns: the commands, without tags, and the last step.
    private static func run(
        _ answers: [[String]]
    ) -> ([String], ConversationStep<SentFiling.Outcome>) {
        var filing = SentFiling(.file(octets: 10), messageID: nil)
        var step = filing.begin(Self.profile, UpstreamTags(random: 7))
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
                step = filing.responseReceived(ByteBuffer(string: text + "\r\n"))
            }
        }
        return (commands, step)
    }

    private static let own = "* LIST (\\Sent) \".\" INBOX.Gesendet"
    private static let plain = "* LIST () \".\" INBOX.Sent"
    private static let others = "* LIST (\\Sent) \".\" INBOX.Others.bob.Sent"
    private static let outside = "* LIST (\\Sent) \".\" Public.Sent"

    @Test(arguments: [
        ([Self.own, Self.others], "INBOX.Gesendet"), ([Self.others, Self.own], "INBOX.Gesendet"),
        ([Self.plain, Self.own], "INBOX.Gesendet"), ([Self.own, Self.plain], "INBOX.Gesendet"),
        ([Self.outside, Self.plain, Self.others], "INBOX.Sent"),
        ([Self.own, "* LIST (\\Sent) \".\" INBOX.Neu"], "INBOX.Gesendet"),
    ])
    func `the copy goes into the account's own Sent folder`(lines: [String], folder: String) {
        let (_, step) = Self.run([lines + ["T OK done"]])
        guard case .send(let segments) = step else {
            Issue.record("\(step)")
            return
        }
        #expect(segments.map { String(buffer: $0) }.joined().hasSuffix(" SELECT \(folder)\r\n"))
    }

    @Test func `another's Sent folder is none`() {
        let lines = [Self.others, Self.outside, "* LIST () \".\" Sent", "T OK done"]
        #expect(Self.run([lines]).1 == .done(.noSentFolder))
    }

    @Test func `a message goes out once, however often the server asks for it`() {
        let begun = [[Self.own, "T OK done"], ["T OK [READ-WRITE] done"], ["+ go"]]
        let (commands, step) = Self.run(begun)
        #expect(commands.last == "APPEND INBOX.Gesendet (\\Seen) {10}\r\n")
        #expect(step == .sendMessage)
        #expect(Self.run(begun + [["+ go on"]]).1 == .done(.refused))
    }
}
