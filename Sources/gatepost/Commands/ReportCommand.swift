import Access
import ArgumentParser
import Store

/// `gatepost report`: the access review, account by account.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract:
            "Print who may see and send what, why, since when, by whom, and when it was last used."
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: JSONOption
    @Option var account: String?
    @Option(help: "A login, or group:NAME for everybody in it.") var subject: String?

    /// One user on one account.
    struct Row: Encodable, Equatable {
        /// One rule that counts.
        struct Because: Encodable, Equatable {
            var rule: String
            var rights: String?
            var send: String?
            /// Nil for the whole account.
            var folder: String?
            var subtree: Bool?
            /// Seconds since 1970.
            var since: Int64?
            var until: Int64?
            var by: String?
            var reason: String?
        }

        var account: String
        var user: String
        var isOwner: Bool
        /// Rights somewhere in the account.
        var viewing: String
        var send: String
        /// Seconds since 1970; nil where it was never used, as far as the audit log goes back.
        var lastUsed: Int64?
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

    /// Whether something keeps the user out, whatever was granted.
    private static func isBarred(_ access: AccountAccess) -> Bool {
        access.reasons.contains { reason in
            switch reason {
            case .wall, .withdrawal: true
            default: false
            }
        }
    }

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

    private static func sentence(_ because: Row.Because) -> String {
        let place = because.folder.map { " in \($0)\(because.subtree == true ? "/…" : "")" } ?? ""
        return because.rule + place + (because.reason.map { ": \($0)" } ?? "")
    }
}
