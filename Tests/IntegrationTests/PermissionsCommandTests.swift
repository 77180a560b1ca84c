import Demo
import Foundation
import Synchronization
import Testing

@testable import gatepost

/// The commands load, show, save, remove and restore, run as processes.
@Suite(.serialized) @MainActor struct PermissionsCommandTests {
    private typealias Bench = CommandLineTests.Bench

    /// Output of `Get-EXOMailboxPermission`, `Get-EXORecipientPermission` and
    /// `Get-EXOMailboxFolderPermission`.
    private static func export(
        fullAccess: [String] = [],
        sendAs: [String] = [],
        folders: [(path: String, user: String, right: String)] = []
    ) -> String {
        var rows = fullAccess.map {
            #"{"Identity":"ex@kanzlei.example","User":"\#($0)","AccessRights":["FullAccess"],"Deny":false,"IsInherited":false}"#
        }
        rows += sendAs.map {
            #"{"Identity":"ex@kanzlei.example","Trustee":"\#($0)","AccessRights":["SendAs"],"AccessControlType":"Allow"}"#
        }
        rows += folders.map {
            #"{"Identity":"ex@kanzlei.example:\\\#($0.path)","FolderName":"\#($0.path)","User":"\#($0.user)","AccessRights":["\#($0.right)"]}"#
        }
        return "[\(rows.joined(separator: ",\n"))]"
    }

    private static let annaAndBob = export(
        fullAccess: ["anna@kanzlei.example"],
        sendAs: ["anna@kanzlei.example"],
        folders: [("Inbox", "bob@kanzlei.example", "Reviewer"), ("Inbox", "Default", "Reviewer")]
    )

    private func furnished() throws -> Bench {
        let bench = try Bench()
        try bench.furnish()
        return bench
    }

    private func load(_ bench: Bench, _ text: String) throws -> String {
        let file = try bench.write(text, to: "export.json")
        return try bench.ok(line: "permissions load ex@kanzlei.example --from \(file)")
    }

    @Test func `loaded permissions take effect once they are saved`() throws {
        let bench = try self.furnished()
        let report = try self.load(bench, Self.annaAndBob)
        #expect(report.contains("4 added, 0 removed, 0 unchanged, 0 still withdrawn"))
        #expect(report.contains("nothing is in force yet: gatepost permissions save"))
        #expect(report.contains("counts only if saved with --everyone"))
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        #expect(try bench.ok(line: "permissions diff").contains("anna@kanzlei.example"))
        try bench.ok(line: "permissions save")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
        #expect(try bench.rights("bob", "ex", "INBOX") == "lr none")
        #expect(try bench.rights("bob", "ex", "INBOX/A") == " none")
        #expect(try bench.rights("bob", "ex", "Sent") == " none")
        try bench.refused(line: "permissions save", says: "nothing is loaded")
        try bench.refused(
            line: "permissions diff ex@kanzlei.example",
            says: "gatepost permissions load ex@kanzlei.example"
        )
    }

    @Test func `a grant on an Exchange account is refused with the remedy`() throws {
        let bench = try self.furnished()
        try bench.refused(
            line: "grant add ex@kanzlei.example anna@kanzlei.example --view",
            says: "its grants come from Exchange. Share the mailbox there, then: gatepost "
                + "permissions load ex@kanzlei.example"
        )
        #expect(try bench.rights("anna", "ex") == " none")
    }

