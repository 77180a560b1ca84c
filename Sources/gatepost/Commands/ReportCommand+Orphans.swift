import Access
import ArgumentParser
import Gateway
import Store

/// The verb `orphans` of `gatepost report`.
extension ReportCommand {
    /// `gatepost report orphans`: requires the role `settings`.
    ///
    /// `--json` prints an array of ``OrphanRow``:
    /// `{"kind":"unused-grant","account":"info@kanzlei.example","subject":"anna@kanzlei.example",`
    /// `"grant":1,"folder":"Akten","subtree":true,"lastUsed":1796011063,`
    /// `"reason":"not used for 90 days"}`. `kind` is `user-grant`, `group-grant`, `unused-grant`,
    /// `owner`, `account`, `group` or `credential`. A key without a value is absent.
    struct Orphans: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List grants, groups, owners and credentials that are of no use any more.",
            discussion: """
                Grants to disabled users and to groups without an enabled member; grants that nobody \
                used for --days; accounts whose owner is disabled, and accounts that nobody may use; \
                empty groups; credentials that a mail server refuses. Use is what the audit log has: \
                opening a folder, reading, changing and sending.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option(help: "List grants that nobody used for this many days.") var days = 90

        /// - Throws: `ValidationError` for a number that is not a time.
        func validate() throws {
            guard (1...36_500).contains(self.days) else {
                throw ValidationError("--days must be 1 to 36500")
            }
        }

        func run() async throws {
            let (store, _) = try await self.configuration.openForChange()
            let configuration = try await self.configuration.load()
            let refused = await StoredCredentials(configuration).suspended()
            let days = self.days
            let rows = try ProgressLine.during("reading the permissions") { _ in
                OrphanRows(
                    inventory: try store.inventory(),
                    uses: try store.lastUses(),
                    refused: refused ?? [],
                    days: days,
                    moment: .current
                ).all
            }
            if refused == nil {
                Output.note(
                    "no gateway answers here, so refused credentials are not in the list: start it "
                        + "with gatepost serve"
                )
            }
            if let kept = configuration.oversight.auditDays, kept < days {
                Output.note(
                    "the audit log keeps \(kept) days (auditDays): use before that counts as none"
                )
            }
            if self.output.json { return try Output.json(list: rows) }
            Output.table(
                ["KIND", "ACCOUNT", "WHOM", "LAST USED", "REASON", "REMEDY"],
                rows: rows.lazy.map(Self.cells)
            )
        }

        /// The columns of one row in the table.
        private static func cells(_ row: OrphanRow) -> [String] {
            let place = row.folder.map { " \($0)\(row.subtree == true ? "/…" : "")" } ?? ""
            return [
                row.kind.rawValue, (row.account ?? "-") + place, row.subject ?? "-",
                row.lastUsed.map(Output.date) ?? "-", row.reason, row.kind.remedy,
            ]
        }
    }
}
