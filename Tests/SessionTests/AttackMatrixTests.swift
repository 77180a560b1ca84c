import Foundation
import Testing

/// Every command that names a mailbox, with every kind of mailbox, in every spelling. The expected
/// result follows from the rights that the command needs.
@Suite struct AttackMatrixTests {
    /// A command with `@` in place of the mailbox (`@/x` is a mailbox below it), and the rights of
    /// RFC 4314 that it needs there. `O` means that only the owner may give it.
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

    /// A mailbox, Anna's rights on it, and the account whose server has it.
    static let mailboxes: [(name: String, rights: String, server: String)] = [
        ("Ablage", "lrswipkxteaO", "anna"),
        ("Other Users/bob@kanzlei.example/INBOX", "lr", "bob"),
        ("Other Users/bob@kanzlei.example/Projects", "lrswipkxte", "bob"),
        ("Other Users/bob@kanzlei.example/Drop", "li", "bob"),
        // By a nested group that Anna is in; then, with the right to administer.
        ("Other Users/bob@kanzlei.example/Team", "lrsw", "bob"),
        ("Other Users/bob@kanzlei.example/Verwaltet", "lrswipkxtea", "bob"),
        ("Other Users/bob@kanzlei.example/Verwaltet2", "", "bob"),
        // By a group that Anna is not in.
        ("Other Users/bob@kanzlei.example/Fremd", "", "bob"),
        ("Other Users/bob@kanzlei.example/Privat", "", "bob"),
        ("Other Users/bob@kanzlei.example/ProjectsSecret", "", "bob"),
        ("Other Users/bob@kanzlei.example/Nirgends", "", "bob"),
        ("Other Users/clara@kanzlei.example/INBOX", "", "clara"),
        ("Other Users/niemand@kanzlei.example/INBOX", "", "niemand"),
        ("Shared/clara@kanzlei.example/INBOX", "", "clara"),
    ]

    /// The state of the session before the command: COPY and MOVE need a selected mailbox.
    private static func state(for command: String) -> String {
        command.contains("COPY") || command.contains("MOVE") ? "own" : "in"
    }

    static let spellings: [@Sendable (String) -> String] = [
        { $0.contains(" ") ? "\"\($0)\"" : $0 },
        { "\"\($0)\"" },
        { "{\($0.utf8.count)+}\r\n\($0)" },
        { "{\($0.utf8.count)}\r\n\($0)" },
    ]

    /// The command with the mailbox in the given spelling.
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
    func `a command does what the rights allow for every spelling of the mailbox`(
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

    /// The answers for mailboxes that Anna must not know of are the same, octet for octet, as for
    /// missing ones.
    @Test(arguments: commands)
    func `hidden and missing mailboxes get the same answer`(
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

    /// After an interrupted attack, no server has received more than an incomplete message.
    @Test(arguments: AttackTests.attacks.filter { $0.octets.count <= 90 })
    func `an attack that is interrupted at any octet has no effect`(
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
