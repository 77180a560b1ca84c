import Access
import Foundation
import Store
import Testing

/// The administrator's commands, run as processes on a store of their own.
@Suite(.serialized) @MainActor struct CommandLineTests {
    /// An installation in a temporary directory.
    final class Bench {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("cli-\(UUID().uuidString)")

        init() throws {
            try self.ok("init", self.folder.path, "--imaps", "20993", "--imap", "0")
        }

        deinit { try? FileManager.default.removeItem(at: self.folder) }

        func run(
            _ words: [String],
            input: String = ""
        ) throws -> (status: Int32, output: String) {
            var environment = ProcessInfo.processInfo.environment
            environment["GATEPOST_CONFIG"] =
                self.folder.appendingPathComponent("gatepost.yaml").path
            return try Tool.run(Office.executable.path, words, environment, input: input)
        }

        @discardableResult
        func ok(_ words: String..., input: String = "") throws -> String {
            let run = try self.run(words, input: input)
            #expect(run.status == 0, "\(words): \(run.output)")
            return run.output
        }

        /// A whole command line, split at spaces.
        @discardableResult
        func ok(line: String, input: String = "") throws -> String {
            let run = try self.run(line.split(separator: " ").map(String.init), input: input)
            #expect(run.status == 0, "\(line): \(run.output)")
            return run.output
        }

        func refused(line: String, says: String) throws {
            let run = try self.run(line.split(separator: " ").map(String.init))
            #expect(run.status == 1, "\(line): \(run.output)")
            #expect(run.output.contains(says), "\(line): \(run.output)")
            #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
        }

        /// The output of `explain`.
        func rights(_ login: String, _ account: String, _ folder: String? = nil) throws -> String {
            var line = "explain \(login)@kanzlei.example \(account)@kanzlei.example --json"
            if let folder { line += " --folder \(folder)" }
            let text = try self.ok(line: line)
            let value = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return "\(value?["rights"] as? String ?? "?") \(value?["send"] as? String ?? "?")"
        }

        func write(_ text: String, to name: String) throws -> String {
            let file = self.folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: file)
            return file.path
        }

        func refused(
            _ words: String...,
            input: String = "",
            status: Int32 = 1,
            says: String
        ) throws {
            let run = try self.run(words, input: input)
            #expect(run.status == status, "\(words): \(run.output)")
            #expect(run.output.contains(says), "\(words): \(run.output)")
            if status == 1 {
                #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
            }
        }

