import Foundation
import Support
import Testing

/// Random sessions: plausible commands, with changed octets, split anywhere, and answered by lying servers. They must
/// break none of the rules that hold for every session.
///
/// The seed of each round is its number, so that a failure can be reproduced. Set `FUZZ_ROUNDS` in the environment for
/// a longer run.
@Suite struct SessionFuzzTests {
    static let rounds =
        ProcessInfo.processInfo.environment["FUZZ_ROUNDS"].flatMap(Int.init) ?? 12_000

    /// Rounds of a longer run that exposed faults of this test: a server that lied about SELECT, and a client literal
    /// with LF in it.
    private static let finds = [143_104, 620_365, 131_169, 114_685, 330_219]

    private static let states = ["plain", "before-login", "in", "own", "shared"]

    /// Command templates: `@` is a mailbox, `#` a sequence set, `%` a string.
    private static let templates = [
        "NOOP", "CAPABILITY", "LOGOUT", "CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "NAMESPACE",
        "LOGIN % %", "AUTHENTICATE PLAIN AGFubmFAa2FuemxlaS5leGFtcGxlAHB3", "STARTTLS",
        "SELECT @", "EXAMINE @", "SELECT @ (CONDSTORE)", "STATUS @ (MESSAGES UIDNEXT)", "CREATE @",
        "DELETE @", "RENAME @ @", "SUBSCRIBE @", "UNSUBSCRIBE @", "LIST \"\" @", "LIST @ *",
        "LSUB \"\" %", "LIST (SPECIAL-USE) \"\" (@ %) RETURN (STATUS (MESSAGES))", "MYRIGHTS @",
        "GETACL @", "SETACL @ % lrs", "DELETEACL @ %", "LISTRIGHTS @ %", "GETQUOTAROOT @",
        "FETCH # (UID FLAGS BODY.PEEK[])", "FETCH # BODY[HEADER.FIELDS (% %)]", "UID FETCH # FLAGS",
        "FETCH # BODY[1.2.MIME]<0.5>", "STORE # +FLAGS (\\Seen \\Deleted %)",
        "UID STORE # FLAGS ()",
        "SEARCH SUBJECT %", "UID SEARCH RETURN (COUNT) # OR NOT SEEN (FROM % BEFORE 1-Jan-2026)",
        "SORT (DATE) UTF-8 ALL", "THREAD REFERENCES UTF-8 TEXT %", "COPY # @", "MOVE # @",
        "UID COPY # @", "UID MOVE # @", "UID EXPUNGE #", "APPEND @ (\\Seen %) {3+}\r\nabc",
        "APPEND @ {3}\r\nabc", "APPEND @ {2+}\r\nab {2+}\r\ncd", "IDLE\r\nDONE",
        "ENABLE CONDSTORE %",
        "ID (\"name\" %)", "NOTIFY SET (selected (MessageNew MessageExpunge))", "%", "",
    ]

    private static let mailboxes =
        AttackMatrixTests.mailboxes.map(\.name) + [
            "INBOX", "inbox", "Other Users", "Other Users/", "Shared", "", "/", "Akten/",
            "Caf&AOk-",
            "Other Users/bob@kanzlei.example", "Other Users/bob@kanzlei.example/Caf&AOk-",
            "Other Users/bob@kanzlei.example/Cafe&AwE-", "&AA0ACg-", "&", "a\"b", "a\\b", "a{5+}",
            "*", "%",
            "Other Users/bob@kanzlei.example/INBOX.Privat", "Other Users/bob@kanzlei.example/../x",
        ]

    private static let strings = [
        "x", "anna@kanzlei.example", "pw", "", "a b", "Subject", "NIL", "{3}", "\u{FC}ber", "]",
        ")",
        "group:Sekretariat", "$Forwarded", "\\Recent", "=?utf-8?q?x?=",
    ]

