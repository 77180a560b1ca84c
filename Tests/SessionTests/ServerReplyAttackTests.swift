import Foundation
import Support
import Testing

/// Replies of a hostile or broken submission server. The files end with `.mta` and are written as in
/// ``AttackTests``; each line begins with the step at which the server lies (``SubmissionBench/lies``).
/// `@starttls` begins lines where TLS begins with STARTTLS, `@implicit` those where it does not. Expected:
///
///     451         the client's last answer has this code; `451/550` one of them
///     none        the server got no whole message
///     one         the server got exactly one message
///     secret      a credential was sent; without the word none may be sent, and with `secret?` one may be sent
///     hides X     the client never reads X
///
/// In every case, each command of the client gets one reply of printable ASCII in lines of at most 512 octets, no
/// message is sent twice, and a message that the server did not accept is not reported as sent.
@Suite struct ServerReplyAttackTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        var number: String
        var step: String
        var startsTLS: Bool
        var octets: [UInt8]
        var expected: [String]

        var testDescription: String { self.number }
    }

    static let attacks = AttackFile.lines(besides: #filePath, ending: "mta").map { line in
        let words = line.payload.split(
            separator: " ",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        return Attack(
            number: line.number,
            step: String(words[0]),
            startsTLS: line.lastSetting == "starttls",
            octets: AttackFile.octets(
                words.dropFirst().joined().trimmingCharacters(in: .whitespaces)
            ),
            expected: line.expected
        )
    }

    private static let message = "From: anna@kanzlei.example\r\n\r\nhi\r\n.\r\n"
    private static let commands = [
        "MAIL FROM:<anna@kanzlei.example>\r\n", "RCPT TO:<v@x.example>\r\n", "DATA\r\n",
    ]

    @Test func `the attack files are not empty`() {
        #expect(Self.attacks.count > 50)
    }

    @Test(arguments: attacks)
    func `a lying submission server breaks no rule`(attack: Attack) {
        let chunks = attack.octets.count > 5_000 ? [.max, 977] : [Int.max, 1, 2, 3]
        for chunk in chunks {
            for isPipelined in [true, false] {
                var bench = SubmissionBench(startsTLS: attack.startsTLS)
                bench.lies = [attack.step: attack.octets]
                bench.lieChunk = chunk
                Self.send(&bench, isPipelined: isPipelined)
                Self.check(bench, attack)
            }
        }
    }

    /// The client's transaction, pipelined or one command at a time; the message follows a 354.
    private static func send(_ bench: inout SubmissionBench, isPipelined: Bool) {
        let parts = isPipelined ? [self.commands.joined()] : self.commands
        for part in parts {
            bench.send(Array(part.utf8), chunk: .max)
            // An endless reply is cut when the gateway's limit is reached.
            bench.waitForServer()
        }
        guard bench.codes.last == "354" else { return }
        bench.send(Array(self.message.utf8), chunk: .max)
        bench.waitForServer()
    }

    private static func check(_ bench: SubmissionBench, _ attack: Attack) {
        let text = String(decoding: bench.toClient, as: UTF8.self)
        let codes = bench.codes
        var sendsSecret: Bool? = false
        for expectation in attack.expected {
            let comment = Comment("\(attack.number) \(expectation): \(text.suffix(300))")
            switch expectation {
            case "none": #expect(bench.messages.isEmpty, comment)
            case "one": #expect(bench.messages.count == 1, comment)
            case "secret": sendsSecret = true
            case "secret?": sendsSecret = nil
            default:
                if expectation.hasPrefix("hides ") {
                    #expect(!text.contains(expectation.dropFirst(6)), comment)
                } else {
                    let last = codes.last ?? "-"
                    #expect(expectation.split(separator: "/").contains(last[...]), comment)
                }
            }
        }
        if let sendsSecret {
            #expect(
                (bench.credentials > 0) == sendsSecret,
                "\(attack.number): \(bench.credentials)"
            )
        }
        for breach in self.breaches(bench) { Issue.record("\(attack.number): \(breach)") }
    }

    /// The violations of the rules that hold for every server.
    private static func breaches(_ bench: SubmissionBench) -> [String] {
        var found = bench.breaches
        let codes = bench.codes
        let text = String(decoding: bench.toClient, as: UTF8.self)
        if bench.messages.count > 1 { found.append("sent \(bench.messages.count) times") }
        let asked = codes.contains("354") ? 4 : 3
        if !bench.isClosed, codes.count != asked { found.append("\(codes) for \(asked) commands") }
        if codes.count == 4, codes[3].hasPrefix("2"), bench.messages.isEmpty {
            found.append("told as sent, and it was not")
        }
        if bench.senders.contains(where: { !$0.contains("anna@") }) {
            found.append("\(bench.senders)")
        }
        for line in text.components(separatedBy: "\r\n").dropLast() {
            let octets = Array(line.utf8)
            let isPlain = octets.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
            let mark = octets.dropFirst(3).first.map { $0 == 0x20 || $0 == 0x2D } ?? false
            if !isPlain || octets.count > 510 || !mark {
                found.append("the client reads \(line.prefix(80).debugDescription)")
            }
        }
        return found
    }

    // MARK: - Fuzz

    private static let steps = [
        "greeting", "EHLO", "STARTTLS", "tls", "AUTH", "RSET", "MAIL", "RCPT", "DATA", "body",
        "end",
    ]

    private static let answers = [
        "220 x", "250 ok", "250-ok", "354 go", "334 ", "334 VXNlcm5hbWU6", "235 in", "421 bye",
        "451 later", "454 x", "500 what", "535 no", "550 5.7.1 no", "550-no",
        "250-AUTH PLAIN LOGIN",
        "250-SIZE 99999999999999999999", "250 STARTTLS", "250-PIPELINING", "999 x", "25", "",
        "250 a\r\n250 b", "\u{1B}[2J", "250\tx", "2 50 x",
    ]

    /// Servers that send random replies, at any step and split anywhere.
    @Test func `random replies of servers break no rule`() {
        for round in 0..<SessionFuzzTests.rounds {
            var generator = Seeded(state: UInt64(round) + 1)
            var bench = SubmissionBench(startsTLS: Bool.random(using: &generator))
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let step = Self.steps.randomElement(using: &generator) ?? "MAIL"
                var lie: [UInt8] = []
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    lie += Array((Self.answers.randomElement(using: &generator) ?? "").utf8)
                    lie += [13, 10]
                }
                if Bool.random(using: &generator) {
                    let place = Int.random(in: 0..<lie.count, using: &generator)
                    lie[place] = UInt8.random(in: 0...255, using: &generator)
                }
                let mark = Int.random(in: 0..<4, using: &generator) == 0 ? "!" : ""
                bench.lies[step + mark] = lie
            }
            bench.lieChunk = Int.random(in: 1...30, using: &generator)
            let isPipelined = Bool.random(using: &generator)
            Self.send(&bench, isPipelined: isPipelined)
            let lies = bench.lies
            #expect(Self.breaches(bench) == [], "round \(round): \(lies)")
            bench.leave()
        }
    }
}
