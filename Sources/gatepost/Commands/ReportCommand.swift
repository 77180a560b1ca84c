import Access
import ArgumentParser
import Store

/// `gatepost report`: the access review, one row for each user and account.
///
/// It requires the role `settings`. Disabled users are omitted.
///
/// `--json` prints an array of ``Row``:
/// `{"account":"info@kanzlei.example","user":"anna@kanzlei.example","isOwner":false,`
/// `"viewing":"lrswite","send":"none","because":[{"rule":"grant 1 to anna@kanzlei.example",`
/// `"rights":"lrswite","send":"none","folder":"Akten","subtree":true,"since":1796011063,`
/// `"until":1801440000,"by":"root"}]}`. A key without a value is absent.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Print the access review: who may see and send what, and why.",
        discussion: "It also prints who granted it, since when, and when it was last used."
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: JSONOption
    @Option(help: "Only report this account.") var account: String?
    @Option(help: "Only report this login, or the members of group:NAME.") var subject: String?

    /// The access of one user to one account: an element of the JSON array of `report --json`.
    struct Row: Encodable, Equatable {
        /// One rule that decides about the access.
        struct Because: Encodable, Equatable {
            /// The rule in words.
            var rule: String
            /// Letters of RFC 4314 §2.1, for a grant.
            var rights: String?
            /// `none`, `as` or `on-behalf`, for a grant.
            var send: String?
            /// The path of the granted folder; nil for the whole account.
            var folder: String?
            /// Whether a grant on a folder includes the folders below it.
            var subtree: Bool?
            /// When the grant was made, in seconds since 1970.
            var since: Int64?
            /// When the grant ends, in seconds since 1970; nil for never.
            var until: Int64?
            /// Who made the grant.
            var by: String?
            /// The reason that was recorded with the grant or the wall.
            var reason: String?
        }

        /// The account's address.
        var account: String
        /// The user's login.
        var user: String
        /// Whether the account belongs to the user.
        var isOwner: Bool
        /// The rights that the user has on at least one folder: letters of RFC 4314 §2.1.
        var viewing: String
        /// `none`, `as` or `on-behalf`.
        var send: String
        /// The last access, in seconds since 1970; nil if the audit log has none.
        var lastUsed: Int64?
        /// The rules that decide about the access.
        var because: [Because]
    }

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
    private static func cells(_ row: Row) -> [String] {
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
    private static func sentence(_ because: Row.Because) -> String {
        let place = because.folder.map { " in \($0)\(because.subtree == true ? "/…" : "")" } ?? ""
        return because.rule + place + (because.reason.map { ": \($0)" } ?? "")
    }
}
