import Foundation
import Support
import Testing

/// Attacks on the client's side of an IMAP session, each with its expected effects.
///
/// The files in `Attacks` contain one attack per line (``AttackFile``). `@state` is the state of
/// the session: `plain` (before TLS), `before-login`, `in` (logged in), `own` (own INBOX selected),
/// `shared` (Bob's INBOX selected, read-only).
///
/// All of these expectations must be met:
///
///     A1 NO       the answer with this tag begins so; `A1 NO/BAD`: one of them; `A1 -`: no answer
///     * BAD       an untagged line begins so
///     BYE         the session has ended with BYE
///     quiet       no server received anything but the gateway's own LIST
///     only X      servers received only commands that begin with X, and the gateway's own LIST
///     hides       the answer is that for a missing mailbox, and no server received anything
///     timing      the output may depend on how the octets are divided; the effects must not
///     alive       the next command is answered
///
/// In every case: no canary reaches the client, every server receives only whole commands of the
/// gateway, no other server is connected, and the result does not depend on how the octets are
/// divided.
@Suite struct AttackTests {
    struct Attack: CustomTestStringConvertible, Sendable {
        var number: String
        var state: String
        var octets: [UInt8]
        var expected: [String]

        var testDescription: String { self.number }
    }

    static let attacks = AttackFile.lines(besides: #filePath, ending: "imap").map { line in
        Attack(
            number: line.number,
            state: line.settings["state"] ?? "in",
            octets: AttackFile.octets(line.payload),
            expected: line.expected
        )
    }

    @Test func `the attack files contain attacks`() {
        #expect(Self.attacks.count > 200)
    }

    @Test(arguments: attacks)
    func `an attack has only the expected effects`(attack: Attack) throws {
        let whole = try Self.run(attack, chunk: .max)
        // Long attacks are divided into larger pieces, to save time.
        let chunk = attack.octets.count > 5_000 ? 977 : 1
        let cut = try Self.run(attack, chunk: chunk)
        guard !attack.expected.contains("timing") else { return }
        #expect(whole == cut, "\(attack.number) depends on where it is cut")
    }

    private static func run(_ attack: Attack, chunk: Int) throws -> String {
        var bench = try AttackHarness(state: attack.state)
        bench.send(attack.octets, chunk: chunk)
        let text = bench.clientText
        for expectation in attack.expected {
            if expectation == "alive" {
                bench.send(Array("zz CAPABILITY\r\n".utf8), chunk: .max)
                #expect(
                    bench.answer("zz")?.hasPrefix("OK") == true,
                    "\(attack.number): not alive: \(text.suffix(200))"
                )
            } else {
                self.check(expectation, attack, bench, text)
            }
        }
        bench.check()
        #expect(bench.breaches == [], "\(attack.number)")
        bench.leave()
        return text
    }

    private static func check(
        _ expectation: String,
        _ attack: Attack,
        _ bench: AttackHarness,
        _ text: String
    ) {
        let words = expectation.split(separator: " ", maxSplits: 1).map(String.init)
        let comment = Comment("\(attack.number) \(expectation): \(text.suffix(300))")
        switch words[0] {
        case "BYE":
            #expect(bench.isClosed && text.contains("* BYE"), comment)
        case "timing":
            break
        case "quiet":
            #expect(bench.receivedForClient == [], comment)
        case "only":
            let prefix = String(decoding: AttackFile.octets(words[1]), as: UTF8.self)
            let lines = bench.receivedForClient
            #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix(prefix) }, comment)
        case "hides":
            let last = text.components(separatedBy: "\r\n").dropLast().last ?? ""
            #expect(last.hasSuffix(" NO [NONEXISTENT] No such mailbox"), comment)
            #expect(bench.received.map(\.line) == [], comment)
        case "*":
            #expect(text.contains("* \(words[1])"), comment)
        default:
            let answer = bench.answer(words[0])
            if words[1] == "-" {
                #expect(answer == nil, comment)
            } else {
                let isOne = words[1].split(separator: "/").contains { one in
                    one == "-" ? answer == nil : answer?.hasPrefix(one) ?? false
                }
                #expect(isOne, comment)
            }
        }
    }
}