    @Test func `a removed user has no access after each load until restored`() throws {
        let bench = try self.furnished()
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save")
        try bench.ok(line: "grant remove ex@kanzlei.example anna@kanzlei.example --view")
        #expect(try bench.rights("anna", "ex", "INBOX") == " as")
        try bench.ok(line: "grant remove ex@kanzlei.example anna@kanzlei.example")
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        try bench.refused(
            line: "grant remove ex@kanzlei.example anna@kanzlei.example",
            says: "already withdrawn from anna@kanzlei.example"
        )
        let report = try self.load(bench, Self.annaAndBob)
        #expect(report.contains("0 added, 0 removed, 4 unchanged, 2 still withdrawn"))
        #expect(report.contains("still withdrawn\n"))
        try bench.ok(line: "permissions save")
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        let list = try bench.ok(line: "grant list --account ex@kanzlei.example")
        #expect(list.contains("lrswikxte withdrawn"))
        #expect(list.contains("as withdrawn"))
        #expect(list.contains(NSUserName()))
        let text = try bench.ok(line: "grant list --withdrawn --json")
        let rows = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        #expect(rows?.compactMap { $0["author"] as? String } == [NSUserName(), NSUserName()])
        try bench.ok(line: "grant restore ex@kanzlei.example anna@kanzlei.example --send")
        #expect(try bench.rights("anna", "ex", "INBOX") == " as")
        try bench.ok(line: "grant restore ex@kanzlei.example anna@kanzlei.example")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
        try bench.refused(
            line: "grant restore ex@kanzlei.example anna@kanzlei.example",
            says: "nothing of ex@kanzlei.example is withdrawn"
        )
    }

    @Test func `a removed group has no access, whatever Exchange gives its members`() throws {
        let bench = try self.furnished()
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save --everyone")
        try bench.ok(line: "grant remove ex@kanzlei.example group:Sekretariat")
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        #expect(try bench.rights("bob", "ex", "INBOX") == "lr none")
    }

    @Test func `a line for everyone takes effect once confirmed, while it is unchanged`()
        throws
    {
        let bench = try self.furnished()
        try bench.ok(
            line: "user add eve@kanzlei.example --password-stdin",
            input: "pw-eve\n"
        )
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save")
        #expect(try bench.rights("eve", "ex", "INBOX") == " none")
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save --everyone")
        #expect(try bench.rights("eve", "ex", "INBOX") == "lr none")
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save")
        #expect(try bench.rights("eve", "ex", "INBOX") == "lr none")
        _ = try self.load(
            bench,
            Self.export(folders: [("Inbox", "Default", "Editor")])
        )
        try bench.ok(line: "permissions save")
        #expect(try bench.rights("eve", "ex", "INBOX") == " none")
    }

    @Test func `a stage is refused after users or permissions changed`() throws {
        let bench = try self.furnished()
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save")
        _ = try self.load(bench, Self.export(fullAccess: ["bob@kanzlei.example"]))
        try bench.ok(line: "grant remove ex@kanzlei.example bob@kanzlei.example")
        try bench.refused(
            line: "permissions save",
            says: "the permissions of ex@kanzlei.example, changed after they were loaded"
        )
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
        _ = try self.load(bench, Self.export(fullAccess: ["bob@kanzlei.example"]))
        try bench.ok(line: "account remove bob@kanzlei.example --yes")
        // The removal would end the withdrawal.
        try bench.refused(
            line: "user remove bob@kanzlei.example --yes",
            says: "is kept out of ex@kanzlei.example, and removing it would end that"
        )
        try bench.ok(line: "grant restore ex@kanzlei.example bob@kanzlei.example")
        _ = try self.load(bench, Self.export(fullAccess: ["bob@kanzlei.example"]))
        try bench.ok(line: "user remove bob@kanzlei.example --yes")
        try bench.refused(line: "permissions save", says: "changed after they were loaded")
        // An address that moves to another account changes the meaning of a name.
        _ = try self.load(bench, Self.export(fullAccess: ["anna@kanzlei.example"]))
        try bench.ok(line: "user add carla@kanzlei.example --password-stdin", input: "secret")
        try bench.refused(line: "permissions save", says: "changed after they were loaded")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
        try bench.ok(line: "permissions discard")
        try bench.refused(line: "permissions save", says: "nothing is loaded")
    }

