import Foundation
import Support
import Testing

/// Responses of a hostile or broken IMAP server. The files end with `.server` and are written as in
/// ``AttackTests``. `@command` is the client's command, `@state` is as there, and `\\T` is the tag of the gateway's
/// command. Expected:
///
///     dropped     the server's connection is dropped
///     kept        the server's connection is not dropped
///     A1 NO       the client's tagged response begins with this; `A1 -` there is none yet
///     hides X     the client never reads X outside of literals
///     shows X     the client reads X
///
/// In every case, the client gets at most one tagged response, for its own command, and only valid responses, and
/// the next command is answered.
@Suite struct UpstreamAttackTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        var number: String
        var state: String
        var command: String
        var octets: [UInt8]
        var expected: [String]

        var testDescription: String { self.number }
    }

    static let attacks = AttackFile.lines(besides: #filePath, ending: "server").map { line in
        Attack(
            number: line.number,
            state: line.settings["state"] ?? "own",
            command: line.settings["command"] ?? "NOOP",
            octets: AttackFile.octets(line.payload),
            expected: line.expected
        )
    }

    @Test func `the attack files are not empty`() {
        #expect(Self.attacks.count > 40)
    }

    @Test(arguments: attacks)
    func `a lying IMAP server breaks no rule`(attack: Attack) throws {
        let chunk = attack.octets.count > 5_000 ? 977 : 1
        let whole = try Self.run(attack, chunk: 1 << 30)
        #expect(whole == (try Self.run(attack, chunk: chunk)), "\(attack.number) depends on cuts")
    }

    private static func run(_ attack: Attack, chunk: Int) throws -> String {
        var bench = try AttackHarness(state: attack.state)
        bench.lieChunk = chunk
        bench.answerNext(with: attack.octets)
        bench.send(Array("A1 \(attack.command)\r\n".utf8), chunk: .max)
        let text = bench.clientText
        let lines = bench.clientLines
        for expectation in attack.expected {
            let words = expectation.split(separator: " ", maxSplits: 1).map(String.init)
            let comment = Comment("\(attack.number) \(expectation): \(text.suffix(300))")
            switch words[0] {
            case "dropped": #expect(!bench.dropped.isEmpty, comment)
            case "kept": #expect(bench.dropped.isEmpty, comment)
            case "hides": #expect(!lines.contains { $0.contains(words[1]) }, comment)
            case "shows": #expect(lines.contains { $0.contains(words[1]) }, comment)
            default:
                let answer = bench.answer(words[0])
                if words[1] == "-" {
                    #expect(answer == nil, comment)
                } else {
                    #expect(answer?.hasPrefix(words[1]) == true, comment)
                }
            }
        }
        #expect(lines.filter { $0.hasPrefix("A1 ") }.count <= 1, "\(attack.number): \(text)")
        for line in lines where !["* ", "+ ", "A1 "].contains(where: line.hasPrefix) {
            Issue.record("\(attack.number): the client reads \(line.prefix(100))")
        }
        return text
    }
}
