import Access
import ArgumentParser
import Exchange
import Foundation
import Gateway
import Store

/// `gatepost permissions VERB`: import of the permissions that Exchange has.
///
/// `load` stages an import, `diff` shows it, and `save` puts it into force. An import has the
/// rights to the whole mailbox (`FullAccess`), the rights to its folders, `SendAs` and
/// `SendOnBehalf`. Exchange is only read.
struct PermissionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permissions",
        abstract: "Import permissions from Exchange: load, compare, save.",
        subcommands: [Load.self, Diff.self, Save.self, Discard.self, ExportScript.self]
    )

    /// `gatepost permissions load ACCOUNT…`: stages an import; requires the role `settings`.
    ///
    /// It reads Exchange Online, or exports with `--from`. An export is text that its writer chose,
    /// so it requires `administrator` where mailbox owners are asked or notified.
    ///
    /// All accounts are staged, or none. `--json` prints an array of `StageReport`.
    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load permissions from Exchange without putting them into force.",
            discussion:
                "Then use diff to see the changes, and save or discard."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "Addresses of Exchange accounts.") var accounts: [String]
        @Option(help: "Read this export instead of Exchange; repeat for more files, - for input.")
        var from: [String] = []
        @Option(help: "Find the mailbox by this name in an export that lacks its address.")
        var identity: String?

        /// - Throws: `ValidationError` for no account, or for `--identity` with several.
        func validate() throws {
            guard !self.accounts.isEmpty else { throw ValidationError("name an Exchange account") }
            guard self.identity == nil || self.accounts.count == 1 else {
                throw ValidationError("--identity needs exactly one account")
            }
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            // Exchange is the authority for its permissions; the writer of an export is not.
            if !self.from.isEmpty { try await self.configuration.requireOwnersLeave(store) }
            let versions = try store.permissionsVersions(of: self.accounts)
            let people = try store.people()
            var loaded: [(account: String, version: Int64, permissions: ImportedPermissions)] = []
            let document: PermissionsDocument
            do {
                document = try await self.read(store)
                for (name, version) in zip(self.accounts, versions) {
                    let account = try store.account(name)
                    let mailbox = try document.mailbox(
                        of: [account.address] + account.aliases,
                        identity: self.identity
                    )
                    let permissions = Resolution.resolve(
                        mailbox,
                        in: document,
                        people: people
                    )
                    loaded.append((account.address, version, permissions))
                }
            } catch let error as ReadingError {
                throw Failure("nothing was loaded: \(error)")
            } catch let error as OnlineError {
                throw Failure(
                    "nothing was loaded; the saved permissions stay in force: \(error)"
                )
            }
            let source = self.from.isEmpty ? "Exchange" : self.from.joined(separator: ", ")
            let reports = try store.stage(loaded, source: source, actor: actor)
            if self.output.json { return try Output.json(reports) }
            PermissionsCommand.show(reports)
            print("")
            print(PermissionsCommand.notice(reports))
        }

        /// Reads the exports of `--from`, or Exchange Online.
        ///
        /// - Throws: ``Failure`` for an unreadable file, `ReadingError` for a file that is not an
        ///   export, `OnlineError` for an error of Exchange Online.
        private func read(_ store: PermissionStore) async throws -> PermissionsDocument {
            guard !self.from.isEmpty else { return try await self.fetch(store) }
            let files = try self.from.map { name in
                (name: name, octets: try InputFile.contents(name))
            }
            return try PermissionsReader.read(files)
        }

        /// Reads the mailboxes' permissions from Exchange Online with the gateway's application.
        /// - Throws: ``Failure`` without an application, or `OnlineError`.
        private func fetch(_ store: PermissionStore) async throws -> PermissionsDocument {
            guard let application = try await self.configuration.load().exchange else {
                throw Failure(
                    "the configuration has no section `exchange` with tenant and application: add "
                        + "it, or load an export with --from FILE"
                )
            }
            let addresses = try self.accounts.map { try store.account($0).address }
            let tokens = TokenSource(application)
            let loader = OnlineLoader(application, tokens: tokens)
            defer {
                loader.shutdown()
                tokens.shutdown()
            }
            return try await loader.load(addresses)
        }
    }

    /// `gatepost permissions diff [ACCOUNT…]`: the staged imports against what is in force.
    ///
    /// `--json` prints an array of `StageReport` with the lines `added`, `removed` and `unchanged`.
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a save would change."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "Addresses of accounts (default: all that are loaded).")
        var accounts: [String] = []

        func run() async throws {
            let store = try await self.configuration.openStore()
            let reports = try ProgressLine.during("comparing the loaded permissions") { _ in
                try store.stages(of: self.accounts)
            }
            if self.output.json { return try Output.json(list: reports) }
            PermissionsCommand.show(reports)
        }
    }

    /// `gatepost permissions save [ACCOUNT…]`: requires the role `settings`.
    ///
    /// It fails if the account or its permissions changed after the import was loaded, and changes
    /// nothing then. The running gateway applies the saved permissions within a second.
    struct Save: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put loaded permissions into force, all of them or none."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "Addresses of accounts (default: all that are loaded).")
        var accounts: [String] = []
        @Flag(help: "Also put into force what Exchange grants to everyone (Default).")
        var everyone = false

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let reports = try store.saveStages(
                of: self.accounts,
                confirmsEveryone: self.everyone,
                actor: actor
            )
            for report in reports {
                print(
                    "\(report.account): \(report.added.count) added, \(report.removed.count) "
                        + "removed, \(report.unchanged.count) unchanged; in force"
                )
            }
        }
    }

    /// `gatepost permissions discard [ACCOUNT…]`: deletes staged imports; requires `settings`.
    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Discard loaded permissions; the saved ones stay in force."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "Addresses of accounts (default: all that are loaded).")
        var accounts: [String] = []

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let names = try store.discardStages(of: self.accounts, actor: actor)
            print(
                "discarded \(names.joined(separator: ", ")); the saved permissions stay in force"
            )
        }
    }

    // MARK: - Output

    /// The last line of `load`: the number of changes, and the next command.
    static func notice(_ reports: [StageReport]) -> String {
        func count(_ lines: (StageReport) -> Int) -> Int { reports.map(lines).reduce(0, +) }
        let names = reports.map(\.account).joined(separator: ", ")
        return "loaded \(names): \(count(\.added.count)) added, \(count(\.removed.count)) removed, "
            + "\(count(\.unchanged.count)) unchanged, \(count(\.stillWithdrawn.count)) still "
            + "withdrawn, \(count(\.unresolved.count)) unresolved; nothing is in force yet: "
            + "gatepost permissions save (or discard)"
    }

    /// Prints the changes of each staged import, its unresolved principals and its notes.
    ///
    /// The first column has `+` for an addition, `-` for a removal and `=` for no change.
    static func show(_ reports: [StageReport]) {
        for report in reports {
            print("\(report.account), from \(Output.printable(report.source))")
            let notes = StageNotes(report)
            var rows = report.added.map { ["+"] + self.cells($0, notes: notes) }
            rows += report.removed.map { ["-"] + self.cells($0, notes: notes) }
            rows += report.unchanged.map { ["="] + self.cells($0, notes: notes) }
            Output.table(
                ["", "SUBJECT", "VIEWABLE", "SENDING", "FOLDER", "THROUGH", "NOTE"],
                rows: rows
            )
            if !report.unresolved.isEmpty {
                print("")
                Output.table(
                    ["UNRESOLVED", "RIGHT", "WHY"],
                    rows: report.unresolved.map { [$0.principal, $0.right, $0.why] }
                )
            }
            for note in report.notes { print("  note: \(Output.printable(note))") }
        }
    }

    /// The columns of one line: subject, viewing, sending, folder, group and note.
    private static func cells(_ line: StageReport.Line, notes: StageNotes) -> [String] {
        var note = ""
        if notes.stillWithdrawn.contains(line) { note = "still withdrawn" }
        if notes.unconfirmed.contains(line) { note = "counts only if saved with --everyone" }
        guard line.denied.isEmpty else {
            return [line.subject, "", "", "all", "", "denied in Exchange: \(line.denied)"]
        }
        let isViewing = !line.rights.isEmpty || line.folder != nil
        return [
            line.subject, isViewing ? (line.rights.isEmpty ? "nothing" : line.rights) : "-",
            line.send == "none" ? "-" : line.send, line.folder ?? "all", line.via ?? "-", note,
        ]
    }
}

/// The lines of a report that have a note.
private struct StageNotes {
    let stillWithdrawn: Set<StageReport.Line>
    let unconfirmed: Set<StageReport.Line>

    init(_ report: StageReport) {
        self.stillWithdrawn = Set(report.stillWithdrawn)
        self.unconfirmed = Set(report.unconfirmed)
    }
}