        /// Adds Anna, Bob, Bob's account, an Exchange account, and a group with Anna in a
        /// nested group.
        func furnish() throws {
            for name in ["anna", "bob"] {
                try self.ok(
                    "user",
                    "add",
                    "\(name)@kanzlei.example",
                    "--password-stdin",
                    input: "pw-\(name)\n"
                )
            }
            try self.ok("group", "add", "Sekretariat")
            try self.ok("group", "add", "Empfang")
            try self.ok("group", "join", "Sekretariat", "group:Empfang")
            try self.ok("group", "join", "Empfang", "anna@kanzlei.example")
            try self.ok(
                "account",
                "add",
                "bob@kanzlei.example",
                "--kind",
                "imap",
                "--owner",
                "bob@kanzlei.example",
                "--imap",
                "mail.example",
                "--alias",
                "b@kanzlei.example",
                "--password-stdin",
                input: "secret-of-bob\n"
            )
            try self.ok(
                "account",
                "add",
                "ex@kanzlei.example",
                "--kind",
                "exchange",
                "--imap",
                "outlook.example",
                "--password-stdin",
                input: "x\n"
            )
        }
    }

    @Test func `init writes files that only their owner can read`() throws {
        let bench = try Bench()
        let files = FileManager.default
        for (name, mode) in [("master.key", 0o600), ("gatepost.sqlite", 0o600), ("", 0o700)] {
            let path = bench.folder.appendingPathComponent(name).path
            let attributes = try files.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == mode, "\(path)")
        }
        try bench.refused("init", bench.folder.path, says: "init never overwrites")
    }

    @Test func `without arguments the next step is printed`() throws {
        let bench = try Bench()
        #expect(try bench.ok().contains("gatepost user import FILE.csv"))
        try bench.ok(line: "user add x@kanzlei.example --without-password")
        #expect(try bench.ok().contains("gatepost account add ADDRESS"))
        try bench.furnish()
        #expect(try bench.ok().contains("gatepost serve"))
        try FileManager.default.removeItem(
            at: bench.folder.appendingPathComponent("gatepost.yaml")
        )
        #expect(try bench.ok().contains("gatepost init"))
    }

    @Test func `a grant through nested groups is explained`() throws {
        let bench = try Bench()
        try bench.furnish()
        try bench.ok(
            "grant",
            "add",
            "bob@kanzlei.example",
            "group:Sekretariat",
            "--view",
            "--send",
            "on-behalf",
            "--folder",
            "INBOX",
            "--subtree",
            "--no-check"
        )
        let explained = try bench.ok(
            "explain",
            "ANNA@kanzlei.example",
            "b@kanzlei.example",
            "--folder",
            "inbox/Neu",
            "--json"
        )
        let value = try JSONSerialization.jsonObject(with: Data(explained.utf8)) as? [String: Any]
        #expect(value?["user"] as? String == "anna@kanzlei.example")
        #expect(value?["account"] as? String == "bob@kanzlei.example")
        #expect(value?["rights"] as? String == "lr")
        #expect(value?["send"] as? String == "on-behalf")
        let because = (value?["because"] as? [[String: Any]])?.first
        #expect(because?["kind"] as? String == "grant")
        #expect(because?["subject"] as? String == "group:Sekretariat")
        try bench.ok("group", "leave", "Empfang", "anna@kanzlei.example")
        let after = try bench.ok("explain", "anna@kanzlei.example", "bob@kanzlei.example", "--json")
        #expect(after.contains("\"rights\" : \"\""))
        #expect(after.contains("\"send\" : \"none\""))
    }

    @Test func `an invalid command is refused with the remedy`() throws {
        let bench = try Bench()
        try bench.furnish()
        let anna = "anna@kanzlei.example"
        let bob = "bob@kanzlei.example"
        try bench.refused(
            "user",
            "add",
            "ANNA@Kanzlei.Example",
            "--password-stdin",
            input: "x\n",
            says: "exists"
        )
        try bench.refused(
            "user",
            "add",
            "a/b",
            "--password-stdin",
            input: "x\n",
            says: "cannot be a login"
        )
        try bench.refused("user", "show", "nobody", says: "gatepost user add nobody")
        try bench.refused("user", "remove", anna, says: "--yes")
        try bench.refused(
            "group",
            "join",
            "Empfang",
            "group:Sekretariat",
            says: "cannot be inside itself"
        )
        try bench.refused(
            "account",
            "add",
            "x@kanzlei.example",
            "--kind",
            "imap",
            "--imap",
            "mail.example",
            "--tls",
            "none",
            "--password-stdin",
            input: "x\n",
            says: "this machine only"
        )
        try bench.refused(
            "account",
            "add",
            "b@kanzlei.example",
            "--kind",
            "imap",
            "--imap",
            "mail.example",
            "--password-stdin",
            input: "x\n",
            says: "b@kanzlei.example"
        )
        try bench.refused(
            "grant",
            "add",
            "ex@kanzlei.example",
            anna,
            "--view",
            says: "come from Exchange"
        )
        try bench.refused(
            "grant",
            "add",
            bob,
            "nobody",
            "--view",
            "--no-check",
            says: "gatepost user add nobody"
        )
        try bench.refused("grant", "remove", bob, anna, says: "no such grant")
        try bench.refused("grant", "add", bob, anna, status: 2, says: "--view")
        try bench.refused("grant", "add", bob, anna, "--rights", "lra", status: 2, says: "owner")
        try bench.refused("frob", status: 2, says: "frob")
        #expect(try bench.ok("grant", "list", "--json").contains("account") == false)
    }

    @Test func `a password in a file ends at the end of its line`() throws {
        let bench = try Bench()
        for (index, text) in ["s3cret", "s3cret\n", "s3cret\r\nmore\r\n"].enumerated() {
            let file = try bench.write(text, to: "password")
            try bench.ok(line: "user add u\(index)@kanzlei.example --password-file \(file)")
        }
        let store = try PermissionStore(
            path: bench.folder.appendingPathComponent("gatepost.sqlite").path
        )
        let passwords = try store.load().passwords.values
        #expect(passwords.count == 3)
        #expect(passwords.allSatisfy { $0.hash.verify(Array("s3cret".utf8)) })
        let file = try bench.write("\r\ns3cret\r\n", to: "password")
        try bench.refused(
            line: "user add x@kanzlei.example --password-file \(file)",
            says: "the password is empty"
        )
    }

    @Test func `apply restores an export, which has no secret`() throws {
        let bench = try Bench()
        try bench.furnish()
        try bench.ok(
            "grant",
            "add",
            "bob@kanzlei.example",
            "anna@kanzlei.example",
            "--edit",
            "--folder",
            "Akten/Übersicht",
            "--until",
            "2031-01-31",
            "--no-check"
        )
        let exported = try bench.ok("export")
        #expect(!exported.contains("secret-of-bob") && !exported.contains("pw-anna"))
        let file = bench.folder.appendingPathComponent("model.json")
        try Data(exported.utf8).write(to: file)
        try bench.ok("grant", "remove", "bob@kanzlei.example", "anna@kanzlei.example")
        try bench.ok("apply", file.path, "--dry-run")
        #expect(try bench.ok("export") != exported)
        try bench.ok("apply", file.path, "--yes")
        #expect(try bench.ok("export") == exported)
        try Data(exported.replacingOccurrences(of: "Sekretariat", with: "Empfang").utf8)
            .write(to: file)
        try bench.refused("apply", file.path, "--yes", says: "Empfang")
        // A misspelt key would be ignored, and the grant would be wider without it.
        for (right, wrong, says) in [
            ("\"scope\"", "\"scopes\"", "know the key grants.[0].scopes;"),
            ("\"until\"", "\"untill\"", "grants.[0].untill"),
            ("\"subtree\"", "\"subTree\"", "grants.[0].scope.subTree"),
            ("\"members\"", "\"member\"", "know the key groups.[0].member;"),
            ("\"walls\"", "\"wall\"", "does not know the key wall;"),
            ("\"port\"", "\"Port\"", "accounts.[0].imap.Port"),
            ("\"role\"", "\"r\\u001bole\"", "users.[0].r\\u{1b}ole"),
            ("1927670400", "-9223372036854775808", "the year 9999"),
            ("1927670400", "9223372036854775807", "the year 9999"),
            ("\"lrswite\"", "\"lra\"", "belongs to the owner"),
        ] {
            #expect(exported.contains(right))
            try Data(exported.replacingOccurrences(of: right, with: wrong).utf8).write(to: file)
            try bench.refused("apply", file.path, "--yes", says: says)
        }
        #expect(try bench.ok("export") == exported)
    }

    @Test func `a report states each right with its reason, date and author`() throws {
        let bench = try Bench()
        try bench.furnish()
        let (anna, bob) = ("anna@kanzlei.example", "bob@kanzlei.example")
        try bench.ok(line: "grant add \(bob) group:Sekretariat --view --folder Akten --no-check")
        try bench.ok(line: "grant add \(bob) \(anna) --send as --reason Urlaub")
        func rows(_ words: String) throws -> [[String: Any]] {
            let text = try bench.ok(line: "report \(words) --json")
            let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
            return value as? [[String: Any]] ?? []
        }
        let all = try rows("--account b@kanzlei.example")
        #expect(all.map { $0["user"] as? String } == [anna, bob])
        #expect(all[0]["viewing"] as? String == "lr" && all[0]["send"] as? String == "as")
        #expect(all[1]["isOwner"] as? Bool == true)
        let because = all[0]["because"] as? [[String: Any]] ?? []
        #expect(because.count == 2)
        #expect(
            because[0]["rule"] as? String
                == "grant 1 to group:Sekretariat through group:Sekretariat, group:Empfang"
        )
        #expect(because[0]["folder"] as? String == "Akten")
        #expect(because[1]["reason"] as? String == "Urlaub")
        #expect(because[1]["by"] as? String == NSUserName() && because[1]["since"] is Int)
        #expect(try rows("--subject group:Empfang").count == 1)
        #expect(try rows("--subject \(bob)").count == 1)
        try bench.refused(line: "report --subject nobody", says: "no user nobody")
        // A barred user stays in the report.
        try bench.ok("wall", "add", bob, anna, "--reason", "Mandat")
        let barred = try rows("--subject \(anna)")
        #expect(barred.first?["viewing"] as? String == "")
        #expect(try bench.ok(line: "report").contains("wall before \(anna): Mandat"))
        #expect(try bench.ok(line: "audit list").contains("wall add \(bob) \(anna): Mandat"))
        #expect(try bench.ok(line: "audit verify").contains("sealed up to 0"))
        try bench.ok(line: "audit list --account \(bob) --user nobody --since 2026-01-01 --json")
        func numbers(_ line: String) throws -> [Int] {
            let value = try JSONSerialization.jsonObject(with: Data(bench.ok(line: line).utf8))
            return (value as? [[String: Any]] ?? []).compactMap { $0["sequence"] as? Int }
        }
        let listed = try numbers("audit list --json")
        #expect(listed == Array(1...listed.count) && listed.count > 2)
        #expect(try numbers("audit list --limit 2 --json") == listed.suffix(2))
        #expect(try bench.ok(line: "audit list --until 2020-01-01 --json") == "[]\n")
    }

    @Test func `doctor names each problem and its remedy`() throws {
        let bench = try Bench()
        #expect(try bench.ok("doctor").contains("ok"))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644],
            ofItemAtPath: bench.folder.appendingPathComponent("master.key").path
        )
        let run = try bench.run(["doctor"])
        #expect(run.status == 1)
        #expect(run.output.contains("chmod"))
    }

    @Test func `the script also creates development certificates`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("certs-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../certs/make-development-certificates")
        let environment = ProcessInfo.processInfo.environment
        let made = try Tool.run(script.path, [folder.path, "mail.kanzlei.example"], environment)
        #expect(made.status == 0, "\(made.output)")
        let verified = try Tool.run(
            try Tool.find("openssl"),
            ["verify", "-CAfile", folder.path + "/ca.pem", "-verify_hostname"]
                + ["mail.kanzlei.example", folder.path + "/server.pem"],
            environment
        )
        #expect(verified.status == 0, "\(verified.output)")
    }
}
