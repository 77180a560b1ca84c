import Foundation
import Testing

/// Every command that names a mailbox, with every kind of mailbox in every argument, in every spelling:
/// what comes of it is worked out from the rights that the command needs.
@Suite struct AttackMatrixTests {
    /// A command with `@` where the mailbox stands (`@/x` is one below it), and the rights of RFC 4314 that
    /// it needs there; `O` is for what only owners may.
    static let commands: [(text: String, needs: String)] = [
        ("SELECT @", "lr"), ("EXAMINE @", "lr"), ("STATUS @ (MESSAGES)", "lr"), ("DELETE @", "lx"),
        ("RENAME @ Neu", "lx"), ("MYRIGHTS @", "l"), ("GETACL @", "la"), ("LISTRIGHTS @ x", "la"),
        ("SETACL @ clara@kanzlei.example lr", "laO"), ("DELETEACL @ clara@kanzlei.example", "laO"),
        ("SUBSCRIBE @", "l"), ("COPY 1 @", "li"), ("MOVE 1 @", "li"), ("UID COPY 1 @", "li"),
        ("UID MOVE 1 @", "li"), ("CREATE @", "lO"), ("CREATE @/Neu", "lk"), ("CREATE @/Neu/", "lk"),
        ("RENAME \"\(projects)/Alt\" @/Neu", "lk"), ("RENAME \"\(projects)/Alt\" @", "lO"),
        ("GETQUOTAROOT @", "lrO"), ("UNSUBSCRIBE @", ""), ("APPEND @ {1+}\r\nx", "li"),
        ("APPEND @ (\\Seen) {1+}\r\nx", "li"),
    ]

    private static let projects = "Other Users/bob@kanzlei.example/Projects"

    /// A mailbox, what Anna may do there, and whose server has it.
    static let mailboxes: [(name: String, rights: String, server: String)] = [
        ("Ablage", "lrswipkxteaO", "anna"),
        ("Other Users/bob@kanzlei.example/INBOX", "lr", "bob"),
        ("Other Users/bob@kanzlei.example/Projects", "lrswipkxte", "bob"),
        ("Other Users/bob@kanzlei.example/Drop", "li", "bob"),
        // By a group that a group of hers is in, and with the right to give rights.
        ("Other Users/bob@kanzlei.example/Team", "lrsw", "bob"),
        ("Other Users/bob@kanzlei.example/Verwaltet", "lrswipkxtea", "bob"),
        ("Other Users/bob@kanzlei.example/Verwaltet2", "", "bob"),
        // Of a group that she is not in.
        ("Other Users/bob@kanzlei.example/Fremd", "", "bob"),
        ("Other Users/bob@kanzlei.example/Privat", "", "bob"),
        ("Other Users/bob@kanzlei.example/ProjectsSecret", "", "bob"),
        ("Other Users/bob@kanzlei.example/Nirgends", "", "bob"),
        ("Other Users/clara@kanzlei.example/INBOX", "", "clara"),
        ("Other Users/niemand@kanzlei.example/INBOX", "", "niemand"),
        ("Shared/clara@kanzlei.example/INBOX", "", "clara"),
    ]

    /// COPY and MOVE need a mailbox that is selected.
    private static func state(for command: String) -> String {
        command.contains("COPY") || command.contains("MOVE") ? "own" : "in"
    }

    static let spellings: [@Sendable (String) -> String] = [
        { $0.contains(" ") ? "\"\($0)\"" : $0 },
        { "\"\($0)\"" },
        { "{\($0.utf8.count)+}\r\n\($0)" },
        { "{\($0.utf8.count)}\r\n\($0)" },
    ]

    /// The command with a mailbox, spelled in some way, in its place.
    private static func text(
        _ command: String,
        _ name: String,
        _ spelling: (String) -> String
    ) -> String {
        for below in ["/Neu/", "/Neu"] where command.contains("@\(below)") {
            return "A1 " + command.replacing("@\(below)", with: spelling(name + below))
        }
        return "A1 " + command.replacing(" @", with: " " + spelling(name), maxReplacements: 1)
    }

    private static func bench(for command: String) throws -> AttackHarness {
        var grants = [
            "group team anna", "group kanzlei group:team", "group fremde clara",
            "grant bob folder:Team lrsw group:kanzlei", "grant bob subtree:Verwaltet lrswipkxtea",
            "grant bob folder:Fremd lrswipkxtea group:fremde",
        ]
        if command.hasPrefix("GETQUOTA") {
            grants += ["anna", "bob", "info", "clara"].map { "capabilities \($0) IMAP4REV1 QUOTA" }
        }
        return try AttackHarness(state: self.state(for: command), with: grants)
    }

    @Test(arguments: commands, mailboxes)
    func `a command does what the rights allow, however the mailbox is spelled`(
        command: (text: String, needs: String),
        mailbox: (name: String, rights: String, server: String)
    ) throws {
        var answers: Set<String> = []
        for spelling in Self.spellings {
            var bench = try Self.bench(for: command.text)
            let text = Self.text(command.text, mailbox.name, spelling)
            bench.send(Array((text + "\r\n").utf8), chunk: .max)
            bench.check()
            #expect(bench.breaches == [], "\(text)")
            let answer = bench.answer("A1") ?? "(none)"
            answers.insert(
                String(answer.prefix { $0 != " " }) + (answer.contains("[") ? answer : "")
            )
            let isAllowed = Set(mailbox.rights).isSuperset(of: command.needs)
            if isAllowed {
                let servers = Set(bench.received.map(\.account))
                #expect(servers.isSubset(of: ["anna", mailbox.server]), "\(text)")
                if !mailbox.rights.contains("l") {
                    #expect(bench.receivedForClient == [], "\(text)")
                }
                if !command.text.hasPrefix("RENAME") {
                    #expect(answer.hasPrefix("OK"), "\(text): \(answer)")
                }
            } else {
                let isSeen = mailbox.rights.contains("l")
                #expect(
                    answer.hasPrefix(isSeen ? "NO [NOPERM]" : "NO [NONEXISTENT]"),
                    "\(text): \(answer)"
                )
                #expect(bench.received.map(\.line) == [], "\(text)")
            }
        }
        #expect(answers.count == 1, "\(command.text) \(mailbox.name): \(answers)")
    }

    /// What is not for Anna sounds like what is not there, octet for octet.
    @Test(arguments: commands)
    func `what is hidden and what is not there sound alike`(
        command: (text: String, needs: String)
    ) throws {
        var answers: Set<String> = []
        for mailbox in Self.mailboxes where mailbox.rights.isEmpty {
            var bench = try Self.bench(for: command.text)
            let text = Self.text(command.text, mailbox.name) { "\"\($0)\"" }
            bench.send(Array((text + "\r\n").utf8), chunk: .max)
            answers.insert(bench.clientText)
        }
        #expect(answers.count == 1, "\(command.text): \(answers)")
    }

    /// Wherever an attack is cut off, nothing is left at a server but a message that was not ended.
    @Test(arguments: AttackTests.attacks.filter { $0.octets.count <= 90 })
    func `an attack that is cut off anywhere comes to nothing`(
        attack: AttackTests.Attack
    ) throws {
        for length in 0..<attack.octets.count {
            var bench = try AttackHarness(state: attack.state)
            bench.send(Array(attack.octets.prefix(length)), chunk: .max)
            bench.check()
            bench.leave()
            #expect(bench.breaches == [], "\(attack.number) at \(length)")
        }
    }
}
