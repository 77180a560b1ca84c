import Foundation
import Support
import Testing

/// Attacks on submission, each with its expected result. The files end with `.smtp` and are written as in
/// ``AttackTests``. Expected:
///
///     none        no server got a whole message
///     one         one server got one message
///     550         the last reply has this code; `550/554` one of them
///     closed      the connection has ended
///     has 503     some reply has this code
///
/// After `@header`, the lines are header fields of a message of Anna with a permitted envelope.
///
/// In every case, no address of another user is in an envelope, and no line with a bare CR, LF or NUL reaches a
/// server.
@Suite struct SubmissionAttackTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        var number: String
        var octets: [UInt8]
        var expected: [String]

        var testDescription: String { self.number }
    }

    private static let envelope =
        "MAIL FROM:<anna@kanzlei.example>\\r\\nRCPT TO:<v@x.example>\\r\\nDATA\\r\\n"

    static let attacks = AttackFile.lines(besides: #filePath, ending: "smtp").map { line in
        let isHeader = line.lastSetting == "header"
        let whole =
            isHeader
            ? SubmissionAttackTests.envelope + line.payload + "\\r\\nhi\\r\\n.\\r\\n" : line.payload
        return Attack(
            number: line.number,
            octets: AttackFile.octets(whole),
            expected: line.expected
        )
    }

    @Test func `the attack files are not empty`() {
        #expect(Self.attacks.count > 80)
    }

    @Test(arguments: attacks)
    func `an attack has the expected result`(attack: Attack) {
        let whole = Self.run(attack, chunk: .max)
        let cut = Self.run(attack, chunk: attack.octets.count > 5_000 ? 977 : 1)
        #expect(whole == cut, "\(attack.number) depends on where it is cut")
    }

    private static func run(_ attack: Attack, chunk: Int) -> String {
        var bench = SubmissionBench()
        bench.send(attack.octets, chunk: chunk)
        let text = String(decoding: bench.toClient, as: UTF8.self)
        for expectation in attack.expected {
            let comment = Comment("\(attack.number) \(expectation): \(text.suffix(300))")
            switch expectation {
            case "none": #expect(bench.messages.isEmpty, comment)
            case "one": #expect(bench.messages.count == 1, comment)
            case "closed": #expect(bench.isClosed, comment)
            default:
                if expectation.hasPrefix("has ") {
                    #expect(bench.codes.contains(String(expectation.dropFirst(4))), comment)
                } else {
                    let last = bench.codes.last ?? "-"
                    #expect(expectation.split(separator: "/").contains(last[...]), comment)
                }
            }
        }
        #expect(bench.breaches == [], "\(attack.number)")
        let forbidden = bench.senders.filter { $0.lowercased().contains("clara") }
        #expect(forbidden == [], "\(attack.number)")
        for message in bench.messages {
            let message = String(decoding: message, as: UTF8.self).lowercased()
            let header = message.components(separatedBy: "\r\n\r\n")[0]
            let authors = header.components(separatedBy: "\r\n").filter { line in
                ["from", "sender", "resent-"].contains { line.hasPrefix($0) }
            }
            #expect(!authors.contains { $0.contains("clara@") }, "\(attack.number): \(header)")
        }
        bench.leave()
        return text
    }

    // MARK: - Smuggling

    /// Octets that some servers accept as the end of a message, and this gateway does not.
    static let ends: [(String, String)] = [
        ("T370", #"\n.\n"#), ("T372", #"\r\n.\n"#), ("T373", #"\r.\r"#), ("T374", #"\r.\r\n"#),
        ("T376", #"\n.\r"#), ("T377", #"\r\n.\r"#), ("T378", #"\r\n.\r\r\n"#),
        ("T380", #"\r\n\x00.\r\n"#), ("T381", #"\r\n.\x00\r\n"#), ("T382a", #"\r\n.\x0b\r\n"#),
        ("T382b", #"\r\n. \r\n"#), ("T382c", #"\xc2\x85.\xc2\x85"#),
        ("T382d", #"\xe2\x80\xa8.\xe2\x80\xa8"#),
    ]

    /// Places for such octets: the body, the header, a folded field.
    static let places = [
        #"From: anna@kanzlei.example\r\n\r\nhi"#, #"From: anna@kanzlei.example\r\nX-A: b"#,
        #"From: anna@kanzlei.example\r\nX-A: b\r\n c"#,
    ]

    @Test(arguments: ends, places)
    func `no second message is smuggled`(end: (String, String), place: String) {
        let evil =
            #"MAIL FROM:<clara@kanzlei.example>\r\nRCPT TO:<v@x.example>\r\nDATA\r\n"#
            + #"From: clara@kanzlei.example\r\n\r\nevil\r\n.\r\n"#
        let payload = AttackFile.octets(Self.envelope + place + end.1 + evil)
        for chunk in [1, 7, Int.max] {
            var bench = SubmissionBench()
            bench.send(payload, chunk: chunk)
            #expect(bench.messages.count <= 1, "\(end.0)")
            #expect(bench.breaches == [], "\(end.0)")
            #expect(bench.senders.allSatisfy { $0.contains("anna@") }, "\(end.0): \(bench.senders)")
        }
    }

    @Test(arguments: ends)
    func `no second message is smuggled in a chunk`(end: (String, String)) {
        let evil = #"MAIL FROM:<clara@kanzlei.example>\r\n"#
        let body = AttackFile.octets(
            #"From: anna@kanzlei.example\r\n\r\nhi"# + end.1 + evil + #"\r\n"#
        )
        let head = "MAIL FROM:<anna@kanzlei.example>\r\nRCPT TO:<v@x.example>\r\n"
        for chunk in [1, Int.max] {
            var bench = SubmissionBench()
            bench.send(Array((head + "BDAT \(body.count) LAST\r\n").utf8) + body, chunk: chunk)
            #expect(bench.messages.count <= 1 && bench.breaches == [], "\(end.0)")
            #expect(bench.senders.allSatisfy { $0.contains("anna@") }, "\(end.0): \(bench.senders)")
        }
    }

    /// Leading dots arrive unchanged, however the octets are split.
    @Test(arguments: [
        "..\r\n", "...\r\n", ".x\r\n", ".\t\r\n", "", "a\r\n..\r\nb\r\n", ".x\r\n.y\r\n",
    ])
    func `a message arrives octet for octet`(body: String) {
        let header = "From: anna@kanzlei.example\r\n\r\n"
        let stuffed = body.components(separatedBy: "\r\n")
            .map { $0.hasPrefix(".") ? ".\($0)" : $0 }.joined(separator: "\r\n")
        let payload = AttackFile.octets(Self.envelope) + Array((header + stuffed + ".\r\n").utf8)
        for chunk in [1, Int.max] {
            var bench = SubmissionBench()
            bench.send(payload, chunk: chunk)
            #expect(bench.messages == [Array((header + body).utf8)])
        }
    }

    /// Wherever the client's connection breaks, an incomplete message is not sent.
    @Test func `a connection that breaks anywhere sends no message`() {
        let payload = AttackFile.octets(Self.envelope + Self.places[0] + #"\r\n.\r\n"#)
        for length in 0..<payload.count {
            var bench = SubmissionBench()
            bench.send(Array(payload.prefix(length)), chunk: .max)
            bench.leave()
            #expect(bench.messages.isEmpty && bench.breaches == [], "\(length)")
        }
    }
}
