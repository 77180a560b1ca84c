extension Snapshot {
    /// A rule in words, for the audit log and reports: `owner`, `grant 12 to group:Sekretariat`.
    package func text(of reason: Reason) -> String {
        switch reason {
        case .unknownUser: "unknown user"
        case .unknownAccount: "unknown account"
        case .disabledUser: "disabled user"
        case .disabledAccount: "disabled account"
        case .owner: "owner"
        case .nothing: "no grant"
        case .wall(let wall): "wall before \(self.name(of: wall.subject) ?? "?")"
        case .withdrawal(let withdrawal):
            (withdrawal.source == .exchange ? "denied in Exchange to " : "withdrawn from ")
                + (self.name(of: withdrawal.subject) ?? "?")
        case .grant(let grant, let path):
            "grant \(grant.id) to \(self.name(of: grant.subject) ?? "?")"
                + (path.count > 1
                    ? " through "
                        + path.compactMap { self.name(of: .group($0)) }.joined(separator: ", ")
                    : "")
                + (grant.source == .exchange ? " from Exchange" : "")
                + (grant.via.map { " through \($0)" } ?? "")
        }
    }
}
