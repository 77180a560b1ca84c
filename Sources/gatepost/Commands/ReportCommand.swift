import Access
import ArgumentParser
import Store

/// `gatepost report`: the access review, one row for each user and account.
///
/// It requires the role `settings`. Disabled users are omitted.
///
/// `--json` prints an array of ``ReportRow``:
/// `{"account":"info@kanzlei.example","user":"anna@kanzlei.example","isOwner":false,`
/// `"viewing":"lrswite","send":"none","because":[{"rule":"grant 1 to anna@kanzlei.example",`
/// `"rights":"lrswite","send":"none","folder":"Akten","subtree":true,"since":1796011063,`
/// `"until":1801440000,"by":"root"}]}`. A key without a value is absent.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Print the access review: who may see and send what, and why.",
        discussion: "It also prints who granted it, since when, and when it was last used.",
        subcommands: [Orphans.self]
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: JSONOption
    @Option(help: "Only report this account.") var account: String?
    @Option(help: "Only report this login, or the members of group:NAME.") var subject: String?

    func run() async throws {
        let (store, _) = try await self.configuration.openForChange()
        let rows = try ProgressLine.during("reading the permissions") { _ in
            let review = try store.review(account: self.account, subject: self.subject)
            let account = self.account == nil ? nil : review.accounts.first?.address
            return ReportRows(
                review: review,
                uses: try store.lastUses(of: account?.description),
                moment: .current
            )
        }
        if self.output.json { return try Output.json(list: rows) }
        Output.table(
            ["ACCOUNT", "USER", "VIEWABLE", "SENDING", "LAST USED", "SINCE", "BY", "BECAUSE"],
            rows: rows.lazy.map(Self.cells)
        )
    }

    /// The columns of one row in the table.
    private static func cells(_ row: ReportRow) -> [String] {
        let since = row.because.compactMap(\.since).min()
        let authors = Set(row.because.compactMap(\.by)).sorted().joined(separator: ", ")
        return [
            row.account, row.user, row.viewing.isEmpty ? "-" : row.viewing,
            row.send == "none" ? "-" : row.send, row.lastUsed.map(Output.date) ?? "-",
            since.map(Output.date) ?? "-", authors.isEmpty ? "-" : authors,
            row.because.map(Self.sentence).joined(separator: "; "),
        ]
    }

    /// One rule in words, with its folder and its reason.
    private static func sentence(_ because: ReportRow.Because) -> String {
        let place = because.folder.map { " in \($0)\(because.subtree == true ? "/…" : "")" } ?? ""
        return because.rule + place + (because.reason.map { ": \($0)" } ?? "")
    }
}