    private static let sets = [
        "1", "1:*", "*", "5:1", "4294967295", "1,3:4,*:2", "$", "0", "1:4294967296", "1,", ":1",
    ]

    private static let lies = [
        "* 5 EXISTS\r\n", "* 1 EXPUNGE\r\n", "* 1 FETCH (FLAGS (\\Seen))\r\n", "* BYE x\r\n",
        "* 1 FETCH (BODY[] {4}\r\nab\r\n)\r\n", "* STATUS Privat (MESSAGES 1)\r\n", "+ x\r\n",
        "* LIST () \".\" Privat\r\n", "* OK [CLOSED] x\r\n", "* OK [ALERT] x\r\n",
        "ZZ OK x\r\n",
        "\\T OK x\r\n", "\\T NO [TRYCREATE] x\r\n", "\\T BAD x\r\n", "* FLAGS (a b)\r\n",
        "\\T OK [COPYUID 1 1 1] x\r\n", "* VANISHED 1:5\r\n", "* SEARCH 1 2\r\n",
        "* 3 FETCH (BODY[] {9",
    ]

    private static let spice = Array("{}+-\"\\\r\n\0 *()[]059NIL<>:,$&/%\u{E9}".utf8)

    /// A random spelling of an astring.
    private static func spelled(_ text: String, using generator: inout Seeded) -> String {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: text
        case 1: "{\(text.utf8.count)+}\r\n\(text)"
        case 2: "{\(text.utf8.count)}\r\n\(text)"
        default:
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
    }

