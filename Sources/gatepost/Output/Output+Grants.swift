import Access
import Store

/// The tables of grants and withdrawals.
extension Output {
    /// Prints the withdrawals below an empty line, or nothing if there are none.
    ///
    /// `BY` is the author of the withdrawal, or `denied in Exchange` for an imported denial.
    static func withdrawals(_ withdrawals: [WithdrawalRow]) {
        guard !withdrawals.isEmpty else { return }
        print("")
        Output.table(
            ["WITHDRAWN", "FROM", "VIEWING", "SENDING", "BY", "WHEN"],
            rows: withdrawals.lazy.map { row in
                [
                    row.account, row.subject, row.view ? "yes" : "-", row.send ? "yes" : "-",
                    row.source == "exchange" ? "denied in Exchange" : row.author,
                    self.date(row.created),
                ]
            }
        )
    }

    /// Prints the grants, with the right to view and the right to send in separate columns.
    ///
    /// `VIEWABLE` has the letters of RFC 4314 §2.1, or `-`; `SENDING` has `as`, `on-behalf` or `-`.
    /// `FOLDER` is `all`, a folder's path, or `PATH/…` for a folder and those below it.
    static func grants(_ grants: [GrantRow]) {
        let now = Moment.current.seconds
        Output.table(
            ["ACCOUNT", "SUBJECT", "VIEWABLE", "SENDING", "FOLDER", "UNTIL", "FROM", "BY"],
            rows: grants.lazy.map { self.cells($0, now: now) }
        )
    }

    /// The cells of one grant's row. The present time is in seconds since 1970.
    static func cells(_ grant: GrantRow, now: Int64) -> [String] {
        let withdrawn = grant.withdrawn ?? ""
        return [
            grant.account, grant.subject,
            grant.rights.isEmpty
                ? "-" : grant.rights + (withdrawn.contains("view") ? " withdrawn" : ""),
            grant.send == "none"
                ? "-" : grant.send + (withdrawn.contains("send") ? " withdrawn" : ""),
            grant.folder.map { $0 + (grant.subtree ? "/…" : "") } ?? "all",
            grant.until.map { self.end($0, now: now) } ?? "-", Self.origin(of: grant), grant.author,
        ]
    }

    /// A moment, and how soon it is where that is within thirty days.
    private static func end(_ seconds: Int64, now: Int64) -> String {
        let text = self.date(seconds)
        guard seconds > now else { return "\(text) (ended)" }
        let days = (seconds - now) / 86_400
        if days == 0 { return "\(text) (ends today)" }
        return days <= 30 ? "\(text) (ends in \(days) \(days == 1 ? "day" : "days"))" : text
    }

    /// The source of a grant: `local`, `exchange (GROUP)` or `local, not confirmed`.
    private static func origin(of grant: GrantRow) -> String {
        grant.source + (grant.via.map { " (\($0))" } ?? "")
            + (grant.confirmed ? "" : ", not confirmed")
    }
}
