import Access
import ArgumentParser
import Exchange
import Foundation
import Gateway
import Store

/// `gatepost permissions …`
struct PermissionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "permissions",
        abstract: "Load who may use Exchange accounts, as Exchange has it; look at it; save it.",
        subcommands: [Load.self, Diff.self, Save.self, Discard.self, ExportScript.self]
    )

    /// `gatepost permissions load …`
    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch what Exchange has; nothing of it is in force until it is saved."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "Addresses of Exchange accounts.") var accounts: [String]
        @Option(help: "An export, instead of Exchange itself; again for each file.")
        var from: [String] = []
        @Option(help: "What the mailbox is called in the export, where its address is not there.")
        var identity: String?

        func validate() throws {
            guard !self.accounts.isEmpty else { throw ValidationError("which accounts?") }
            guard self.identity == nil || self.accounts.count == 1 else {
                throw ValidationError("--identity names one account's mailbox")
            }
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            // What Exchange says waits for nobody; a file says what its writer wants.
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
                throw Failure("nothing was loaded, and what was saved stays in force: \(error)")
            }
            let source = self.from.isEmpty ? "Exchange" : self.from.joined(separator: ", ")
            let reports = try store.stage(loaded, source: source, actor: actor)
            if self.output.json { return try Output.json(reports) }
            PermissionsCommand.show(reports)
            print("")
            print(PermissionsCommand.notice(reports))
        }

        private func read(_ store: PermissionStore) async throws -> PermissionsDocument {
            guard !self.from.isEmpty else { return try await self.fetch(store) }
            let files = try self.from.map { name in
                (name: name, octets: try InputFile.contents(name))
            }
            return try PermissionsReader.read(files)
        }

        private func fetch(_ store: PermissionStore) async throws -> PermissionsDocument {
            guard let application = try await self.configuration.load().exchange else {
                throw Failure(
                    "the configuration has no part `exchange` with tenant and application: fill it "
                        + "in, or load an export with --from FILE"
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

    /// `gatepost permissions diff …`
    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what saving would change."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "All that were loaded by default.") var accounts: [String] = []

        func run() async throws {
            let reports = try await self.configuration.openStore().stages(of: self.accounts)
            if self.output.json { return try Output.json(reports) }
            PermissionsCommand.show(reports)
        }
    }

    /// `gatepost permissions save …`
    struct Save: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put what was loaded into force, all of it or nothing."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "All that were loaded by default.") var accounts: [String] = []
        @Flag(help: "Let what Exchange gives to everyone (Default) count.") var everyone = false

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

    /// `gatepost permissions discard …`
    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drop what was loaded; what was saved stays in force."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "All that were loaded by default.") var accounts: [String] = []

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let names = try store.discardStages(of: self.accounts, actor: actor)
            print("dropped: \(names.joined(separator: ", ")); what was saved stays in force")
        }
    }

    // MARK: - Telling

    /// One line that says that it worked, and what to do next.
    static func notice(_ reports: [StageReport]) -> String {
        func count(_ lines: (StageReport) -> Int) -> Int { reports.map(lines).reduce(0, +) }
        let names = reports.map(\.account).joined(separator: ", ")
        return "loaded \(names): \(count(\.added.count)) added, \(count(\.removed.count)) removed, "
            + "\(count(\.unchanged.count)) unchanged, \(count(\.stillWithdrawn.count)) still "
            + "withdrawn, \(count(\.unresolved.count)) unresolved; nothing is in force yet: "
            + "gatepost permissions save (or discard)"
    }

    static func show(_ reports: [StageReport]) {
        for report in reports {
            print("\(report.account), from \(Output.printable(report.source))")
            var rows = report.added.map { ["+"] + self.cells($0, report: report) }
            rows += report.removed.map { ["-"] + self.cells($0, report: report) }
            rows += report.unchanged.map { ["="] + self.cells($0, report: report) }
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

    private static func cells(_ line: StageReport.Line, report: StageReport) -> [String] {
        var note = ""
        if report.stillWithdrawn.contains(line) { note = "still withdrawn" }
        if report.unconfirmed.contains(line) { note = "counts only if saved with --everyone" }
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