    @Test func `several accounts are saved together or not at all`() throws {
        let bench = try self.furnished()
        try bench.ok(line: "account add zwei@kanzlei.example --kind exchange")
        let file = try bench.write(
            Self.annaAndBob.replacing("]}]", with: "]}")
                + #",{"Identity":"zwei@kanzlei.example","User":"bob@kanzlei.example","AccessRights":["FullAccess"],"Deny":false,"IsInherited":false}]"#,
            to: "both.json"
        )
        try bench.ok(
            line: "permissions load ex@kanzlei.example zwei@kanzlei.example --from \(file)"
        )
        try bench.ok(line: "grant remove zwei@kanzlei.example bob@kanzlei.example")
        try bench.refused(
            line: "permissions save",
            says: "the permissions of zwei@kanzlei.example, changed after they were loaded"
        )
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        try bench.ok(line: "permissions save ex@kanzlei.example")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
        #expect(
            try bench.ok(line: "account show ex@kanzlei.example").contains("permissions as of")
        )
        let password = try bench.write("secret", to: "password")
        for login in ["anyone", "group:x"] {
            try bench.refused(
                line: "user add \(login) --password-file \(password)",
                says: "is reserved for groups and for everyone"
            )
        }
    }

    @Test func `a wall overrides each grant, load and document, and keeps its reason`() throws {
        let bench = try self.furnished()
        try bench.ok(line: "grant add bob@kanzlei.example anna@kanzlei.example --view --no-check")
        #expect(try bench.rights("anna", "bob", "INBOX") == "lr none")
        try bench.ok(line: "wall add bob@kanzlei.example group:Sekretariat --reason Mandat-17")
        #expect(try bench.rights("anna", "bob", "INBOX") == " none")
        try bench.refused(
            line: "wall add bob@kanzlei.example group:Sekretariat --reason again",
            says: "bars group:Sekretariat from bob@kanzlei.example already"
        )
        try bench.refused(
            line: "wall add bob@kanzlei.example bob@kanzlei.example --reason x",
            says: "belongs to bob@kanzlei.example, and a wall cannot bar an owner"
        )
        try bench.refused(
            "wall",
            "add",
            "ex@kanzlei.example",
            "bob@kanzlei.example",
            "--reason",
            " ",
            says: "a wall needs a reason"
        )
        let added = try bench.ok(
            line: "grant add bob@kanzlei.example anna@kanzlei.example --edit --no-check"
        )
        #expect(added.contains("a wall bars group:Sekretariat") && added.contains("Mandat-17"))
        #expect(try bench.rights("anna", "bob", "INBOX") == " none")
        try bench.ok(line: "wall add ex@kanzlei.example anna@kanzlei.example --reason Mandat-18")
        #expect(try self.load(bench, Self.annaAndBob).contains("a wall bars anna@kanzlei.example"))
        try bench.ok(line: "permissions save")
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        #expect(try bench.ok(line: "wall list --json").contains("Mandat-18"))
        try bench.refused(
            line: "group remove Sekretariat --yes",
            says: "is kept out of bob@kanzlei.example, and removing it would end that"
        )
        // Export and apply include walls; a document without the part leaves them unchanged.
        let text = try bench.ok(line: "export")
        let before = try bench.write(text, to: "before.json")
        try bench.ok(line: "wall remove ex@kanzlei.example anna@kanzlei.example --yes")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
        try bench.refused(
            line: "wall remove ex@kanzlei.example anna@kanzlei.example --yes",
            says: "no wall bars anna@kanzlei.example"
        )
        let applied = try bench.ok(line: "apply \(before) --yes")
        #expect(applied.contains("a wall on bob@kanzlei.example overrides grants"))
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        let nobody = try bench.write(#"{"groups":[]}"#, to: "nobody.json")
        try bench.refused(line: "apply \(nobody) --yes", says: "and removing it would end that")
    }

    @Test func `a damaged file changes nothing`() throws {
        let bench = try self.furnished()
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save")
        let file = try bench.write(String(Self.annaAndBob.dropLast(40)), to: "cut.json")
        try bench.refused(
            line: "permissions load ex@kanzlei.example --from \(file)",
            says: "nothing was loaded: \(file) is not a complete JSON document"
        )
        try bench.refused(line: "permissions save", says: "nothing is loaded")
        try bench.refused(
            line: "permissions load ex@kanzlei.example bob@kanzlei.example --from \(file)",
            says: "is an IMAP account"
        )
        let whole = try bench.write(Self.annaAndBob, to: "export.json")
        try bench.refused(
            line: "permissions load bob@kanzlei.example --from \(whole)",
            says: "is an IMAP account: its grants are set here"
        )
        try bench.refused(
            line: "grant restore bob@kanzlei.example anna@kanzlei.example",
            says: "is an IMAP account, where a removed grant is deleted"
        )
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
    }

    @Test func `an export has withdrawals, and apply keeps imported grants`() throws {
        let bench = try self.furnished()
        _ = try self.load(bench, Self.annaAndBob)
        try bench.ok(line: "permissions save")
        let before = try bench.write(try bench.ok(line: "export"), to: "before.json")
        try bench.ok(line: "grant remove ex@kanzlei.example anna@kanzlei.example")
        let after = try bench.write(try bench.ok(line: "export"), to: "after.json")
        try bench.ok(line: "apply \(before) --yes")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte as")
        try bench.ok(line: "apply \(after) --yes")
        #expect(try bench.rights("anna", "ex", "INBOX") == " none")
        #expect(try bench.ok(line: "apply \(after) --yes") == "nothing to change\n")
    }

    /// A test server in place of Microsoft's, which `bench` is configured for.
    private func microsoft(_ bench: Bench) throws -> MicrosoftTestServer {
        let server = MicrosoftTestServer(
            port: try LoopbackPort.free(preferring: 0),
            introspectionPort: try LoopbackPort.free(preferring: 0),
            organization: ExchangeOrganization(
                mailboxes: [
                    .init(
                        address: "ex@kanzlei.example",
                        name: "Ex",
                        fullAccess: [
                            .init(user: "anna@kanzlei.example"),
                            .init(user: "bob@kanzlei.example", isDenied: true),
                        ],
                        folders: [
                            .init(
                                path: "Posteingang",
                                type: "Inbox",
                                entries: [("Bob", ["Editor"]), ("Default", ["Reviewer"])]
                            )
                        ]
                    ), .init(address: "anna@kanzlei.example", name: "Anna"),
                    .init(address: "bob@kanzlei.example", name: "Bob"),
                ]
            )
        )
        let certificates = bench.folder.appendingPathComponent("certs")
        try? FileManager.default.removeItem(at: certificates)
        try DevelopmentCertificates(host: "127.0.0.1").write(to: certificates)
        try server.addApplication(to: bench.folder)
        try server.start(
            certificate: certificates.appendingPathComponent("server.pem"),
            key: certificates.appendingPathComponent("server.key")
        )
        return server
    }

    @Test func `a report names the interfaces, and an incomplete load changes nothing`()
        throws
    {
        let bench = try self.furnished()
        let server = try self.microsoft(bench)
        defer { server.stop() }
        let report = try bench.ok(line: "permissions load ex@kanzlei.example")
        #expect(report.contains("4 added, 0 removed"), "\(report)")
        #expect(
            report.contains(
                "note: Send on Behalf, folder permissions: answered by the Admin API v2.0"
            )
        )
        #expect(
            report.contains(
                "note: FullAccess, Send As, the list of folders, the directory: answered by InvokeCommand"
            )
        )
        try bench.ok(line: "permissions save --everyone")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte none")
        #expect(try bench.rights("bob", "ex", "INBOX") == " none")
        // Without the FullAccess list, and the denial in it, Bob would have access through his
        // folder entry.
        server.state.withLock { state in
            state.faults = Array(repeating: .status(403, headers: [:], body: ""), count: 9)
        }
        try bench.refused(
            line: "permissions load ex@kanzlei.example",
            says:
                "nothing was loaded; the saved permissions stay in force: the application may not run "
                + "Get-MailboxPermission: give it the Entra role Global Reader"
        )
        try bench.refused(line: "permissions save", says: "nothing is loaded")
        #expect(try bench.rights("anna", "ex", "INBOX") == "lrswikxte none")
        #expect(try bench.rights("bob", "ex", "INBOX") == " none")
        server.state.withLock { state in
            state.faults = []
            state.documented.refuseAll(403)
        }
        let other = try bench.ok(line: "permissions load ex@kanzlei.example")
        #expect(other.contains("0 added, 0 removed, 4 unchanged"), "\(other)")
        #expect(
            other.contains(
                "note: folder permissions: answered by InvokeCommand, because the Admin API v2.0 refuses "
                    + "Get-MailboxFolderPermission: no role of the application allows"
            ),
            "\(other)"
        )
    }
}
