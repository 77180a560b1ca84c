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
        let rows = try self.rows(store)
        if self.output.json { return try Output.json(rows) }
        Output.table(
            ["ACCOUNT", "USER", "VIEWABLE", "SENDING", "LAST USED", "SINCE", "BY", "BECAUSE"],
            rows: rows.map(Self.cells)
        )
    }

    /// The rows, sorted by account and user.
    ///
    /// A user without any right is omitted, unless a wall or a withdrawal is the cause.
    private func rows(_ store: PermissionStore) throws -> [Row] {
        let snapshot = try store.load().access
        let grants = Dictionary(
            try store.grants(account: nil, subject: nil).map { ($0.id, $0) }
        ) { first, _ in first }
        let uses = try store.lastUses()
        let only = try self.account.map { try store.account($0).address }
        let subject = try self.subject.map { ExactText(try store.canonical($0)) }
        var rows: [Row] = []
        for account in snapshot.accounts.values.sorted(by: { $0.address < $1.address })
        where only == nil || account.address.description == only {
            for user in snapshot.users.values.sorted(by: { $0.login < $1.login })
            where !user.isDisabled {
                let names = snapshot.names(of: user.id).map(ExactText.init)
                if let subject, !names.contains(subject) { continue }
                let access = snapshot.access(of: user.id, to: account.id, at: .current)
                guard access.anywhere != [] || access.send != .none || Self.isBarred(access)
                else { continue }
                let address = account.address.description
                let login = user.login.description
                rows.append(
                    Row(
                        account: address,
                        user: login,
                        isOwner: access.isOwner,
                        viewing: access.anywhere.letters,
                        send: access.send.name,
                        lastUsed: uses[address]?[login]?.seconds,
                        because: access.reasons.map {
                            Self.because($0, snapshot: snapshot, grants: grants)
                        }
                    )
                )
            }
        }
        return rows
    }

    /// Whether a wall or a withdrawal takes rights from the user.
    private static func isBarred(_ access: AccountAccess) -> Bool {
        access.reasons.contains { reason in
            switch reason {
            case .wall, .withdrawal: true
            default: false
            }
        }
    }

    /// Converts a reason of the verdict, with author and time from the store.
    private static func because(
        _ reason: Reason,
        snapshot: Access.Snapshot,
        grants: [Int64: GrantRow]
    ) -> Row.Because {
        var because = Row.Because(rule: snapshot.text(of: reason))
        switch reason {
        case .grant(let grant, _):
            let row = grants[grant.id]
            because.rights = grant.rights.letters
            because.send = grant.send.name
            because.folder = row?.folder
            because.subtree = row?.subtree
            because.since = row?.created
            because.until = row?.until
            because.by = row?.author
            because.reason = row?.reason
        case .wall(let wall):
            because.reason = wall.reason
        default:
            break
        }
        return because
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