    private static func commands(using generator: inout Seeded) -> [UInt8] {
        var octets: [UInt8] = []
        for number in 0..<Int.random(in: 1...5, using: &generator) {
            var text = ""
            for character in self.templates.randomElement(using: &generator) ?? "" {
                switch character {
                case "@":
                    let name = self.mailboxes.randomElement(using: &generator) ?? ""
                    text += self.spelled(name, using: &generator)
                case "%":
                    let string = self.strings.randomElement(using: &generator) ?? ""
                    text += self.spelled(string, using: &generator)
                case "#": text += self.sets.randomElement(using: &generator) ?? ""
                default: text.append(character)
                }
            }
            octets += Array("A\(number) \(text)\r\n".utf8)
        }
        guard Bool.random(using: &generator), !octets.isEmpty else { return octets }
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !octets.isEmpty {
            let place = Int.random(in: 0..<octets.count, using: &generator)
            let octet = self.spice.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: octets[place] = octet
            case 1: octets.insert(octet, at: place)
            case 2: octets.remove(at: place)
            default: octets[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
        }
        return octets
    }

    @Test(arguments: 0..<10)
    func `random sessions break no rule`(part: Int) throws {
        let finds = Self.finds.filter { $0 % 10 == part }
        for round in Array(stride(from: part, to: Self.rounds, by: 10)) + finds {
            var generator = Seeded(state: UInt64(round) + 1)
            let state = Self.states.randomElement(using: &generator) ?? "in"
            var bench = try AttackHarness(state: state)
            var sent: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                if Int.random(in: 0..<3, using: &generator) == 0 {
                    let count = Int.random(in: 1...3, using: &generator)
                    let lie = (0..<count).compactMap { _ in
                        Self.lies.randomElement(using: &generator)
                    }
                    bench.answerNext(with: Array(lie.joined().utf8))
                }
                let octets = Self.commands(using: &generator)
                sent += octets
                bench.send(octets, chunk: Int.random(in: 1...40, using: &generator))
            }
            bench.check()
            bench.leave()
            #expect(
                bench.breaches == [],
                "round \(round), \(state): \(String(decoding: sent, as: UTF8.self).debugDescription)"
            )
        }
    }

    // MARK: - Headers

    private static let fields = [
        "From: anna@kanzlei.example", "From: Anna <anna@kanzlei.example>",
        "From: clara@kanzlei.example",
        "From: \"Anna A.\" <anna@kanzlei.example>",
        "From: info@kanzlei.example, anna@kanzlei.example",
        "Sender: anna@kanzlei.example", "Sender: clara@kanzlei.example", "Subject: x",
        "To: x@x.example",
        "From: =?utf-8?Q?Anna?= <anna@kanzlei.example>", "Resent-From: anna@kanzlei.example",
        "X-From: clara@kanzlei.example", "From: anna@kanzlei.example (clara@kanzlei.example)",
        "Reply-To: clara@kanzlei.example", " clara@kanzlei.example", "\tx", "From",
        "From: \"clara@kanzlei.example\" <anna@kanzlei.example>", "Date: x", "",
    ]

    private static func header(using generator: inout Seeded) -> [UInt8] {
        var lines = (0..<Int.random(in: 1...4, using: &generator)).compactMap { _ in
            Self.fields.randomElement(using: &generator)
        }
        if Bool.random(using: &generator) { lines.insert(Self.fields[1], at: 0) }
        var octets = Array(lines.joined(separator: "\r\n").utf8)
        let spice = Array(":;,<>@()\"\\ \t=?.\r\n\0\u{E9}claraFrom".utf8)
        for _ in 0..<Int.random(in: 0...3, using: &generator) where !octets.isEmpty {
            let place = Int.random(in: 0..<octets.count, using: &generator)
            let octet = spice.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: octets[place] = octet
            case 1: octets.insert(octet, at: place)
            default: octets.remove(at: place)
            }
        }
        return octets
    }

    /// Python parses each accepted header. It must find no author as whom Anna may not send.
    @Test func `another parser finds the same authors in accepted headers`() throws {
        var accepted: [[UInt8]] = []
        for round in 0..<Self.rounds * 4 {
            var generator = Seeded(state: UInt64(round) + 1)
            let header = Self.header(using: &generator)
            let envelope =
                "MAIL FROM:<anna@kanzlei.example>\r\nRCPT TO:<v@x.example>\r\nDATA\r\n"
            var bench = SubmissionBench()
            bench.send(
                Array(envelope.utf8) + header + Array("\r\n\r\nhi\r\n.\r\n".utf8),
                chunk: .max
            )
            #expect(bench.breaches == [], "round \(round)")
            accepted += bench.messages
        }
        #expect(accepted.count > Self.rounds / 20)
        let found = try self.readByPython(accepted)
        let allowed: Set<String> = [
            "anna@kanzlei.example", "info@kanzlei.example", "bob@kanzlei.example",
        ]
        for (message, addresses) in zip(accepted, found) where !allowed.isSuperset(of: addresses) {
            Issue.record(
                "\(addresses) in \(String(decoding: message, as: UTF8.self).debugDescription)"
            )
        }
    }

    /// The addresses in From, Sender and Resent fields, by both of Python's parsers.
    private func readByPython(_ messages: [[UInt8]]) throws -> [[String]] {
        let script = """
            import base64, email, email.policy, email.utils, json, sys
            found = []
            for line in sys.stdin:
                octets = base64.b64decode(line)
                addresses = set()
                for policy in (email.policy.compat32, email.policy.default):
                    message = email.message_from_bytes(octets, policy=policy)
                    for name in ("From", "Sender", "Resent-From", "Resent-Sender"):
                        try:
                            values = [str(v) for v in message.get_all(name) or []]
                        except Exception:
                            values = []
                        addresses |= {a.lower() for _, a in email.utils.getaddresses(values) if "@" in a}
                found.append(sorted(addresses))
            print(json.dumps(found))
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script]
        let input = FileManager.default.temporaryDirectory
            .appendingPathComponent("headers-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: input) }
        let lines = messages.map { Data($0).base64EncodedString() }.joined(separator: "\n")
        try Data((lines + "\n").utf8).write(to: input)
        process.standardInput = try FileHandle(forReadingFrom: input)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let octets = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode([[String]].self, from: octets)
    }
}
